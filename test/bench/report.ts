// Results as Markdown.
import { cpuPerUnit, describeRatio } from './report-cells.ts';
import type { BenchResults, Measure } from './results.ts';
import type { SlowReaderMemory } from './slow-readers.ts';
import { median, ratioOf } from './statistics.ts';
import { BARE_PIPE, DIRECT, GATEPOST, GATEPOST_DENY, PGBOUNCER } from './subjects.ts';

const REFERENCES = [DIRECT, PGBOUNCER, BARE_PIPE];

/** Everything that was measured, and whether the aims are reached. */
export function renderReport(results: BenchResults): string {
  const { startedAt, settings, facts, omissions, measures, slowReaders } = results;
  const day = startedAt.toISOString().slice(0, 16).replace('T', ' ');
  return [
    `Measured ${day} UTC: ${settings.rounds} rounds, ${settings.seconds} s a run of pgbench.`,
    ...omissions.map((omission) => `**Left out:** ${omission}`),
    table(['machine', ''], facts),
    '### Aims',
    bullets(measures.flatMap(describeAims)),
    ...measures.flatMap((measure) => [`### ${measure.title}`, measure.note, measureTable(measure)]),
    ...(slowReaders.length === 0 ? [] : slowReaderSection(slowReaders)),
  ].join('\n\n');
}

function measureTable({ unit, samples }: Measure): string {
  const references = REFERENCES.filter((name) => samples.has(name));
  const rows = [...samples].map(([name, own]) => [
    name,
    Math.round(median(own.map(({ perSecond }) => perSecond))).toLocaleString('en'),
    ...references.map((reference) => {
      const others = samples.get(reference) ?? [];
      return reference === name ? '–' : describeRatio(own, others);
    }),
    cpuPerUnit(own),
  ]);
  const headings = references.map((name) => `of ${name}`);
  return table(['', `${unit}/s`, ...headings, 'CPU of the proxy (user + system)'], rows);
}

/** One sentence for each row that has an aim. */
function describeAims({ title, samples, aim }: Measure): string[] {
  const bouncer = samples.get(PGBOUNCER);
  if (aim === undefined || bouncer === undefined) {
    return [];
  }
  return [GATEPOST, GATEPOST_DENY].map((name) => {
    const own = samples.get(name) ?? [];
    const ratio = ratioOf(
      own.map(({ perSecond }) => perSecond),
      bouncer.map(({ perSecond }) => perSecond),
    );
    const verdict = ratio.median >= aim ? 'reached' : 'not reached';
    const numbers = `${ratio.median.toFixed(2)} of PgBouncer, aim ${aim.toFixed(2)}`;
    return `${title}, ${name}: ${numbers}: **${verdict}**`;
  });
}

function slowReaderSection(memories: readonly SlowReaderMemory[]): string[] {
  const rows = memories.map(({ name, clients, beforeBytes, whileBytes }) => [
    name,
    `${clients}`,
    megabytes(beforeBytes),
    megabytes(whileBytes),
    megabytes((whileBytes - beforeBytes) / clients),
  ]);
  return [
    '### Memory of slow readers',
    'Resident memory of a new proxy process while clients do not read a result of 1 GB.',
    table(['', 'clients', 'MiB before', 'MiB at most', 'MiB a client'], rows),
  ];
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [headings, headings.map(() => '---'), ...rows].map(line).join('\n');
}

function bullets(lines: readonly string[]): string {
  return lines.length === 0
    ? 'Without PgBouncer there is nothing to compare with.'
    : lines.map((one) => `- ${one}`).join('\n');
}
