// Who asks, and what they may do.
import assert from 'node:assert/strict';
import { createHash, timingSafeEqual } from 'node:crypto';
import { ANONYMOUS, findToken, isApiToken, TOKEN_SCOPES } from '../src/api-tokens.ts';
import { isLoopback } from '../src/config-listeners.ts';
import { contextOf } from './request-context.ts';
import { RequestError } from './request-error.ts';
import type { Request, RequestHandler } from 'express';
import type { ApiConfig } from '../src/config-api.ts';
import type { Scope } from './request-context.ts';

export interface AccessConfig extends Pick<ApiConfig, 'tokens' | 'corsOrigins' | 'isMetricsOpen'> {
  /**
   * What may stand in the header `api-key`, as clients of Apache Iggy's own runtime send it; its
   * bearer may do everything. Tokens are taken beside it.
   */
  readonly apiKey?: string | undefined;
}

/** Who the log names where the key was presented. */
const KEY_BEARER = 'api-key';

/** The middlewares that decide on a request by who asks; none of them looks at its body. */
export interface Access {
  /**
   * Writes caller and scope to the context of the request, and refuses nobody: a probe needs no
   * token, and a refusal has to be counted first. To be mounted before the others, and before the
   * rate limit.
   */
  readonly identify: RequestHandler;
  /** Refuses whoever is not known or has less than this scope. */
  requireScope(scope: Scope): RequestHandler;
  /** The same by method: what reads needs read, everything else write. */
  readonly requireScopeOfMethod: RequestHandler;
  /** For /metrics, which is open or needs read. */
  readonly admitToMetrics: RequestHandler;
}

/** Decides by bearer tokens; where none is configured, by what shows a caller to be local. */
export function createAccess(config: AccessConfig): Access {
  const refusals = new WeakMap<Request, RequestError | undefined>();
  const requireScope = (scope: Scope): RequestHandler => {
    return (request, _response, next) => {
      // A route that is mounted before identify would be open.
      assert(refusals.has(request), 'Callers are identified before their scope is asked for');
      next(refusals.get(request) ?? refuseScope(contextOf(request).scope, scope));
    };
  };
  const [requireRead, requireWrite] = [requireScope('read'), requireScope('write')];
  return {
    identify: (request, _response, next) => {
      refusals.set(request, identify(request, config));
      next();
    },
    requireScope,
    requireScopeOfMethod: (request, response, next) => {
      const isReading = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
      void (isReading ? requireRead : requireWrite)(request, response, next);
    },
    admitToMetrics: config.isMetricsOpen
      ? (_request, _response, next) => {
          next();
        }
      : requireRead,
  };
}

/** @returns why the request has to be refused where a caller is needed */
function identify(request: Request, config: AccessConfig): RequestError | undefined {
  const context = contextOf(request);
  context.caller = ANONYMOUS;
  context.scope = 'read';
  if (isTokenInUrl(request)) {
    return new RequestError(400, 'A token in the URL is not taken: URLs are logged on their way', {
      hint: 'Make a new one, for this one is known by now, and send it in the header Authorization',
    });
  }
  if (config.apiKey !== undefined) {
    return identifyKey(request, { ...config, apiKey: config.apiKey });
  }
  return config.tokens.length === 0
    ? identifyLocal(request, config)
    : identifyBearer(request, config);
}

function identifyKey(
  request: Request,
  { apiKey, ...config }: AccessConfig & { readonly apiKey: string },
): RequestError | undefined {
  const { 'api-key': presented, authorization } = request.headers;
  if (typeof presented === 'string' && isSameKey(presented, apiKey)) {
    const context = contextOf(request);
    context.caller = KEY_BEARER;
    context.scope = 'admin';
    return undefined;
  }
  if (presented === undefined && authorization !== undefined) {
    return identifyBearer(request, config);
  }
  return new RequestError(401, 'This needs the key that is accepted here', {
    hint: 'Send it in the header api-key; it is api_key in [http] of the config.toml',
    headers: { 'WWW-Authenticate': 'ApiKey realm="gatepost"' },
  });
}

/** Hashes have one length and are compared in constant time: nothing says what is nearly right. */
function isSameKey(presented: string, apiKey: string): boolean {
  // Node reads a byte of a header as one character.
  const sent = createHash('sha256').update(presented, 'latin1').digest();
  return timingSafeEqual(sent, createHash('sha256').update(apiKey, 'utf8').digest());
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

function identifyBearer(request: Request, { tokens }: AccessConfig): RequestError | undefined {
  const [, presented] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  const token = presented === undefined ? undefined : findToken(tokens, presented);
  if (token === undefined) {
    // The same words for none and a wrong one: whoever guesses learns nothing.
    return new RequestError(401, 'This needs a token that is accepted here', {
      hint:
        'Send it as "Authorization: Bearer ..."; gatepost token NAME makes one, and the setting ' +
        'API_TOKENS accepts it',
      headers: { 'WWW-Authenticate': 'Bearer realm="gatepost"' },
    });
  }
  const context = contextOf(request);
  context.caller = token.name;
  context.scope = token.scope;
  return undefined;
}

/**
 * Without tokens the port is loopback's, and yet a web page can make a browser of this machine ask
 * it: under a name of its own that it points to 127.0.0.1, or across origins.
 */
function identifyLocal(request: Request, { corsOrigins }: AccessConfig): RequestError | undefined {
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

function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

function refuseScope(scope: Scope, needed: Scope): RequestError | undefined {
  if (TOKEN_SCOPES.indexOf(scope) >= TOKEN_SCOPES.indexOf(needed)) {
    return undefined;
  }
  return new RequestError(403, `This needs a token of scope ${needed}, and this one has ${scope}`, {
    hint: `gatepost token NAME --scope ${needed} makes one`,
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${needed}"` },
  });
}
