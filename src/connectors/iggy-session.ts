// The token that a server takes: asked for once, exchanged before it expires, replaced when it is
// refused. However many requests wait for it, one login is under way.
import { once } from 'node:events';
import { IggyError, refusalError } from './iggy-error.ts';
import type { IggyErrorKind } from './iggy-error.ts';
import type { HttpReply, HttpRequest } from './iggy-http.ts';
import { fieldOf, parseIggyJson, toInteger } from './iggy-json.ts';
import { redactSecrets } from './redact.ts';

/** How long before its end a token is exchanged, or half its life where that is shorter. */
const REFRESH_MARGIN_MS = 60_000;

/**
 * A wrong personal access token is a 404 to 0.8. What was to be done with the token would take it
 * for the answer to its own request.
 */
const NOT_LET_IN: ReadonlySet<IggyErrorKind> = new Set([
  'unauthenticated',
  'credentials',
  'forbidden',
  'not-found',
]);

export type IggyCredentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A personal access token. It is exchanged for a session's: 0.8 takes no other. */
  | { readonly kind: 'token'; readonly token: string };

interface Token {
  readonly text: string;
  readonly refreshAtMs: number;
}

export interface SessionOptions {
  readonly credentials: IggyCredentials;
  readonly exchange: (request: HttpRequest, signal: AbortSignal) => Promise<HttpReply>;
  /** Wall clock in milliseconds, as the server's expiry is. */
  readonly now?: () => number;
}

/** One server's session: a token is good only where it was made. */
export class IggySession {
  readonly #options: SessionOptions;
  readonly #now: () => number;
  readonly #closed = new AbortController();
  #current: Token | undefined;
  #renewal: Promise<Token> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Never to be shown: what stands in a credential, and the token now used. */
  get secrets(): readonly string[] {
    const { credentials } = this.#options;
    const own = credentials.kind === 'password' ? credentials.password : credentials.token;
    return this.#current === undefined ? [own] : [own, this.#current.text];
  }

  /**
   * A token that is still good for a while.
   *
   * @throws IggyError `credentials` when the login is refused, and what the exchange throws; the
   *   signal's reason
   */
  async token(signal: AbortSignal): Promise<string> {
    if (this.#current !== undefined && this.#now() < this.#current.refreshAtMs) {
      return this.#current.text;
    }
    this.#renewal ??= this.#startRenewal();
    return (await orAbort(this.#renewal, signal)).text;
  }

  /** Another token than this one, which the server has refused. */
  async tokenAfter(refused: string, signal: AbortSignal): Promise<string> {
    // Many requests may learn of it; only the first finds the refused one still there.
    if (this.#current?.text === refused) {
      this.#current = undefined;
    }
    return await this.token(signal);
  }

  /** Ends a login under way. */
  close(): void {
    this.#closed.abort(new IggyError('unreachable', 'The connection to Iggy is closed'));
  }

  #startRenewal(): Promise<Token> {
    const renewal = this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    // Those that wait for it may all have gone.
    renewal.catch(() => undefined);
    return renewal;
  }

  async #renew(): Promise<Token> {
    const old = this.#current;
    this.#current =
      (old === undefined ? undefined : await this.#refresh(old)) ?? (await this.#login());
    return this.#current;
  }

  /** Undefined when the server does not take the old one any more. */
  async #refresh(old: Token): Promise<Token | undefined> {
    const reply = await this.#post('/users/refresh-token', { token: old.text });
    return reply.status === 200 ? this.#readToken(reply) : undefined;
  }

  async #login(): Promise<Token> {
    const { credentials } = this.#options;
    const reply =
      credentials.kind === 'password'
        ? await this.#post('/users/login', {
            username: credentials.username,
            password: credentials.password,
          })
        : await this.#post('/personal-access-tokens/login', { token: credentials.token });
    if (reply.status === 200) {
      return this.#readToken(reply);
    }
    const error = refusalError('log in', {
      ...reply,
      text: redactSecrets(reply.text, this.secrets),
    });
    throw NOT_LET_IN.has(error.kind) ? this.#credentialsError(error) : loginFailure(error);
  }

  #credentialsError({ status, code }: IggyError): IggyError {
    const what =
      this.#options.credentials.kind === 'password'
        ? 'user name and password: check iggy.username and iggy.password'
        : 'personal access token: check iggy.token and when it expires';
    return new IggyError('credentials', `Iggy refused the ${what}`, { status, code });
  }

  async #post(path: string, body: Readonly<Record<string, string>>): Promise<HttpReply> {
    return await this.#options.exchange(
      { method: 'POST', path, body: JSON.stringify(body) },
      this.#closed.signal,
    );
  }

  #readToken({ text }: HttpReply): Token {
    const access = fieldOf(tokenReply(text), 'access_token');
    const token = fieldOf(access, 'token');
    if (typeof token !== 'string' || token === '') {
      throw new IggyError('unexpected-reply', "Iggy's answer to a login has no access token");
    }
    return { text: token, refreshAtMs: this.#refreshAtMs(toInteger(fieldOf(access, 'expiry'))) };
  }

  #refreshAtMs(expiry: bigint | undefined): number {
    const now = this.#now();
    const lifeMs = Number(expiry ?? 0n) * 1000 - now;
    // Where the clocks disagree this much the server alone knows: its 401 brings the next login.
    return lifeMs <= 0 ? Infinity : now + lifeMs - Math.min(REFRESH_MARGIN_MS, lifeMs / 2);
  }
}

function tokenReply(text: string): unknown {
  try {
    return parseIggyJson(text);
  } catch {
    // The parser's own words would show a piece of the text, and so of the token.
    return undefined;
  }
}

/** What the promise resolves with, unless the signal aborts before: the promise goes on. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const aborted = once(signal, 'abort', { signal: settled.signal }).then(() => {
    throw signal.reason;
  });
  // It also ends when it is not needed any more.
  aborted.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    settled.abort();
  }
}

/** Not a word about the request that the login is for, such as a send of messages. */
function loginFailure(error: IggyError): IggyError {
  return error.kind === 'refused' || error.kind === 'too-large'
    ? new IggyError('unavailable', error.message, { status: error.status, code: error.code })
    : error;
}
