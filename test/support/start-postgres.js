// Jest's global set-up: one real PostgreSQL for all integration tests, named by TEST_POSTGRES_URL.
// A server named there already is used as it is.
import './typescript.js';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Tests open a hundred sessions at a time, two files side by side. */
const CONNECTIONS_MAX = 300;

export default async function startPostgres() {
  if (process.env.TEST_POSTGRES_URL !== undefined) {
    return;
  }
  const { createEmbeddedPostgres } = await import('../../src/embedded/postgres.ts');
  const directory = await mkdtemp(path.join(tmpdir(), 'gatepost-test-'));
  // PostgreSQL does not run as root, so the account that it gets instead must find its way in.
  await chmod(directory, 0o711);
  const postgres = createEmbeddedPostgres({
    directory,
    observer: { observe: () => undefined },
    connectionsMax: CONNECTIONS_MAX,
  });
  await postgres.start(new AbortController().signal);
  process.env.TEST_POSTGRES_URL = postgres.dsn();
  // Jest hands nothing to the tear-down but what is global in this process.
  globalThis.stopTestPostgres = async () => {
    await postgres.stop(AbortSignal.timeout(10_000));
    await rm(directory, { recursive: true, force: true });
  };
}
