// A statement that runs until a test says so: it waits for a lock that the test holds.
import pg from 'pg';
import { runningStatements, untilTrue } from './facts.ts';

const KEY = 4712;

export interface HeldLock {
  /** Waits for the lock, for as long as it is held. */
  readonly sql: string;
  /** Resolves when the statement runs. */
  untilAwaited(): Promise<void>;
  /** Lets the statement end. */
  release(): Promise<void>;
}

/** Holds a lock of the database, past Gatepost. */
export async function holdLock(url: string): Promise<HeldLock> {
  const sql = `select pg_advisory_xact_lock(${KEY})`;
  const client = new pg.Client({ connectionString: url, application_name: 'gatepost-test' });
  await client.connect();
  await client.query(`begin; ${sql}`);
  return {
    sql,
    untilAwaited: async () => {
      await untilTrue(url, runningStatements(sql, 1));
    },
    release: async () => {
      await client.end();
    },
  };
}
