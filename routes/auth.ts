// Logging in and out over HTTP, and whoever is logged in.
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { Account } from '../src/account.ts';
import type { AccountAdministration, Accounts, LoginOrigin } from '../src/accounts.ts';
import { ServiceError } from '../src/errors.ts';
import { HTTP_DOOR } from '../src/observation.ts';
import { describeCaller, describeSession } from './account-answers.ts';
import {
  accountOf,
  administered,
  loggedInAccountOf,
  sessionsOr503,
  toLoginProblem,
} from './account-problems.ts';
import { ACCOUNT_BODIES, parseBody } from './account-schemas.ts';
import { createTokenHandlers } from './account-tokens.ts';
import { acceptAccount, isForeign } from './identify.ts';
import { refuseParameters } from './mongodb-crud-request.ts';
import { contextOf } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { serveMethods } from './serve-methods.ts';
import type { WebSessions } from './web-sessions.ts';

export interface AccountsDependencies {
  readonly accounts: Accounts;
  /** As whoever is said changes something. */
  readonly administration: (actor: string) => AccountAdministration;
  /** Undefined where there is no MongoDB to keep them. */
  readonly webSessions: WebSessions | undefined;
}

/** None of these paths takes a parameter. */
export const refuseAllParameters: RequestHandler = (request, _response, next) => {
  refuseParameters(request, []);
  next();
};

/** Answers below /auth only. Scopes have been asked for and bodies read before. */
export function createAuthRoutes(dependencies: AccountsDependencies): Router {
  const router = Router().use('/auth', refuseAllParameters);
  const tokens = createTokenHandlers(dependencies, (request) => {
    const { name } = accountOf(contextOf(request));
    const { scope: scopeMax, token: asking } = contextOf(request);
    return { name, scopeMax, asking };
  });
  serveMethods(router, '/auth/login', { post: createLogin(dependencies) });
  serveMethods(router, '/auth/logout', { post: createLogout(dependencies) });
  serveMethods(router, '/auth/me', {
    get: (request, response) => {
      response.json(describeCaller(contextOf(request)));
    },
  });
  serveMethods(router, '/auth/password', { post: createPasswordChange(dependencies) });
  serveMethods(router, '/auth/sessions', { get: createSessionList(dependencies) });
  serveMethods(router, '/auth/sessions/:id', { delete: createSessionEnd(dependencies) });
  serveMethods(router, '/auth/tokens', { get: tokens.list, post: tokens.create });
  serveMethods(router, '/auth/tokens/:id', { delete: tokens.revoke });
  return router;
}

function originOf(request: Request): LoginOrigin {
  return { door: HTTP_DOOR, address: contextOf(request).address };
}

function createLogin({ accounts, webSessions }: AccountsDependencies): RequestHandler {
  return async (request, response) => {
    const sessions = sessionsOr503(webSessions);
    assertOwnLogin(request, sessions);
    const { name, password } = parseBody(ACCOUNT_BODIES.Login, request);
    // Before the password is looked at: a right one would be of no use.
    await sessions.assertReady();
    const account = await logIn(accounts, { name, password }, originOf(request));
    const id = await sessions.start(request, response, account);
    acceptAccount(request, account);
    const context = contextOf(request);
    context.webSessionId = id;
    response.json(describeCaller(context));
  };
}

/** @throws RequestError 403 */
function assertOwnLogin(request: Request, sessions: WebSessions): void {
  if (isForeign(request)) {
    throw new RequestError(403, 'A login has to come from a page of this origin');
  }
  if (sessions.isTlsMissing(request)) {
    throw new RequestError(403, 'Logging in needs TLS in production', {
      hint:
        'Ask by https; where a proxy ends TLS, it has to send X-Forwarded-Proto, and ' +
        'API_TRUST_PROXY has to name it',
    });
  }
}

/** @throws RequestError 401, 403, 429; ServiceError 08006 */
async function logIn(
  accounts: Accounts,
  { name, password }: { readonly name: string; readonly password: string },
  origin: LoginOrigin,
): Promise<Account> {
  try {
    return await accounts.logIn(name, password, origin);
  } catch (thrown) {
    throw toLoginProblem(thrown);
  }
}

function createLogout({ webSessions }: AccountsDependencies): RequestHandler {
  return async (request, response) => {
    if (contextOf(request).webSessionId === undefined) {
      throw new RequestError(403, 'There is no session to end: the request came with a token', {
        hint: 'A token of an account ends by DELETE /auth/tokens/{id}',
      });
    }
    await sessionsOr503(webSessions).end(request, response);
    response.status(204).end();
  };
}

function createPasswordChange(dependencies: AccountsDependencies): RequestHandler {
  const { accounts, administration } = dependencies;
  return async (request, response) => {
    const { name } = accountOf(contextOf(request));
    const body = parseBody(ACCOUNT_BODIES.PasswordChange, request);
    try {
      await accounts.logIn(name, body.current, originOf(request));
    } catch (thrown) {
      const isWrong = thrown instanceof ServiceError && thrown.sqlState === '28P01';
      throw isWrong ? wrongPasswordError() : toLoginProblem(thrown);
    }
    const secret = { password: body.new };
    const account = await administered(administration(name).setSecret(name, secret));
    await renewSession(dependencies, request, response, account);
    response.status(204).end();
  };
}

/** Ends all sessions of the account but this one, which gets another id. */
async function renewSession(
  { webSessions }: AccountsDependencies,
  request: Request,
  response: Response,
  account: Account,
): Promise<void> {
  try {
    await webSessions?.removeAll(account.id);
    if (contextOf(request).webSessionId !== undefined) {
      await webSessions?.start(request, response, account);
    }
  } catch (thrown) {
    // The password is another one now, and with the old one all sessions have ended anyway.
    if (!(thrown instanceof ServiceError)) {
      throw thrown;
    }
  }
}

function wrongPasswordError(): RequestError {
  return new RequestError(422, 'The password is not changed', {
    fields: [{ field: 'current', message: 'is not the password of this account' }],
  });
}

function createSessionList({ webSessions }: AccountsDependencies): RequestHandler {
  return async (request, response) => {
    const context = contextOf(request);
    const sessions = await sessionsOr503(webSessions).list(loggedInAccountOf(context));
    response.json({ items: sessions.map((one) => describeSession(one, context)) });
  };
}

function createSessionEnd({ webSessions }: AccountsDependencies): RequestHandler {
  return async (request, response) => {
    const { id: accountId } = loggedInAccountOf(contextOf(request));
    const id = String(request.params['id']);
    if (!(await sessionsOr503(webSessions).remove(accountId, id))) {
      throw new RequestError(404, 'There is no such session of yours');
    }
    response.status(204).end();
  };
}
