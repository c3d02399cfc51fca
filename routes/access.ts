// Who may do what: callers are identified, and asked for the scope that the table has.
import assert from 'node:assert/strict';
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { Accounts } from '../src/accounts.ts';
import { TOKEN_SCOPES } from '../src/api-tokens.ts';
import type { ServiceError } from '../src/errors.ts';
import { createIdentify } from './identify.ts';
import type { CallersConfig } from './identify.ts';
import { contextOf, stopRequest } from './request-context.ts';
import type { RequestContext, Scope } from './request-context.ts';
import { onceOver } from './request-end.ts';
import { RequestError } from './request-error.ts';
import { GUARDED_PATHS, ROUTE_SCOPES, scopeOfRequest } from './route-scopes.ts';
import type { PathScopes, RouteScope } from './route-scopes.ts';
import type { WebSessionReader } from './web-sessions.ts';

export interface AccessConfig extends CallersConfig {
  readonly isMetricsOpen: boolean;
}

/** The middlewares that decide on a request by who asks; none of them looks at its body. */
export interface Access {
  /**
   * Writes caller and scope to the context of the request, and refuses nobody: a probe needs no
   * token, and a refusal has to be counted first. To be mounted before the others, and before the
   * rate limit.
   */
  readonly identify: RequestHandler;
  /**
   * Refuses whoever is not known or has less than the table of routes asks for. To be mounted at
   * the root, before every route.
   */
  readonly guard: RequestHandler;
  /** Refuses whoever is not known or has less than this scope. */
  requireScope(scope: Scope): RequestHandler;
}

/**
 * Decides by bearer tokens, and by accounts where there are some; without either by what shows a
 * caller to be local.
 */
export function createAccess(
  config: AccessConfig,
  accounts?: Accounts,
  webSessions?: WebSessionReader,
): Access {
  const identify = createIdentify(config, { accounts, webSessions });
  const refusals = new WeakMap<Request, RequestError | ServiceError | undefined>();
  // Matched once for each request: what is not in it is no path of the table.
  const needs = new WeakMap<Request, Exclude<RouteScope, 'metrics'>>();
  const match = createRouteMiddleware((scopes) => (request, _response, next) => {
    assert(!needs.has(request), 'One row of the table speaks of a path');
    const needed = scopeOfRequest(scopes, request.method);
    needs.set(request, needed === 'metrics' ? (config.isMetricsOpen ? 'open' : 'read') : needed);
    next();
  });
  const requireScope = (scope: Scope): RequestHandler => {
    return (request, response, next) => {
      // A route that is mounted before identify would be open.
      assert(refusals.has(request), 'Callers are identified before their scope is asked for');
      const refusal = refusals.get(request) ?? refuseScope(contextOf(request), scope);
      if (refusal === undefined) {
        enter(request, response, accounts);
      }
      next(refusal);
    };
  };
  const identifyAll = Router().use(match, async (request, response, next) => {
    const isOpen = needs.get(request) === 'open';
    refusals.set(request, await identify(request, response, { isOpen }));
    next();
  });
  const pass: RequestHandler = (_request, _response, next) => {
    next();
  };
  const guards = {
    open: pass,
    any: requireScope('read'),
    read: requireScope('read'),
    write: requireScope('write'),
    admin: requireScope('admin'),
  };
  const guardRoutes: RequestHandler = (request, response, next) => {
    assert(refusals.has(request), 'Callers are identified before they are guarded against');
    void guards[needs.get(request) ?? 'open'](request, response, next);
  };
  const guardOthers: RequestHandler = (request, response, next) => {
    void (needs.has(request) ? pass : guards.any)(request, response, next);
  };
  return {
    identify: identifyAll,
    requireScope,
    guard: Router().use(guardRoutes).use(GUARDED_PATHS, guardOthers),
  };
}

/** One middleware for each path of the table, matched by Express exactly as the routes are. */
function createRouteMiddleware(create: (scopes: PathScopes) => RequestHandler): RequestHandler {
  const router = Router();
  for (const [path, scopes] of Object.entries<PathScopes>(ROUTE_SCOPES)) {
    router.all(path, create(scopes));
  }
  // Not the router itself: whoever looks for the routes of an app finds those that answer.
  return (request, response, next) => {
    router(request, response, next);
  };
}

const entered = new WeakSet<Request>();

/**
 * Counts the request for its account, and stops it when the account is changed.
 *
 * @throws ServiceError 53300 at the account's own limit
 */
function enter(request: Request, response: Response, accounts: Accounts | undefined): void {
  const { account } = contextOf(request);
  // Several guards may stand before one route.
  if (account === undefined || accounts === undefined || entered.has(request)) {
    return;
  }
  const presence = accounts.enter(account, (reason) => {
    stopRequest(request, reason);
  });
  entered.add(request);
  onceOver(request, response, () => {
    presence.leave();
  });
}

function refuseScope({ scope, account }: RequestContext, needed: Scope): RequestError | undefined {
  if (TOKEN_SCOPES.indexOf(scope) >= TOKEN_SCOPES.indexOf(needed)) {
    return undefined;
  }
  const headers = {
    'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${needed}"`,
  };
  if (account !== undefined) {
    return new RequestError(403, `This needs scope ${needed}, and you have ${scope}`, {
      hint: 'An administrator can give an account more: PATCH /api/accounts/{name}',
      headers,
    });
  }
  return new RequestError(403, `This needs a token of scope ${needed}, and this one has ${scope}`, {
    hint: `gatepost token NAME --scope ${needed} makes one`,
    headers,
  });
}
