// psql run twice, through Gatepost and on a direct connection, on the same database.
import { createTestDatabase, runDirectly, testPostgresUrl } from './databases.ts';
import { runPsql } from './psql.ts';
import type { PsqlResult } from './psql.ts';
import { startGate } from './start-gate.ts';

/** Everything that the runs look at. Runs that change something roll it back. */
const FIXTURE = `
  create table customer (
    id integer primary key,
    name text not null check (name <> ''),
    credit numeric(10, 2) default 0
  );
  comment on table customer is 'Who buys';
  create table purchase (
    id integer primary key,
    customer_id integer not null references customer (id) on delete cascade,
    bought_at timestamptz not null default '2026-01-02 03:04:05+00',
    note text
  );
  create index purchase_note on purchase (note) where note is not null;
  create view rich as select id, name from customer where credit > 100;
  create sequence ticket start 7;
  create type mood as enum ('sad', 'glad');
  create function twice(n integer) returns integer
    language sql immutable as 'select n * 2';
  create function raise_all(text) returns void language plpgsql as $body$
  begin
    raise exception using message = $1, errcode = 'P4711', detail = 'A detail',
      hint = 'A hint', schema = 'public', table = 'customer', column = 'name',
      datatype = 'text', constraint = 'customer_name_check';
  end $body$;
  create table zebra ();
  insert into customer values (1, 'Ann', 120.50), (2, 'Zoë 🦓', 0), (3, 'A|B', null);
  insert into purchase (id, customer_id, note) values (10, 1, 'first'), (11, 1, null);
`;

/** One psql run of a test. ROLE and DATABASE stand for the names of this run's. */
export interface PsqlRun {
  readonly title: string;
  readonly args?: readonly string[];
  readonly input?: string;
  /** What must be among the output, so that two equal failures are no success. */
  readonly shows: string | RegExp;
  readonly exitCode?: number;
}

export interface PsqlParity {
  /** Connection string of the gate, in the fixture's database. */
  readonly url: string;
  /** What psql printed on both ways. */
  runBoth(run: PsqlRun): Promise<{ readonly through: PsqlResult; readonly direct: PsqlResult }>;
  stop(): Promise<void>;
}

/** A gate in front of a database that holds the fixture. The caller stops it. */
export async function startPsqlParity(): Promise<PsqlParity> {
  const database = await createTestDatabase();
  const role = `${database.name}_role`;
  await runDirectly(database.url, `${FIXTURE}; create role ${role}`);
  const gate = await startGate({ dsn: database.url });
  const url = `postgresql://postgres@127.0.0.1:${gate.port}/${database.name}`;
  const fillIn = (text: string): string =>
    text.replaceAll('ROLE', role).replaceAll('DATABASE', database.name);
  return {
    url,
    runBoth: async ({ args = [], input = '' }) => {
      const options = { args: args.map(fillIn), input: fillIn(input) };
      // One after the other: they would hear each other's notifications.
      const through = await runPsql({ url, ...options });
      const direct = await runPsql({ url: database.url, ...options });
      return { through: normalise(through), direct: normalise(direct) };
    },
    stop: async () => {
      await gate.stop();
      await database.drop();
      await runDirectly(testPostgresUrl(), `drop role ${role}`);
    },
  };
}

/** What differs between any two connections: process ids. */
function normalise({ stdout, stderr, exitCode }: PsqlResult): PsqlResult {
  const clean = (text: string): string => text.replaceAll(/PID \d+/g, 'PID N');
  return { stdout: clean(stdout), stderr: clean(stderr), exitCode };
}

/** psql's arguments for these commands, each in a -c of its own. */
export function commands(...texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => ['-c', text]);
}
