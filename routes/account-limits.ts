// What an account narrows of what the API lets everybody do.
import { narrowToAccount, refuseBackend, refuseDatabase } from '../src/account.ts';
import type { Account } from '../src/account.ts';
import type { Limits } from '../src/config.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import type { RequestContext } from './request-context.ts';

/** The limits that hold for whoever asks. */
export function limitsOf({ account }: Pick<RequestContext, 'account'>, limits: Limits): Limits {
  return account === undefined ? limits : narrowToAccount(limits, account);
}

/**
 * Why an account may not ask a database, as 42501: to HTTP, what begins with 28 is about the login
 * of the gate itself.
 *
 * @param database undefined where another place judges it
 */
export function refuseStatement(
  account: Account,
  backend: string,
  database: string | undefined,
): ServiceError | undefined {
  const refusal =
    refuseBackend(account, backend) ??
    (database === undefined ? undefined : refuseDatabase(account, database));
  return (
    refusal &&
    new ServiceError(SQLSTATE.insufficientPrivilege, refusal.message, {
      ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
    })
  );
}
