// Which databases a session may be opened with, before anything is dialled.
import { refuseDatabase } from '../account.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Startup } from './backend.ts';

/**
 * @param database the one that the session would be in
 * @throws ServiceError FATAL 28000 for a database that the account may not use
 */
export function assertDatabaseAllowed(
  { user, account, databases }: Pick<Startup, 'user' | 'account' | 'databases'>,
  database: string,
): void {
  const refusal = refuseDatabase({ name: account ?? user, databases }, database);
  if (refusal !== undefined) {
    throw refusal;
  }
}

/**
 * The database of a session that names none: the connection string's, or the first of those that
 * it may use.
 */
export function initialDatabase(own: string, databases: readonly string[] | undefined): string {
  return databases === undefined || databases.includes(own) ? own : (databases[0] ?? own);
}

/** The answer to a session in the database that is Gatepost's own: FATAL 3D000, for everybody. */
export function hiddenDatabaseError(database: string): ServiceError {
  return new ServiceError(SQLSTATE.invalidCatalogName, `database "${database}" is Gatepost's own`, {
    severity: 'FATAL',
    hint: 'It holds what Gatepost keeps of its users and cannot be used through it: name another',
  });
}
