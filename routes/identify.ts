// Who asks: a token of the configuration, a token of an account, a session, or somebody local.
import type { Request, Response } from 'express';
import { lesserScope } from '../src/account.ts';
import type { Account } from '../src/account.ts';
import type { Accounts } from '../src/accounts.ts';
import { ANONYMOUS, findToken, isApiToken } from '../src/api-tokens.ts';
import type { ApiConfig } from '../src/config-api.ts';
import { isLoopback } from '../src/config-listeners.ts';
import { ServiceError } from '../src/errors.ts';
import { identifyKey } from './identify-key.ts';
import { contextOf } from './request-context.ts';
import type { Scope } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { isForeignWrite, isSameHost } from './same-origin.ts';
import type { WebSessionReader } from './web-sessions.ts';

export interface CallersConfig extends Pick<
  ApiConfig,
  'tokens' | 'corsOrigins' | 'isLoopbackOnly'
> {
  /**
   * What may stand in the header `api-key`, as clients of Apache Iggy's own runtime send it; its
   * bearer may do everything. Tokens are taken beside it.
   */
  readonly apiKey?: string | undefined;
}

export interface CallersSources {
  /** Undefined where there are none. */
  readonly accounts?: Accounts | undefined;
  /** Undefined where nobody can log in. */
  readonly webSessions?: WebSessionReader | undefined;
}

/** Why a request has to be refused where a caller is needed; undefined where it need not. */
export type Refusal = RequestError | ServiceError | undefined;

/**
 * Writes to the context who asks.
 *
 * @param isOpen whether nothing depends on it: then no database of accounts is asked
 */
export type Identify = (
  request: Request,
  response: Response,
  options: { readonly isOpen: boolean },
) => Promise<Refusal>;

/** In this order: what is in the header Authorization, else a cookie, else nobody. */
export function createIdentify(config: CallersConfig, sources: CallersSources): Identify {
  const isInUse = createIsInUse(config, sources);
  const identifyOthers: Identify = async (request, response, { isOpen }) => {
    if (identifyConfigured(request, config) || isOpen) {
      return undefined;
    }
    return (await isInUse())
      ? await identifyAccount(request, response, sources)
      : identifyLocal(request, config);
  };
  return async (request, response, options) => {
    const context = contextOf(request);
    context.caller = ANONYMOUS;
    context.scope = 'read';
    if (isTokenInUrl(request)) {
      return tokenInUrlError();
    }
    if (config.apiKey !== undefined) {
      return identifyByKey(request, { ...config, apiKey: config.apiKey });
    }
    try {
      return await identifyOthers(request, response, options);
    } catch (error) {
      // A door that cannot tell who comes says so, where somebody has to come through it.
      if (error instanceof ServiceError) {
        return error;
      }
      throw error;
    }
  };
}

/** Whoever sends a key means it, right or wrong; a token is taken where there is none. */
function identifyByKey(
  request: Request,
  { apiKey, ...config }: CallersConfig & { readonly apiKey: string },
): Refusal {
  const isKnown =
    identifyKey(request, apiKey) ||
    (request.headers['api-key'] === undefined && identifyConfigured(request, config));
  return isKnown ? undefined : unknownKeyError();
}

/** Whether anybody has to say who he is; once so, it stays so. */
function createIsInUse(
  { tokens }: CallersConfig,
  { accounts }: CallersSources,
): () => Promise<boolean> {
  let isInUse = tokens.length > 0;
  return async () => {
    isInUse ||= (await accounts?.hasAny()) ?? false;
    return isInUse;
  };
}

function presentedToken({ headers: { authorization = '' } }: Request): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

function identifyConfigured(request: Request, { tokens }: CallersConfig): boolean {
  const presented = presentedToken(request);
  const token = presented === undefined ? undefined : findToken(tokens, presented);
  if (token === undefined) {
    return false;
  }
  const context = contextOf(request);
  context.caller = token.name;
  context.scope = token.scope;
  context.owner = `token:${token.name}`;
  return true;
}

