// The tokens of one account: its own, or as an administrator sees them.
import type { Request, RequestHandler } from 'express';
import type { AccountAdministration, FoundToken, ShownToken } from '../src/accounts.ts';
import { TOKEN_SCOPES } from '../src/api-tokens.ts';
import { describeToken } from './account-answers.ts';
import { administered, PASSWORD_HINT, passwordNeededError } from './account-problems.ts';
import { ACCOUNT_BODIES, parseBody } from './account-schemas.ts';
import { contextOf } from './request-context.ts';
import type { Scope } from './request-context.ts';
import { RequestError } from './request-error.ts';

interface TokensDependencies {
  /** As whoever is said changes something. */
  readonly administration: (actor: string) => AccountAdministration;
}

/** Whose tokens a request is about. */
interface TokenOwner {
  readonly name: string;
  /** What whoever asks may give away. */
  readonly scopeMax: Scope;
  /**
   * The token of the owner that asks, where it is one: it makes none that outlives it, and has
   * nothing to do with those that may do more.
   */
  readonly asking?: FoundToken | undefined;
}

/** @param ownerOf may throw what the request is answered with */
export function createTokenHandlers(
  { administration }: TokensDependencies,
  ownerOf: (request: Request) => TokenOwner,
): Readonly<Record<'list' | 'create' | 'revoke', RequestHandler>> {
  const by = (request: Request): AccountAdministration => administration(contextOf(request).caller);
  return {
    list: async (request, response) => {
      const owner = ownerOf(request);
      const tokens = await administered(by(request).listTokens(owner.name));
      const shown = tokens.filter((token) => isWithin(owner, token));
      response.json({ items: shown.map(describeToken) });
    },
    create: async (request, response) => {
      const { name, scopeMax, asking } = ownerOf(request);
      const body = parseBody(ACCOUNT_BODIES.NewToken, request);
      const { scope = 'read' } = body;
      const expiresAt = boundExpiry(readExpiry(body.expiresAt), asking?.expiresAt);
      assertScope(scope, scopeMax);
      const wanted = { name: body.name, scope, expiresAt };
      const { token, shown } = await administered(by(request).createToken(name, wanted));
      response.status(201).json({ ...describeToken(shown), token });
    },
    revoke: async (request, response) => {
      const owner = ownerOf(request);
      const { name } = owner;
      const id = String(request.params['id']);
      if (owner.asking !== undefined) {
        const tokens = await administered(by(request).listTokens(name));
        assertWithin(
          owner,
          tokens.find((token) => token.id === id.toLowerCase()),
        );
      }
      if (!(await administered(by(request).revokeToken(name, id)))) {
        throw new RequestError(404, 'There is no such token');
      }
      response.status(204).end();
    },
  };
}

/** Whether a token is the one that asks, or may do no more than it. */
function isWithin({ scopeMax, asking }: TokenOwner, { id, scope }: ShownToken): boolean {
  return asking === undefined || id === asking.id || !isAbove(scope, scopeMax);
}

/** @throws RequestError 403 */
function assertWithin(owner: TokenOwner, token: ShownToken | undefined): void {
  if (token !== undefined && !isWithin(owner, token)) {
    throw passwordNeededError('A token cannot revoke one that may do more');
  }
}

/**
 * Null is never; undefined is where nothing is said.
 *
 * @throws RequestError 422 for a time that is over
 */
function readExpiry(text: string | null | undefined): Date | null | undefined {
  if (text === null || text === undefined) {
    return text;
  }
  const expiresAt = new Date(text);
  if (expiresAt.getTime() <= Date.now()) {
    throw new RequestError(422, 'The token would be over before it is used', {
      fields: [{ field: 'expiresAt', message: 'must be in the future' }],
    });
  }
  return expiresAt;
}

/**
 * Whoever finds a token has it no longer than it lasts. Where nothing is said, a new one ends with
 * the one that makes it.
 *
 * @throws RequestError 422
 */
function boundExpiry(
  expiresAt: Date | null | undefined,
  latest: Date | undefined,
): Date | undefined {
  if (latest === undefined || expiresAt === undefined) {
    return expiresAt ?? latest;
  }
  if (expiresAt === null || expiresAt > latest) {
    throw new RequestError(422, 'A token cannot outlive the one that makes it', {
      fields: [{ field: 'expiresAt', message: `is ${latest.toISOString()} at the latest` }],
      hint: PASSWORD_HINT,
    });
  }
  return expiresAt;
}

function isAbove(scope: Scope, other: Scope): boolean {
  return TOKEN_SCOPES.indexOf(scope) > TOKEN_SCOPES.indexOf(other);
}

/** @throws RequestError 422 */
function assertScope(scope: Scope, scopeMax: Scope): void {
  if (isAbove(scope, scopeMax)) {
    throw new RequestError(422, 'A token cannot have more than whoever makes it', {
      fields: [{ field: 'scope', message: `is ${scopeMax} at most` }],
    });
  }
}
