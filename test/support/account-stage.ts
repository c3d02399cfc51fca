// The REST API with accounts in a real PostgreSQL and sessions in a real MongoDB, several replicas
// of it on the same stores.
import { randomBytes } from 'node:crypto';
import type { ApiSessions } from '../../routes/api.ts';
import { createAccountStore } from '../../src/accounts/account-store.ts';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import type { NewAccount } from '../../src/accounts.ts';
import { StoreClient } from '../../src/store/store-client.ts';
import { ADMIN, startApi } from './api-stage.ts';
import type { ApiStage, ApiStageOptions, ApiStageParts } from './api-stage.ts';
import { createTestDatabase } from './databases.ts';
import type { TestDatabase } from './databases.ts';
import { ask } from './http-client.ts';
import type { Answer, Question } from './http-client.ts';
import { createTestMongodbDatabase } from './mongodb.ts';
import type { TestMongodbDatabase } from './mongodb.ts';
import { createRecorder } from './observations.ts';

type Recorder = ReturnType<typeof createRecorder>;

/** The fewest rounds that are allowed: these tests log in often. */
const SCRAM_ITERATIONS = 4096;

const STOP_TIMEOUT_MS = 5000;

/** Good enough for every account of a test. */
export const PASSWORD = 'correct horse battery staple';

export interface AccountHome {
  readonly postgres: TestDatabase;
  readonly accounts: TestDatabase;
  readonly mongodb: TestMongodbDatabase;
  /** Makes an account past HTTP; gives its id. The name gets a tail that no other test has. */
  create(account: Partial<NewAccount> & Pick<NewAccount, 'name'>): Promise<MadeAccount>;
  /** Starts a replica. */
  start(options?: ReplicaOptions): Promise<Replica>;
  remove(): Promise<void>;
}

export interface MadeAccount {
  readonly id: string;
  readonly name: string;
}

export interface ReplicaOptions {
  readonly stage?: ApiStageOptions;
  readonly sessions?: Partial<ApiSessions>;
  readonly config?: ApiStageParts['config'];
  readonly parts?: Omit<ApiStageParts, 'config'>;
  /** Connection string of the MongoDB that keeps sessions. */
  readonly storeUri?: string;
}

export interface Replica extends ApiStage {
  readonly recorder: Recorder;
  readonly accountStore: AccountStore;
  ask(path: string, question?: Question): Promise<Answer>;
  /** Logs in with PASSWORD; the cookie as a browser sends it back. */
  logIn(name: string): Promise<string>;
}

/** Accounts are in a database of their own; what is queried is another one. */
export async function createAccountHome(): Promise<AccountHome> {
  const [postgres, accounts, mongodb] = await Promise.all([
    createTestDatabase(),
    createTestDatabase(),
    createTestMongodbDatabase(),
  ]);
  const openAccounts = async (observer: Recorder): Promise<AccountStore> => {
    const store = createAccountStore({
      databaseUrl: () => accounts.url,
      ownsDatabase: false,
      scramIterations: SCRAM_ITERATIONS,
      observer,
    });
    await store.start(AbortSignal.timeout(STOP_TIMEOUT_MS));
    return store;
  };
  const own = await openAccounts(createRecorder());
  const replicas: Replica[] = [];
  return {
    ...{ postgres, accounts, mongodb },
    create: async ({ name, ...account }) => {
      const unique = `${name}-${randomBytes(4).toString('hex')}`;
      const made = await own.administration('a test').create({
        secret: { password: PASSWORD },
        scope: 'write',
        ...account,
        name: unique,
      });
      return { id: made.id, name: made.name };
    },
    start: async ({ stage, sessions, config, parts, storeUri } = {}) => {
      const recorder = createRecorder();
      const accountStore = await openAccounts(recorder);
      const store = new StoreClient(() => storeUri ?? mongodb.uri);
      const api = await startApi(
        stage ?? { dsn: postgres.url, mongodbUri: mongodb.uri },
        undefined,
        {
          recorder,
          accounts: accountStore.accounts,
          administration: (actor) => accountStore.administration(actor),
          store,
          sessions: {
            idleTimeoutMs: 60_000,
            maxAgeMs: 600_000,
            isTlsRequired: false,
            secrets: async () => await accountStore.sessionSecrets(),
            ...sessions,
          },
          ...parts,
          ...(config === undefined ? {} : { config }),
        },
      );
      const replica: Replica = {
        ...api,
        recorder,
        accountStore,
        ask: async (path, question) => await ask(`${api.url}${path}`, question),
        logIn: async (name) => await logIn(api.url, name),
        stop: async () => {
          await api.stop();
          await accountStore.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
          await store.close();
        },
      };
      replicas.push(replica);
      return replica;
    },
    remove: async () => {
      await Promise.all(replicas.map(async (replica) => await replica.stop()));
      await own.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
      await Promise.all([postgres.drop(), accounts.drop(), mongodb.drop()]);
    },
  };
}

async function logIn(url: string, name: string): Promise<string> {
  const answer = await ask(`${url}/auth/login`, { body: { name, password: PASSWORD } });
  if (answer.status !== 200) {
    throw new Error(`No login for ${name}: ${answer.status} ${answer.text}`);
  }
  return cookieIn(answer);
}

/** The cookie that an answer sets, as a browser sends it back. */
export function cookieIn({ headers }: Answer): string {
  return (headers['set-cookie']?.[0] ?? '').split(';', 1).join('');
}

/** A request with this cookie. */
export function withCookie(cookie: string, question: Question = {}): Question {
  return { ...question, headers: { ...question.headers, Cookie: cookie } };
}

/** A token of an account, made by an administrator over HTTP. */
export async function createTokenOf(
  replica: Replica,
  name: string,
  token: object,
): Promise<{ readonly token: string; readonly id: string }> {
  const answer = await replica.ask(`/api/accounts/${name}/tokens`, { token: ADMIN, body: token });
  const made: unknown = JSON.parse(answer.text);
  if (typeof made === 'object' && made !== null && 'token' in made && 'id' in made) {
    return { token: String(made.token), id: String(made.id) };
  }
  throw new Error(`No token for ${name}: ${answer.status} ${answer.text}`);
}