async function identifyAccount(
  request: Request,
  response: Response,
  { accounts, webSessions }: CallersSources,
): Promise<Refusal> {
  const presented = presentedToken(request);
  if (accounts !== undefined && presented !== undefined && isApiToken(presented)) {
    const token = await accounts.findToken(presented);
    if (token === undefined) {
      return unknownCallerError(true);
    }
    contextOf(request).token = token;
    acceptAccount(request, token.account, token.scope);
    return undefined;
  }
  const isByCookie = request.headers.authorization === undefined;
  const session = isByCookie ? await webSessions?.find(request, response) : undefined;
  if (session === undefined) {
    return unknownCallerError(accounts !== undefined);
  }
  if (isForeign(request)) {
    return new RequestError(403, 'A write by cookie has to come from a page of this origin', {
      hint: 'Other programs send a token: Authorization: Bearer ...',
    });
  }
  contextOf(request).webSessionId = session.id;
  acceptAccount(request, session.account);
  return undefined;
}

/** Lets an account ask, with the scope of its token where it came with one. */
export function acceptAccount(
  request: Request,
  account: Account,
  scope: Scope = account.scope,
): void {
  const context = contextOf(request);
  context.caller = account.name;
  context.scope = lesserScope(scope, account.scope);
  context.account = account;
  context.owner = `account:${account.id}`;
}

/** Also of a login, which makes a cookie. */
export function isForeign(request: Request): boolean {
  return isForeignWrite({
    method: request.method,
    host: request.host,
    isSecure: request.secure,
    origin: request.headers.origin,
    fetchSite: request.get('Sec-Fetch-Site'),
  });
}

/** The same words for none, a wrong one and a disabled account: whoever guesses learns nothing. */
function unknownCallerError(hasAccounts: boolean): RequestError {
  return new RequestError(401, 'This needs a token that is accepted here', {
    hint: hasAccounts
      ? 'Send it as "Authorization: Bearer ...", or log in with POST /auth/login; gatepost ' +
        'account token NAME makes one'
      : 'Send it as "Authorization: Bearer ..."; gatepost token NAME makes one, and the setting ' +
        'API_TOKENS accepts it',
    headers: { 'WWW-Authenticate': 'Bearer realm="gatepost"' },
  });
}

function unknownKeyError(): RequestError {
  return new RequestError(401, 'This needs the key that is accepted here', {
    hint: 'Send it in the header api-key; it is api_key in [http] of the config.toml',
    headers: { 'WWW-Authenticate': 'ApiKey realm="gatepost"' },
  });
}

/** A parameter that RFC 6750 has for tokens, or a token of ours in any; a filter is neither. */
function isTokenInUrl({ originalUrl }: Request): boolean {
  const start = originalUrl.indexOf('?');
  const parameters = new URLSearchParams(start === -1 ? '' : originalUrl.slice(start));
  const isFilter = /^[a-z]+\./;
  return [...parameters].some(
    ([name, value]) => isApiToken(value) || (name === 'access_token' && !isFilter.test(value)),
  );
}

function tokenInUrlError(): RequestError {
  return new RequestError(400, 'A token in the URL is not taken: URLs are logged on their way', {
    hint: 'Make a new one, for this one is known by now, and send it in the header Authorization',
  });
}

/**
 * Without tokens and accounts the port is loopback's, and yet a web page can make a browser of
 * this machine ask it: under a name of its own that it points to 127.0.0.1, or across origins.
 */
function identifyLocal(request: Request, { corsOrigins, isLoopbackOnly }: CallersConfig): Refusal {
  if (!isLoopbackOnly) {
    // Nobody is let in from elsewhere before there is somebody to let in.
    return unknownCallerError(true);
  }
  const { host = '', origin } = request.headers;
  if (!isLoopback(hostNameOf(host))) {
    return new RequestError(
      403,
      'Without tokens only requests to a loopback address are answered',
      {
        hint: 'Ask for http://127.0.0.1 or http://localhost, or set API_TOKENS',
      },
    );
  }
  if (origin !== undefined && !corsOrigins.includes(origin) && !isSameHost(origin, host)) {
    return new RequestError(403, 'Without tokens no web page of another origin is answered', {
      hint: 'Add the origin to the setting API_CORS_ORIGINS, or set API_TOKENS',
    });
  }
  contextOf(request).scope = 'admin';
  return undefined;
}

/** The host without its port and brackets. */
function hostNameOf(host: string): string {
  const [, name = '', address = ''] = /^(?:([^:[\]]+)|\[([^[\]]+)\])(?::\d+)?$/.exec(host) ?? [];
  return `${name}${address}`;
}
