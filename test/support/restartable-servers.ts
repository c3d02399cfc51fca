// Real servers that a test stops, kills and starts again where they were: same port, same data,
// same password. Those that a run shares cannot be treated so.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { launch } from '../../src/embedded/command.ts';
import type { Command, Launched } from '../../src/embedded/command.ts';
import { findFreePort, LOOPBACK } from '../../src/embedded/free-port.ts';
import { findMongod } from '../../src/embedded/mongodb-binary.ts';
import { becomePrimary, REPLICA_SET_NAME } from '../../src/embedded/mongodb-replica-set.ts';
import { chooseAccount } from '../../src/embedded/os-account.ts';
import { findPostgresBinaries } from '../../src/embedded/postgres-binaries.ts';
import { createCluster, setPassword } from '../../src/embedded/postgres-cluster.ts';
import { runDirectly } from './databases.ts';
import { untilFound } from './facts.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';

/** Where the global set-up keeps the program that it has fetched. */
const PROGRAMS = path.resolve(import.meta.dirname, '../../node_modules/.cache/gatepost');

const NEVER = new AbortController().signal;

export interface RestartableServer {
  /** Connection string, with the password. */
  readonly url: string;
  readonly port: number;
  readonly password: string;
  /** Resolves when it takes writes. */
  start(): Promise<void>;
  /** Ends it in good order: sessions are told. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Ends it, and removes its data. */
  remove(): Promise<void>;
}

/** A PostgreSQL that is not started yet. */
export async function createRestartablePostgres(): Promise<RestartableServer> {
  const temporary = await createTemporaryDirectory();
  const cluster = path.join(temporary.path, 'postgres');
  const account = await chooseAccount(cluster, NEVER);
  const binaries = await findPostgresBinaries();
  const place = { directory: cluster, binaries, account };
  await createCluster(place, NEVER);
  const password = randomBytes(16).toString('hex');
  await setPassword(place, password, NEVER);
  const port = await findFreePort();
  const url = `postgresql://postgres:${password}@${LOOPBACK}:${port}/postgres?sslmode=disable`;
  const settings = [`listen_addresses=${LOOPBACK}`, `port=${port}`, 'unix_socket_directories='];
  return createServer({
    ...{ url, port, password, temporary },
    command: {
      file: binaries.postgres,
      args: ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])],
      account,
    },
    signals: { stop: 'SIGINT', kill: 'SIGQUIT' },
    becomesReady: async () => {
      await untilFound(
        async () => await runDirectly(url, 'select 1').catch(() => undefined),
        'PostgreSQL to answer',
      );
    },
  });
}

const MONGODB_USER = 'gatepost_test';

/** A one-node replica set of MongoDB that is not started yet, with one user. */
export async function createRestartableMongodb(): Promise<RestartableServer> {
  const temporary = await createTemporaryDirectory();
  const program = await findMongod(
    {
      binary: process.env['MONGOD_BINARY'],
      programsDirectory: PROGRAMS,
      report: () => undefined,
    },
    NEVER,
  );
  const password = randomBytes(16).toString('hex');
  const port = await findFreePort();
  const address = `${LOOPBACK}:${port}`;
  const settings = [
    ['--dbpath', temporary.path, '--port', `${port}`, '--bind_ip', LOOPBACK, '--nounixsocket'],
    ['--replSet', REPLICA_SET_NAME, '--oplogSize', '64', '--wiredTigerCacheSizeGB', '0.25'],
    ['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=0'],
  ];
  return createServer({
    url: `mongodb://${MONGODB_USER}:${password}@${address}/shop?authSource=admin&replicaSet=rs0`,
    ...{ port, password, temporary },
    command: { file: program.file, args: settings.flat(), account: undefined },
    signals: { stop: 'SIGTERM', kill: 'SIGKILL' },
    becomesReady: async () => {
      await becomePrimary(address, AbortSignal.timeout(20_000));
      await createUser(address, password);
    },
  });
}

/** It asks for no password, and checks one that is given. */
async function createUser(address: string, password: string): Promise<void> {
  const client = new MongoClient(`mongodb://${address}/?directConnection=true`);
  try {
    const admin = client.db('admin');
    const { users } = await admin.command({ usersInfo: MONGODB_USER });
    if (Array.isArray(users) && users.length === 0) {
      await admin.command({ createUser: MONGODB_USER, pwd: password, roles: ['root'] });
    }
  } finally {
    await client.close();
  }
}

interface ServerOptions extends Pick<RestartableServer, 'url' | 'port' | 'password'> {
  readonly command: Command;
  readonly signals: {
    /** Asks it to end in good order. */
    readonly stop: NodeJS.Signals;
    /** Ends it as a crash does, its children with it. */
    readonly kill: NodeJS.Signals;
  };
  readonly becomesReady: () => Promise<void>;
  readonly temporary: TemporaryDirectory;
}

function createServer({
  command,
  signals,
  becomesReady,
  temporary,
  ...place
}: ServerOptions): RestartableServer {
  let child: Launched | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending !== undefined) {
      const ended = once(ending, 'exit');
      ending.kill(signal);
      await ended;
    }
  };
  return {
    ...place,
    start: async () => {
      child = await launch(command);
      child.stdout.resume();
      child.stderr.resume();
      await becomesReady();
    },
    stop: async () => {
      await end(signals.stop);
    },
    kill: async () => {
      await end(signals.kill);
    },
    remove: async () => {
      await end(signals.kill);
      await temporary.remove();
    },
  };
}
