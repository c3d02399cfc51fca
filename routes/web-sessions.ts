// Sessions of accounts over HTTP, told by a cookie: begun by a login, found, listed, ended.
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Account } from '../src/account.ts';
import type { Accounts } from '../src/accounts.ts';
import type { SessionsConfig } from '../src/config-accounts.ts';
import type { StoreClient } from '../src/store/store-client.ts';
import { contextOf } from './request-context.ts';
import { attributesOf, cookieOf, hasCookie } from './web-session-cookie.ts';
import type { CookieKind } from './web-session-cookie.ts';
import { createLoadSession, regenerate } from './web-session-middleware.ts';
import type { LoadSession } from './web-session-middleware.ts';
import { WebSessionStore } from './web-session-store.ts';
import type { SessionLogin, StoredSession } from './web-session-store.ts';

/** What a cookie stands for. */
export interface FoundSession {
  /** What it is called where it is shown. */
  readonly id: string;
  readonly account: Account;
}

/** What tells callers apart asks this. */
export type WebSessionReader = Pick<WebSessions, 'find'>;

/** A session as its owner sees it. */
export interface ShownSession {
  readonly id: string;
  readonly address: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  /** Unless it is used until then. */
  readonly expiresAt: Date;
}

export interface WebSessionsOptions {
  readonly accounts: Pick<Accounts, 'find'>;
  readonly store: Pick<StoreClient, 'open'>;
  readonly config: Pick<SessionsConfig, 'idleTimeoutMs' | 'maxAgeMs' | 'isTlsRequired'>;
  /** The first signs cookies, all are accepted. */
  readonly secrets: () => Promise<readonly string[]>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Sessions of one account that are shown; nobody reads more. */
const LISTED_MAX = 1000;

/** What is stored may have been written by another version. */
const loginSchema = z.object({
  id: z.string(),
  accountId: z.string(),
  secretRevision: z.number(),
  startedAtMs: z.number(),
  address: z.string(),
});

/**
 * Nothing is asked of MongoDB until a request has a cookie, or somebody logs in. Every method that
 * waits throws ServiceError 08006 while MongoDB is away.
 */
export class WebSessions {
  readonly #options: WebSessionsOptions;
  readonly #store: WebSessionStore;
  readonly #secrets: () => Promise<readonly string[]>;
  readonly #load: LoadSession;

  constructor(options: WebSessionsOptions) {
    this.#options = options;
    this.#store = new WebSessionStore(options.store, options.config.idleTimeoutMs);
    this.#secrets = remembered(options.secrets);
    this.#load = createLoadSession(this.#store, this.#secrets);
  }

  /** Whether a cookie of this request would be for TLS only, and would not reach the client. */
  isTlsMissing({ secure }: Request): boolean {
    return this.#options.config.isTlsRequired && !secure;
  }

  async assertReady(): Promise<void> {
    await this.#secrets();
    await this.#store.assertReady();
  }

  /**
   * The session of a request's cookie, where it is one that holds now.
   *
   * @throws ServiceError 08006 also while accounts cannot be read
   */
  async find(request: Request, response: Response): Promise<FoundSession | undefined> {
    const kind = this.#kindOf(request);
    if (!hasCookie(request, kind)) {
      return undefined;
    }
    await this.#load(request, response, kind);
    const { data: login } = loginSchema.safeParse(request.session.login);
    if (login === undefined) {
      return undefined;
    }
    const account = await this.#findAccount(login);
    const { session, sessionID } = request;
    // Neither is waited for: the answer does not depend on it.
    const noted =
      account === undefined ? this.#store.remove(sessionID) : this.#store.touch(sessionID, session);
    noted.catch(() => undefined);
    return account && { id: login.id, account };
  }

  /** Begins a session under a new id, in the place of one that the request has come with. */
  async start(request: Request, response: Response, account: Account): Promise<string> {
    await this.#load(request, response, this.#kindOf(request));
    await regenerate(request);
    const { address } = contextOf(request);
    const { id: accountId, secretRevision } = account;
    const id = randomUUID();
    request.session.login = { id, accountId, secretRevision, startedAtMs: this.#now(), address };
    await this.#store.write(request.sessionID, request.session);
    return id;
  }

  /** Ends the one that the request has come with, and has its cookie forgotten. */
  async end(request: Request, response: Response): Promise<void> {
    await this.#store.remove(request.sessionID);
    const kind = this.#kindOf(request);
    response.clearCookie(kind.name, attributesOf(kind));
  }

  /** The one that was used last first. */
  async list({ id, secretRevision }: Account): Promise<readonly ShownSession[]> {
    const { maxAgeMs } = this.#options.config;
    const nowMs = this.#now();
    const found = await this.#store.ask(
      async (sessions) =>
        await sessions
          .find({
            'session.login.accountId': id,
            'session.login.secretRevision': secretRevision,
            'session.login.startedAtMs': { $gt: nowMs - maxAgeMs },
            expires: { $gt: new Date(nowMs) },
          })
          .sort({ lastModified: -1 })
          .limit(LISTED_MAX)
          .toArray(),
    );
    return found.map((one) => showSession(one, maxAgeMs));
  }

  /** False where the account has no such session. */
  async remove(accountId: string, id: string): Promise<boolean> {
    const which = { 'session.login.accountId': accountId, 'session.login.id': id };
    const { deletedCount } = await this.#store.ask(
      async (sessions) => await sessions.deleteOne(which),
    );
    return deletedCount > 0;
  }

  /** Ends all of an account. */
  async removeAll(accountId: string): Promise<void> {
    const which = { 'session.login.accountId': accountId };
    await this.#store.ask(async (sessions) => await sessions.deleteMany(which));
  }

  async #findAccount(login: SessionLogin): Promise<Account | undefined> {
    if (login.startedAtMs + this.#options.config.maxAgeMs <= this.#now()) {
      return undefined;
    }
    const account = await this.#options.accounts.find(login.accountId);
    // What is known of the account may be older than a login with its new secret.
    const isCurrent = account !== undefined && login.secretRevision >= account.secretRevision;
    return isCurrent && !account.isDisabled ? account : undefined;
  }

  #kindOf(request: Request): CookieKind {
    return cookieOf(request, this.#options.config.isTlsRequired);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** Asks again only where it has failed. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return async () => {
    known ??= ask();
    try {
      return await known;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}

function showSession(
  { expires, lastModified, session: { login } }: StoredSession,
  maxAgeMs: number,
): ShownSession {
  const startedAt = new Date(login.startedAtMs);
  const endsAtMs = Math.min(expires.getTime(), login.startedAtMs + maxAgeMs);
  return {
    id: login.id,
    address: login.address,
    startedAt,
    lastSeenAt: lastModified ?? startedAt,
    expiresAt: new Date(endsAtMs),
  };
}
