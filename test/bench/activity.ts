// What keeping activity costs the wire: queries a second of two Gateposts in front of one
// PostgreSQL, one of which writes every statement to MongoDB, in turns. Needs pgbench and a build.
//
//   node --import ./test/support/typescript.js test/bench/activity.ts
//   BENCH_SECONDS=5 BENCH_ROUNDS=3
import path from 'node:path';
import process from 'node:process';
import { MongoClient } from 'mongodb';
import { createEmbeddedMongodb } from '../../src/embedded/mongodb.ts';
import { runDirectly } from '../support/databases.ts';
import { createRows } from './big-select.ts';
import { describeLoad, describeMachine } from './machine.ts';
import { runPgbench } from './pgbench.ts';
import { measureRounds } from './rounds.ts';
import type { Run, Samples } from './rounds.ts';
import { readSettings } from './settings.ts';
import { median, ratioOf } from './statistics.ts';
import { startGatepost } from './subjects.ts';
import type { BenchPlace, Subject } from './subjects.ts';
import { startUpstream } from './upstream.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

const OFF = 'activity off';
const ON = 'activity on';

/** Of what Gatepost does without it. */
const AIM = 0.95;

interface Load {
  readonly name: string;
  readonly clients: number;
  readonly script: string;
}

const BY_KEY = '\\set id random(1, 1000000)\nselect * from bench_rows where id = :id;';
const PAGE = `\\set id random(1, 990000)
select * from bench_rows where id between :id and :id + 99;`;
const SUM = `\\set id random(1, 990000)
select count(*), sum(length(text)) from bench_rows where id between :id and :id + 2000;`;

/** The first one is nothing but the way there and back. */
const LOADS: readonly Load[] = [
  { name: 'select 1, 16 clients', clients: 16, script: 'select 1;' },
  { name: 'select 1, 1 client', clients: 1, script: 'select 1;' },
  { name: 'a row by its key, 16 clients', clients: 16, script: BY_KEY },
  { name: 'a page of 100 rows, 16 clients', clients: 16, script: PAGE },
  { name: 'a sum over 2000 rows, 16 clients', clients: 16, script: SUM },
];

const settings = readSettings(process.env, []);
const upstream = await startUpstream();
const { place, url } = upstream;
const mongodb = createEmbeddedMongodb({
  directory: path.join(place.directory, 'mongodb'),
  observer: { observe: () => undefined },
  programsDirectory: path.join(import.meta.dirname, '../../node_modules/.cache/gatepost'),
});
try {
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  await mongodb.start(signal);
  const uri = await mongodb.untilRunning(signal);
  await createRows(url);
  await runDirectly(url, 'create unique index on bench_rows (id)');
  for (const [name, value] of await describeMachine(url)) {
    say(`${name}: ${value}`);
  }
  say(`load before: ${await describeLoad()}`);
  await compare(place, uri);
  say(`load after: ${await describeLoad()}`);
} finally {
  await mongodb.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
  await upstream.stop();
}

async function compare(where: BenchPlace, uri: string): Promise<void> {
  const subjects = [
    await startGatepost(where, OFF, { ACCOUNTS: 'off', ACTIVITY: 'off' }),
    await startGatepost(where, ON, {
      ...{ ACCOUNTS: 'off', ACTIVITY: 'on' },
      ACTIVITY_MONGODB_URI: uri,
    }),
  ];
  let statements = 0;
  const { seconds, rounds } = settings;
  try {
    for (const { name, ...load } of LOADS) {
      const samples = await measureRounds({
        subjects,
        rounds,
        signal: new AbortController().signal,
        load: async (subject) => {
          const options = { place: where, seconds, isReconnecting: false, ...load };
          const run = await runPgbench(subject, options);
          statements += subject.name === ON ? run.count : 0;
          return await settled(subject, run);
        },
      });
      say(describe(name, samples));
    }
  } finally {
    await Promise.all(subjects.map(async (subject) => await subject.stop()));
  }
  const client = await new MongoClient(uri).connect();
  const records = await client.db('gatepost').collection('activity').countDocuments();
  await client.close();
  // pgbench itself asks for a few things before it begins.
  say(`${statements} statements counted by pgbench, ${records} records of them in MongoDB`);
}

/** The next subject does not pay for what this one has still to write. */
async function settled({ name }: Subject, run: Run): Promise<Run> {
  if (name === ON) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  return run;
}

function describe(name: string, samples: Samples): string {
  const rates = (subject: string): number[] =>
    (samples.get(subject) ?? []).map(({ perSecond }) => perSecond);
  const cpu = (subject: string): number =>
    median(
      (samples.get(subject) ?? []).map(
        ({ cpu: used, count }) => ((used?.userUs ?? NaN) + (used?.systemUs ?? NaN)) / count,
      ),
    );
  const { median: middle, least, most } = ratioOf(rates(ON), rates(OFF));
  const figures = [OFF, ON].map(
    (one) =>
      `${one} ${Math.round(median(rates(one)))}/s with ${cpu(one).toFixed(1)} µs of CPU each`,
  );
  const ratio = `${middle.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)}), aim ${AIM}`;
  return `${name}: ${figures.join(', ')}; ratio ${ratio}`;
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}
