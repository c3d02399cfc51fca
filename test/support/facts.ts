// Waiting for facts that nobody announces: asked again and again until they hold, or a deadline.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** How long a test waits for a fact before it fails. */
const FACT_TIMEOUT_MS = 20_000;

/** Between two looks. */
const PAUSE_MS = 5;

/**
 * Resolves with what is found, when it is found.
 *
 * @param name what is waited for, for the failure
 */
export async function untilFound<T>(
  find: () => T | undefined | Promise<T | undefined>,
  name: string,
): Promise<T> {
  const deadline = Date.now() + FACT_TIMEOUT_MS;
  for (;;) {
    const found = await find();
    if (found !== undefined) {
      return found;
    }
    if (Date.now() > deadline) {
      throw new Error(`Waited ${FACT_TIMEOUT_MS} ms for ${name}`);
    }
    await pause(PAUSE_MS);
  }
}

/** Resolves when the fact holds. */
export async function untilFact(
  fact: () => boolean | Promise<boolean>,
  name: string,
): Promise<void> {
  await untilFound(async () => ((await fact()) ? true : undefined), name);
}

/**
 * Asks a server directly, past Gatepost, until a condition holds there:
 * `exists (select from pg_stat_activity where …)`.
 */
export async function untilTrue(url: string, condition: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'gatepost-test' });
  await client.connect();
  try {
    await untilFact(async () => {
      const { rows } = await client.query<{ holds: boolean }>(`select (${condition}) as holds`);
      return rows[0]?.holds === true;
    }, condition);
  } finally {
    await client.end();
  }
}

/** A condition for untilTrue: this many sessions of the database run a statement like this. */
export function runningStatements(pattern: string, count: number): string {
  return `select count(*) = ${count} from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and state = 'active' and query like '${pattern}'`;
}

/** A condition for untilTrue: Gatepost holds this many sessions of the database. */
export function gatepostSessions(count: number): string {
  return `select count(*) = ${count} from pg_stat_activity
    where datname = current_database() and application_name like 'gatepost/%'`;
}
