// An account by its name, for those who change it.
import type { Account } from '../account.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { ACCOUNT_COLUMNS, readAccount } from './account-rows.ts';
import type { Query } from './accounts-database.ts';

/**
 * @param lock keeps others from changing it until the transaction ends
 * @throws ServiceError 42704, or 55000 where it cannot be read
 */
export async function requireAccount(
  query: Query,
  name: string,
  lock: 'FOR UPDATE' | '' = '',
  read: (row: unknown) => Account = readAccount,
): Promise<Account> {
  const [row] = await query(
    `SELECT ${ACCOUNT_COLUMNS} FROM gatepost.accounts a WHERE a.name_folded = $1 ${lock}`,
    [foldName(name)],
  );
  if (row === undefined) {
    throw new ServiceError(
      SQLSTATE.undefinedObject,
      `There is no account ${JSON.stringify(name.slice(0, NAME_SHOWN_MAX))}`,
    );
  }
  return read(row);
}

const NAME_SHOWN_MAX = 80;

/** As it is looked up. No name has a NUL, which PostgreSQL would take for an error of ours. */
export function foldName(name: string): string {
  return name.includes('\0') ? '' : name.toLowerCase();
}
