// Where the accounts are kept, made ready: the database of their own, the schema, the shared keys.
import { randomBytes } from 'node:crypto';
import { Client, DatabaseError } from 'pg';
import type { ClientConfig } from 'pg';
import * as z from 'zod';
import { ServiceError } from '../errors.ts';
import { OWN_NAME } from '../own-names.ts';
import { parseDsn } from '../postgres-dsn.ts';
import { unavailableError } from './accounts-errors.ts';
import { migrate } from './migrations.ts';
import type { Migrated } from './migrations.ts';

/** How long one connection may take to be opened. */
export const CONNECT_TIMEOUT_MS = 3000;

/** How long a statement of ours may run on the server. */
export const STATEMENT_TIMEOUT_MS = 3000;

/** From the first connection to a schema that is up to date; others may migrate meanwhile. */
const PREPARE_TIMEOUT_MS = 120_000;

/** Another replica has made it between our look and our attempt. */
const ALREADY_THERE = ['42P04', '23505'];

const KEY_BYTES = 32;

export interface AccountsPlace {
  /** A secret; throws while it is not known. */
  readonly databaseUrl: () => string;
  /** Whether the server is our own, where accounts get a database for themselves. */
  readonly ownsDatabase: boolean;
}

/** What all replicas have in common; secrets. */
export interface SharedKeys {
  /** What the salts of names that are not known are made of. */
  readonly mockKey: string;
  /** What the cookies of sessions are signed with. */
  readonly sessionSecret: string;
}

export interface PreparedSchema {
  /** For further connections. */
  readonly config: ClientConfig;
  readonly migrated: Migrated;
  readonly keys: SharedKeys;
}

/**
 * Makes the schema ready, from nothing if need be.
 *
 * @throws ServiceError 08006 where PostgreSQL cannot be reached; others, with what to do, where its
 *   schema cannot be used
 */
export async function prepareSchema(
  { databaseUrl, ownsDatabase }: AccountsPlace,
  signal: AbortSignal,
): Promise<PreparedSchema> {
  try {
    const given = clientConfig(databaseUrl());
    if (ownsDatabase) {
      await withClient(given, signal, createOwnDatabase);
    }
    const config = ownsDatabase ? { ...given, database: OWN_NAME } : given;
    return await withClient(config, signal, async (client) => {
      const migrated = await migrate(client);
      await assertTables(client);
      return { config, migrated, keys: await loadKeys(client) };
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ServiceError && !error.sqlState.startsWith('08')
      ? error
      : unavailableError(error);
  }
}

/** Our own statements name their schemas; nobody's search_path gets between. */
function clientConfig(url: string): ClientConfig {
  const base = parseDsn(url);
  const own = `-c search_path=pg_catalog -c statement_timeout=${STATEMENT_TIMEOUT_MS}`;
  return {
    ...base,
    application_name: 'gatepost/accounts',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: [base.options ?? '', own].join(' ').trim(),
  };
}

/** Work on a connection of its own, which the signal and a deadline end. */
async function withClient<T>(
  config: ClientConfig,
  signal: AbortSignal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = new Client(config);
  // What breaks between two statements is told by the next one.
  client.on('error', () => undefined);
  const end = (): void => {
    client.end().catch(() => undefined);
  };
  const timer = setTimeout(end, PREPARE_TIMEOUT_MS);
  signal.addEventListener('abort', end, { once: true });
  try {
    await client.connect();
    return await work(client);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    end();
  }
}

async function createOwnDatabase(client: Client): Promise<void> {
  const { rows } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [OWN_NAME]);
  if (rows.length > 0) {
    return;
  }
  try {
    // Copying the template may take longer than our other statements.
    await client.query('SET statement_timeout = 0');
    // Nobody is ever in template0, who would keep it from being copied.
    await client.query(`CREATE DATABASE ${OWN_NAME} TEMPLATE template0 ENCODING 'UTF8'`);
    await client.query(`REVOKE ALL ON DATABASE ${OWN_NAME} FROM PUBLIC`);
  } catch (error) {
    if (!(error instanceof DatabaseError) || !ALREADY_THERE.includes(error.code ?? '')) {
      throw error;
    }
  }
}

/** Somebody may have dropped what the migrations say is there: no use to go on as if it were. */
async function assertTables(client: Client): Promise<void> {
  await client.query('SELECT FROM gatepost.accounts, gatepost.api_tokens LIMIT 0');
}

const keyRows = z.array(z.object({ name: z.string(), value: z.string() }));

/** The shared keys; whoever comes first makes them. */
async function loadKeys(client: Client): Promise<SharedKeys> {
  const find = async (): Promise<ReadonlyMap<string, string>> => {
    const { rows } = await client.query('SELECT name, value FROM gatepost.secrets');
    return new Map(keyRows.parse(rows).map(({ name, value }) => [name, value]));
  };
  const names = ['mock-key', 'session-secret'] as const;
  let found = await find();
  if (names.some((name) => !found.has(name))) {
    const values = names.map(() => randomBytes(KEY_BYTES).toString('base64url'));
    await client.query(
      `INSERT INTO gatepost.secrets (name, value)
         SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`,
      [names, values],
    );
    found = await find();
  }
  const [mockKey = '', sessionSecret = ''] = names.map((name) => found.get(name));
  return { mockKey, sessionSecret };
}
