// express-session, as far as it is used: it reads, signs and sets the cookie.
import type { Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import type { SessionData } from 'express-session';
import { attributesOf } from './web-session-cookie.ts';
import type { CookieKind } from './web-session-cookie.ts';
import type { WebSessionStore } from './web-session-store.ts';

/**
 * What express-session sees of the store. Its base class is asked for by that library, which makes
 * and loads sessions with it.
 */
class MiddlewareStore extends session.Store {
  readonly #sessions: WebSessionStore;

  constructor(sessions: WebSessionStore) {
    super();
    this.#sessions = sessions;
  }

  get(id: string, callback: (error: unknown, data?: SessionData | null) => void): void {
    this.#sessions.read(id).then(
      (data) => {
        callback(null, data ?? null);
      },
      (error: unknown) => {
        callback(error);
      },
    );
  }

  /**
   * Nothing: what is to be kept is written before the answer begins. At its end, when this is
   * called, nobody could be told any more that it has failed.
   */
  set(_id: string, _data: SessionData, callback?: (error?: unknown) => void): void {
    callback?.();
  }

  destroy(id: string, callback?: (error?: unknown) => void): void {
    this.#sessions.remove(id).then(
      () => {
        callback?.();
      },
      (error: unknown) => {
        callback?.(error);
      },
    );
  }
}

/** Loads the session of a request, or makes one that is not kept yet. */
export type LoadSession = (request: Request, response: Response, kind: CookieKind) => Promise<void>;

/**
 * One middleware for each cookie, for express-session knows a single name, and so does its store.
 *
 * @param secrets the first signs, all are accepted; asked for until they are known
 */
export function createLoadSession(
  store: WebSessionStore,
  secrets: () => Promise<readonly string[]>,
): LoadSession {
  const created = new Map<string, RequestHandler>();
  return async (request, response, kind) => {
    let middleware = created.get(kind.name);
    if (middleware === undefined) {
      middleware = session({
        name: kind.name,
        secret: [...(await secrets())],
        store: new MiddlewareStore(store),
        cookie: attributesOf(kind),
        resave: false,
        saveUninitialized: false,
      });
      created.set(kind.name, middleware);
    }
    await settled((done) => void middleware(request, response, done));
  };
}

/** Gives the session of a request another id; the one that it had is gone. */
export async function regenerate(request: Request): Promise<void> {
  await settled((done) => void request.session.regenerate(done));
}

async function settled(start: (done: (error?: unknown) => void) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    start((error) => {
      if (error === undefined || error === null) {
        resolve();
      } else {
        reject(error instanceof Error ? error : new Error('The middleware of sessions has failed'));
      }
    });
  });
}
