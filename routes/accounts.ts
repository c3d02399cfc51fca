// Accounts, for administrators: the same as the command line has.
import { Router } from 'express';
import type { Request } from 'express';
import type { z } from 'zod';
import type {
  AccountAdministration,
  AccountChanges,
  NewSecret,
  ShownAccount,
} from '../src/accounts.ts';
import { describeAccount } from './account-answers.ts';
import { administered } from './account-problems.ts';
import { ACCOUNT_BODIES, parseBody } from './account-schemas.ts';
import { createTokenHandlers } from './account-tokens.ts';
import { refuseAllParameters } from './auth.ts';
import type { AccountsDependencies } from './auth.ts';
import { contextOf } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { serveMethods } from './serve-methods.ts';

type Dependencies = Pick<AccountsDependencies, 'administration'>;

const ALL = '/api/accounts';
const ONE = `${ALL}/:name`;

/** Answers at /api/accounts and below it; scopes have been asked for and bodies read before. */
export function createAccountsRoutes(dependencies: Dependencies): Router {
  const router = Router().use(ALL, refuseAllParameters);
  const tokens = createTokenHandlers(dependencies, (request) => ({
    name: nameOf(request),
    scopeMax: 'admin',
  }));
  serveAll(router, dependencies);
  serveOne(router, dependencies);
  serveMethods(router, `${ONE}/tokens`, { get: tokens.list, post: tokens.create });
  serveMethods(router, `${ONE}/tokens/:id`, { delete: tokens.revoke });
  return router;
}

/** As whoever asks. */
function by(request: Request, { administration }: Dependencies): AccountAdministration {
  return administration(contextOf(request).caller);
}

function nameOf(request: Request): string {
  return String(request.params['name']);
}

function serveAll(router: Router, dependencies: Dependencies): void {
  serveMethods(router, ALL, {
    get: async (request, response) => {
      const accounts = await administered(by(request, dependencies).list());
      response.json({ items: accounts.map(describeAccount) });
    },
    post: async (request, response) => {
      const { password, verifier, ...body } = parseBody(ACCOUNT_BODIES.NewAccount, request);
      const { name, scope } = body;
      const secret = secretOf({ password, verifier });
      const wanted = { name, scope, secret, ...changesOf(body) };
      const account = await administered(by(request, dependencies).create(wanted));
      response
        .status(201)
        .set('Location', `${ALL}/${encodeURIComponent(account.name)}`)
        .json(describeAccount(account));
    },
  });
}

function serveOne(router: Router, dependencies: Dependencies): void {
  serveMethods(router, ONE, {
    get: async (request, response) => {
      response.json(describeAccount(await findAccount(request, dependencies)));
    },
    patch: async (request, response) => {
      const changes = changesOf(parseBody(ACCOUNT_BODIES.AccountChanges, request));
      const account = await administered(
        by(request, dependencies).change(nameOf(request), changes),
      );
      response.json(describeAccount(account));
    },
    delete: async (request, response) => {
      await administered(by(request, dependencies).remove(nameOf(request)));
      response.status(204).end();
    },
  });
  serveMethods(router, `${ONE}/password`, {
    post: async (request, response) => {
      const secret = secretOf(parseBody(ACCOUNT_BODIES.NewSecret, request));
      await administered(by(request, dependencies).setSecret(nameOf(request), secret));
      response.status(204).end();
    },
  });
}

/** @throws RequestError 404 */
async function findAccount(request: Request, dependencies: Dependencies): Promise<ShownAccount> {
  const wanted = nameOf(request).toLowerCase();
  const accounts = await administered(by(request, dependencies).list());
  const found = accounts.find(({ name }) => name.toLowerCase() === wanted);
  if (found === undefined) {
    throw new RequestError(404, 'There is no such account');
  }
  return found;
}

function secretOf({
  password = '',
  verifier,
}: z.infer<typeof ACCOUNT_BODIES.NewSecret>): NewSecret {
  return verifier === undefined ? { password } : { verifier };
}

type ChangesBody = z.infer<typeof ACCOUNT_BODIES.AccountChanges>;

/** Null in a body is everything, or no limit; what is not in it stays. */
function changesOf({
  scope,
  isDisabled,
  limits,
  backends,
  databases,
}: ChangesBody): AccountChanges {
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(isDisabled === undefined ? {} : { isDisabled }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
    ...(backends === undefined ? {} : { backends: backends ?? undefined }),
    ...(databases === undefined ? {} : { databases: databases ?? undefined }),
  };
}

function limitsOf(
  limits: NonNullable<ChangesBody['limits']>,
): NonNullable<AccountChanges['limits']> {
  const { rowsMax, bytesMax, queryTimeoutMs, connectionsMax } = limits;
  return {
    ...(rowsMax === undefined ? {} : { rowsMax: rowsMax ?? undefined }),
    ...(bytesMax === undefined ? {} : { bytesMax: bytesMax ?? undefined }),
    ...(queryTimeoutMs === undefined ? {} : { queryTimeoutMs: queryTimeoutMs ?? undefined }),
    ...(connectionsMax === undefined ? {} : { connectionsMax: connectionsMax ?? undefined }),
  };
}
