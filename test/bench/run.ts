// The whole bench: one PostgreSQL, all subjects side by side, every measure in turn.
//
//   npm run bench -- [--write]     BENCH_SECONDS=5 BENCH_ROUNDS=3
import process from 'node:process';
import { describeLoad, describeMachine } from './machine.ts';
import { runMeasures } from './measures.ts';
import { renderReport } from './report.ts';
import type { BenchResults } from './results.ts';
import { readSettings } from './settings.ts';
import { findTools } from './tools.ts';
import { startUpstream } from './upstream.ts';
import { formatReport, writeReport } from './write-report.ts';

const settings = readSettings(process.env, process.argv.slice(2));
const tools = await findTools();
for (const omission of tools.omissions) {
  say(`LEFT OUT: ${omission}`);
}
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort(new Error(`Stopped by ${signal}`)));
}
const markdown = await formatReport(renderReport(await runBench()));
process.stdout.write(`\n${markdown}`);
if (settings.isWriting) {
  await writeReport(markdown);
}

async function runBench(): Promise<BenchResults> {
  const startedAt = new Date();
  const loadBefore = await describeLoad();
  say(`Load of others: ${loadBefore}`);
  const upstream = await startUpstream();
  try {
    const { place, url } = upstream;
    const facts = await describeMachine(url);
    const measured = await runMeasures(
      { place, url, settings, tools, signal: stopping.signal },
      say,
    );
    const loads = [
      ['load before', loadBefore],
      ['load after', await describeLoad()],
    ] as const;
    const { omissions } = tools;
    return { startedAt, settings, facts: [...facts, ...loads], omissions, ...measured };
  } finally {
    await upstream.stop();
  }
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
