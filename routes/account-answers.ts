// Accounts, tokens and sessions as they are shown: what is not there is null. No secrets.
import type { z } from 'zod';
import type { Account } from '../src/account.ts';
import type { ShownAccount, ShownToken } from '../src/accounts.ts';
import type { ACCOUNT_ANSWERS } from './account-schemas.ts';
import type { RequestContext } from './request-context.ts';
import type { ShownSession } from './web-sessions.ts';

type Answers = {
  readonly [Name in keyof typeof ACCOUNT_ANSWERS]: z.infer<(typeof ACCOUNT_ANSWERS)[Name]>;
};

type Restrictions = Pick<Answers['Account'], 'limits' | 'backends' | 'databases'>;

function describeRestrictions({ limits, backends, databases }: Account): Restrictions {
  return {
    limits: {
      rowsMax: limits.rowsMax ?? null,
      bytesMax: limits.bytesMax ?? null,
      queryTimeoutMs: limits.queryTimeoutMs ?? null,
      connectionsMax: limits.connectionsMax ?? null,
    },
    backends: backends === undefined ? null : [...backends],
    databases: databases === undefined ? null : [...databases],
  };
}

export function describeAccount(account: ShownAccount): Answers['Account'] {
  const { id, name, scope, isDisabled, createdAt, lastSeenAt } = account;
  return {
    ...{ id, name, scope, isDisabled },
    ...describeRestrictions(account),
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
  };
}

/** Whoever asks. */
export function describeCaller(context: RequestContext): Answers['Caller'] {
  const { caller, scope, account, webSessionId } = context;
  return {
    name: caller,
    scope,
    account:
      account === undefined
        ? null
        : { id: account.id, scope: account.scope, ...describeRestrictions(account) },
    sessionId: webSessionId ?? null,
  };
}

export function describeToken(token: ShownToken): Answers['Token'] {
  const { id, name, prefix, scope, createdAt, expiresAt, lastUsedAt } = token;
  return {
    ...{ id, name, prefix, scope },
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

export function describeSession(
  { id, address, startedAt, lastSeenAt, expiresAt }: ShownSession,
  { webSessionId }: RequestContext,
): Answers['Session'] {
  return {
    ...{ id, address },
    startedAt: startedAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    isCurrent: id === webSessionId,
  };
}
