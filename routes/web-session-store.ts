// Sessions over HTTP in Gatepost's own database of MongoDB, by connect-mongo, in bounded time.
import { createHash } from 'node:crypto';
import { MongoStore } from 'connect-mongo';
import type { SessionData } from 'express-session';
import { MongoError } from 'mongodb';
import type { Collection, Db, MongoClient } from 'mongodb';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import type { StoreClient } from '../src/store/store-client.ts';
import { STORE_DATABASE } from '../src/store/store-client.ts';
import { untilAborted } from '../src/until-aborted.ts';

/** How long a request waits for its session; then it is answered with 503. */
export const SESSION_STORE_TIMEOUT_MS = 3000;

const COLLECTION = 'sessions';

/** A session that is used is written down as used once in such a part of its idle time. */
const TOUCHES_PER_IDLE_TIME = 10;

/** And at most once a minute. */
const TOUCH_AFTER_MAX_MS = 60_000;

/** Who has logged in, and how. */
export interface SessionLogin {
  /** What the session is called where it is shown; not what the cookie holds. */
  readonly id: string;
  readonly accountId: string;
  readonly secretRevision: number;
  readonly startedAtMs: number;
  readonly address: string;
}

declare module 'express-session' {
  interface SessionData {
    login?: SessionLogin;
    /** Added by the store. */
    lastModified?: Date;
  }
}

/** A session as it is stored. */
export interface StoredSession {
  readonly _id: string;
  readonly expires: Date;
  readonly lastModified?: Date;
  readonly session: { readonly login: SessionLogin };
}

interface Built {
  readonly client: MongoClient;
  readonly ready: Promise<MongoStore>;
}

/** Shared by all cookies and requests of this process. */
export class WebSessionStore {
  readonly #store: Pick<StoreClient, 'open'>;
  readonly #idleTimeoutMs: number;
  #built: Built | undefined;

  constructor(store: Pick<StoreClient, 'open'>, idleTimeoutMs: number) {
    this.#store = store;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** @throws ServiceError 08006 while sessions cannot be kept */
  async assertReady(): Promise<void> {
    await this.#within(async () => await Promise.resolve());
  }

  async read(id: string): Promise<SessionData | undefined> {
    return await this.#within(
      async ({ store }) =>
        (await settled<SessionData | null | undefined>((done) => {
          store.get(id, done);
        })) ?? undefined,
    );
  }

  async write(id: string, data: SessionData): Promise<void> {
    await this.#within(
      async ({ store }) =>
        await settled((done) => {
          store.set(id, data, done);
        }),
    );
  }

  async remove(id: string): Promise<void> {
    await this.#within(
      async ({ store }) =>
        await settled((done) => {
          store.destroy(id, done);
        }),
    );
  }

  /** Notes that the session was used, where that was not noted a moment ago. */
  async touch(id: string, data: SessionData): Promise<void> {
    await this.#within(
      async ({ store }) =>
        await settled((done) => {
          store.touch(id, data, done);
        }),
    );
  }

  /** Asks the collection itself. */
  async ask<T>(question: (sessions: Collection<StoredSession>) => Promise<T>): Promise<T> {
    return await this.#within(
      async ({ db }) => await question(db.collection<StoredSession>(COLLECTION)),
    );
  }

  async #within<T>(
    ask: (parts: { readonly db: Db; readonly store: MongoStore }) => Promise<T>,
  ): Promise<T> {
    const signal = AbortSignal.timeout(SESSION_STORE_TIMEOUT_MS);
    const run = async (): Promise<T> => {
      const db = await this.#store.open(signal);
      return await ask({ db, store: await this.#open(db) });
    };
    try {
      return await untilAborted(run(), signal);
    } catch (error) {
      const isAway = error instanceof ServiceError || error instanceof MongoError;
      throw isAway || signal.aborted ? unavailableError(error) : error;
    }
  }

  /** connect-mongo is built of a client that is there, and anew where it could make no index. */
  async #open(db: Db): Promise<MongoStore> {
    if (this.#built?.client !== db.client) {
      const built = { client: db.client, ready: buildStore(db, this.#idleTimeoutMs) };
      this.#built = built;
      built.ready.catch(() => {
        if (this.#built === built) {
          this.#built = undefined;
        }
      });
    }
    return await this.#built.ready;
  }
}

async function buildStore(db: Db, idleTimeoutMs: number): Promise<MongoStore> {
  const touchAfterMs = Math.min(TOUCH_AFTER_MAX_MS, idleTimeoutMs / TOUCHES_PER_IDLE_TIME);
  const store = MongoStore.create({
    client: db.client,
    dbName: STORE_DATABASE,
    collectionName: COLLECTION,
    ttl: idleTimeoutMs / 1000,
    touchAfter: touchAfterMs / 1000,
    // As a document, so that the sessions of one account can be found.
    stringify: false,
    // Whoever reads the collection has no session by it.
    transformId: (id) => createHash('sha256').update(id).digest('hex'),
  });
  await store.collectionP;
  const sessions = db.collection<StoredSession>(COLLECTION);
  await sessions.createIndex({ 'session.login.accountId': 1 }, undefined, undefined);
  return store;
}

/** What a function with a callback comes to. */
async function settled<T = unknown>(
  start: (done: (error: unknown, result?: T) => void) => void,
): Promise<T | undefined> {
  return await new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null || error === undefined) {
        resolve(result);
      } else {
        reject(error instanceof Error ? error : new Error('The store of sessions has failed'));
      }
    });
  });
}

function unavailableError(cause: unknown): ServiceError {
  return new ServiceError(
    SQLSTATE.connectionFailure,
    'Sessions cannot be read or kept now: MongoDB does not answer',
    { hint: 'Try again, or send a token: Authorization: Bearer ...', cause },
  );
}
