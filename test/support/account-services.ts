// Whole services as processes that share the stores of accounts and of activity.
import { execa } from 'execa';
import pg from 'pg';
import { createTestDatabase } from './databases.ts';
import type { TestDatabase } from './databases.ts';
import { ask } from './http-client.ts';
import type { Answer } from './http-client.ts';
import { startRestService } from './rest-service.ts';
import type { RestService } from './rest-service.ts';
import { createRestartableMongodb } from './restartable-servers.ts';
import type { RestartableServer } from './restartable-servers.ts';
import { NODE } from './start-service.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** A command of ours that hangs is a failed test, not a stuck run. */
const COMMAND_TIMEOUT_MS = 25_000;

/** Good enough for every account of a test. */
export const PASSWORD = 'correct horse battery staple';

export interface AccountStores {
  /** What the services are started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly mongodb: RestartableServer;
  /** What is queried. */
  readonly postgres: TestDatabase;
  /** Where the accounts are. */
  readonly accounts: TestDatabase;
  /** Starts a service on these stores; `remove` stops it. */
  startService(environment?: Readonly<Record<string, string>>): Promise<RestService>;
  /** Runs `gatepost …` with the password on standard input; gives what it prints. */
  run(args: readonly string[], input?: string): Promise<string>;
  remove(): Promise<void>;
}

/** A database to query, one for the accounts, and a MongoDB that a test may kill. */
export async function createAccountStores(): Promise<AccountStores> {
  const [postgres, accounts, mongodb, directory] = await Promise.all([
    createTestDatabase(),
    createTestDatabase(),
    createRestartableMongodb(),
    createTemporaryDirectory(),
  ]);
  await mongodb.start();
  const environment = {
    ACCOUNTS: 'on',
    WIRE_AUTH: 'accounts',
    WIRE_UPSTREAM_DSN: postgres.url,
    ACCOUNTS_DATABASE_URL: accounts.url,
    MONGODB_URI: mongodb.url,
    MONGODB_READINESS: 'optional',
  };
  return {
    ...{ environment, mongodb, postgres, accounts },
    startService: async (more = {}) =>
      await startRestService({ environment: { ...environment, ...more } }),
    run: async (args, input = `${PASSWORD}\n`) => {
      const { stdout } = await execa(NODE.command, [...NODE.args, ...args], {
        cwd: directory.path,
        input,
        timeout: COMMAND_TIMEOUT_MS,
        extendEnv: false,
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      });
      return stdout;
    },
    remove: async () => {
      await Promise.all([postgres.drop(), accounts.drop(), mongodb.remove(), directory.remove()]);
    },
  };
}

/** Logs in over HTTP; gives the cookie that the session is told by. */
export async function logIn(url: string, name: string): Promise<string> {
  const answer = await ask(`${url}/auth/login`, { body: { name, password: PASSWORD } });
  if (answer.status !== 200) {
    throw new Error(`No login for ${name}: ${answer.status} ${answer.text}`);
  }
  return (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}

/** What somebody with this cookie is answered. */
export async function askWith(cookie: string, url: string): Promise<Answer> {
  return await ask(url, { headers: { Cookie: cookie } });
}

/** A client of a listener, logged in. */
export async function connectAs(name: string, port: number): Promise<pg.Client> {
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, user: name, password: PASSWORD, ssl: false },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
