// Every measure in turn, on subjects that run side by side for all of them.
import { createRows, selectByPsql, selectByCounting } from './big-select.ts';
import { runPgbench } from './pgbench.ts';
import type { BenchResults, Measure } from './results.ts';
import { measureRounds } from './rounds.ts';
import type { Run } from './rounds.ts';
import type { BenchSettings } from './settings.ts';
import { measureSlowReaders } from './slow-readers.ts';
import type { SlowReaderMemory } from './slow-readers.ts';
import { BARE_PIPE, DIRECT, GATEPOST, PGBOUNCER, subjectKinds } from './subjects.ts';
import type { BenchPlace, Subject } from './subjects.ts';
import type { Tools } from './tools.ts';

const CLIENT_COUNTS = [1, 16, 64];

/** Where the aim for small queries is set. */
const AIMED_CLIENTS = 16;
const SMALL_QUERY_AIM = 0.85;
const BIG_SELECT_AIM = 1;

/** Clients that connect over and over. */
const CONNECT_CLIENTS = 8;

/** Until every runtime has compiled what it will run. */
const WARM_UP_SECONDS = 2;

const SLOW_READER_COUNTS = [1, 20];
const SLOW_READER_SUBJECTS = [PGBOUNCER, BARE_PIPE, GATEPOST];

/** One measure before it is run. */
interface Plan {
  readonly title: string;
  readonly note: string;
  readonly unit: string;
  readonly aim?: number;
  readonly load: (subject: Subject) => Promise<Run>;
}

export interface MeasureOptions {
  readonly place: BenchPlace;
  /** PostgreSQL itself. */
  readonly url: string;
  readonly settings: BenchSettings;
  readonly tools: Tools;
  /** Ends the bench after the run that is under way. */
  readonly signal: AbortSignal;
}

/** @param report told of each step before it is taken */
export async function runMeasures(
  options: MeasureOptions,
  report: (step: string) => void,
): Promise<Pick<BenchResults, 'measures' | 'slowReaders'>> {
  await createRows(options.url);
  const subjects: Subject[] = [];
  const measures: Measure[] = [];
  try {
    for (const kind of subjectKinds(options.tools)) {
      subjects.push(await kind.start(options.place));
    }
    report('warming up');
    await warmUp(subjects, options);
    for (const { load, aim, ...plan } of planMeasures(options)) {
      report(plan.title);
      const { signal, settings } = options;
      const { rounds } = settings;
      const samples = await measureRounds({ subjects, rounds, load, signal });
      measures.push({ ...plan, aim, samples });
    }
  } finally {
    await Promise.all(subjects.map(async (subject) => await subject.stop()));
  }
  report('memory of slow readers');
  return { measures, slowReaders: await measureMemory(options) };
}

async function warmUp(
  subjects: readonly Subject[],
  { place, tools }: MeasureOptions,
): Promise<void> {
  const small = { place, clients: AIMED_CLIENTS, seconds: WARM_UP_SECONDS, isReconnecting: false };
  for (const subject of subjects) {
    if (tools.hasPgbench) {
      await runPgbench(subject, small);
    }
    await selectByCounting(subject, place);
  }
}

function planMeasures({ place, settings, tools }: MeasureOptions): readonly Plan[] {
  const { seconds } = settings;
  const small = CLIENT_COUNTS.map((clients): Plan => ({
    title: `Small queries, ${clients === 1 ? '1 client' : `${clients} clients`}`,
    note: 'pgbench, `select 1` as a simple query.',
    unit: 'queries',
    ...(clients === AIMED_CLIENTS ? { aim: SMALL_QUERY_AIM } : {}),
    load: async (subject) =>
      await runPgbench(subject, { place, clients, seconds, isReconnecting: false }),
  }));
  const connects: Plan = {
    title: `Connections, ${CONNECT_CLIENTS} clients`,
    note:
      'pgbench -C: connect, `select 1`, leave. PgBouncer hands out sessions that are open ' +
      'already; all others open one in PostgreSQL each time, password exchange included.',
    unit: 'connections',
    load: async (subject) =>
      await runPgbench(subject, {
        place,
        clients: CONNECT_CLIENTS,
        seconds,
        isReconnecting: true,
      }),
  };
  return [
    ...(tools.hasPgbench ? small : []),
    ...(tools.hasPsql ? [psqlPlan(place)] : []),
    countingPlan(place),
    ...(tools.hasPgbench ? [connects] : []),
  ];
}

function psqlPlan(place: BenchPlace): Plan {
  return {
    title: 'Big select by psql',
    note: 'A million rows of 100 bytes by psql -At -o /dev/null, its start included.',
    unit: 'rows',
    aim: BIG_SELECT_AIM,
    load: async (subject) => await selectByPsql(subject, place),
  };
}

function countingPlan(place: BenchPlace): Plan {
  return {
    title: 'Big select by a counting reader',
    note: 'The same rows, five times over, to a client that only counts bytes.',
    unit: 'rows',
    aim: BIG_SELECT_AIM,
    load: async (subject) => await selectByCounting(subject, place),
  };
}

async function measureMemory({
  place,
  tools,
  signal,
}: MeasureOptions): Promise<SlowReaderMemory[]> {
  const kinds = subjectKinds(tools).filter(
    ({ name }) => name !== DIRECT && SLOW_READER_SUBJECTS.includes(name),
  );
  const memories: SlowReaderMemory[] = [];
  for (const kind of kinds) {
    for (const clients of SLOW_READER_COUNTS) {
      signal.throwIfAborted();
      const memory = await measureSlowReaders(kind, clients, place);
      memories.push(...(memory === undefined ? [] : [memory]));
    }
  }
  return memories;
}
