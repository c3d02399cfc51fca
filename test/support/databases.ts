import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDatabase {
  /** Connection string of the superuser, in this database. */
  readonly url: string;
  readonly name: string;
  /** Removes the database and ends the sessions that are still in it. */
  drop(): Promise<void>;
}

/** Connection string of the PostgreSQL that this run of the integration tests shares. */
export function testPostgresUrl(): string {
  const url = process.env['TEST_POSTGRES_URL'];
  if (url === undefined) {
    throw new Error(
      'TEST_POSTGRES_URL is missing: run integration tests with Jest, whose global set-up starts ' +
        'a PostgreSQL, or name one of yours',
    );
  }
  return url;
}

/** A database for one test file or one test; drop it when done. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `gatepost_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(`CREATE DATABASE ${name}`);
  return {
    name,
    url: withDatabase(testPostgresUrl(), name),
    drop: async () => {
      await runOnServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** The same connection string with another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/**
 * Runs statements of the test itself, past Gatepost, and gives the rows of the last one.
 */
export async function runDirectly(
  url: string,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'gatepost-test' });
  await client.connect();
  try {
    // Several statements in one text give an array of results, whatever the type says.
    const results = [await client.query<Record<string, unknown>>(sql)].flat();
    return results.at(-1)?.rows ?? [];
  } finally {
    await client.end();
  }
}

async function runOnServer(sql: string): Promise<void> {
  await runDirectly(testPostgresUrl(), sql);
}
