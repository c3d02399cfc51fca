// The one PostgreSQL behind all subjects: the embedded one, with more room than it has by default.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chooseAccount } from '../../src/embedded/os-account.ts';
import { createEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { runDirectly } from '../support/databases.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { BenchPlace } from './subjects.ts';

/** Room for PgBouncer's pool beside everybody's sessions. */
const CONNECTIONS_MAX = 300;

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

/** Logs in without a password, so that a client of some lines can. */
const READER = 'bench_reader';

export interface BenchUpstream {
  readonly place: BenchPlace;
  /** Of PostgreSQL itself. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it in a new directory, which also takes what the proxies write. */
export async function startUpstream(): Promise<BenchUpstream> {
  const temporary = await createTemporaryDirectory();
  const directory = path.join(temporary.path, 'data');
  const postgres = createEmbeddedPostgres({
    directory,
    observer: { observe: () => undefined },
    connectionsMax: CONNECTIONS_MAX,
  });
  const stop = async (): Promise<void> => {
    await postgres.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
    await temporary.remove();
  };
  try {
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    await postgres.start(signal);
    const url = postgres.dsn();
    const cluster = path.join(directory, 'postgres');
    await createReader(url, cluster);
    const account = await chooseAccount(cluster, signal);
    return { place: toPlace(url, { directory: temporary.path, account }), url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createReader(url: string, cluster: string): Promise<void> {
  const file = path.join(cluster, 'pg_hba.conf');
  const rules = await readFile(file, 'utf8');
  await writeFile(file, `host all ${READER} 127.0.0.1/32 trust\n${rules}`);
  await runDirectly(url, `create role ${READER} login; select pg_reload_conf()`);
}

function toPlace(url: string, where: Pick<BenchPlace, 'directory' | 'account'>): BenchPlace {
  const { port, username: user, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  return {
    ...where,
    postgresPort: Number(port),
    login: { user, password, database },
    reader: { user: READER, database },
  };
}
