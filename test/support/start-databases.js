// Jest's global set-up: one real PostgreSQL and one real MongoDB for all integration tests, named by
// TEST_POSTGRES_URL and TEST_MONGODB_URI. A server named there already is used as it is.
import './typescript.js';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Tests open a hundred sessions at a time, two files side by side. */
const CONNECTIONS_MAX = 300;

/** A first run may have to fetch the server's program. */
const MONGODB_TIMEOUT_MS = 240_000;

const STOP_TIMEOUT_MS = 10_000;

/** A program that was fetched once serves every later run. */
const PROGRAMS = path.resolve(import.meta.dirname, '../../node_modules/.cache/gatepost');

const observer = { observe: () => undefined };

export default async function startDatabases() {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatepost-test-'));
  // PostgreSQL does not run as root, so the account that it gets instead must find its way in.
  await chmod(directory, 0o711);
  const stops = await Promise.all([startPostgres(directory), startMongodb(directory)]);
  // Jest hands nothing to the tear-down but what is global in this process.
  globalThis.stopTestDatabases = async () => {
    await Promise.all(stops.map(async (stop) => await stop()));
    await rm(directory, { recursive: true, force: true });
  };
}

async function startPostgres(directory) {
  if (process.env.TEST_POSTGRES_URL !== undefined) {
    return async () => undefined;
  }
  const { createEmbeddedPostgres } = await import('../../src/embedded/postgres.ts');
  const postgres = createEmbeddedPostgres({
    directory,
    observer,
    connectionsMax: CONNECTIONS_MAX,
  });
  await postgres.start(new AbortController().signal);
  process.env.TEST_POSTGRES_URL = postgres.dsn();
  return async () => {
    await postgres.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
  };
}

/** Where no MongoDB can be had, TEST_MONGODB_MISSING says why, and its tests are skipped. */
async function startMongodb(directory) {
  if (process.env.TEST_MONGODB_URI !== undefined) {
    return async () => undefined;
  }
  const { createEmbeddedMongodb } = await import('../../src/embedded/mongodb.ts');
  const mongodb = createEmbeddedMongodb({
    directory,
    observer,
    binary: process.env.MONGOD_BINARY,
    programsDirectory: PROGRAMS,
  });
  await mongodb.start(new AbortController().signal);
  try {
    process.env.TEST_MONGODB_URI = await mongodb.untilRunning(
      AbortSignal.timeout(MONGODB_TIMEOUT_MS),
    );
  } catch (error) {
    process.env.TEST_MONGODB_MISSING = error.message;
  }
  return async () => {
    await mongodb.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
  };
}
