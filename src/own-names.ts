// What Gatepost calls its own in the databases, and what of it the doors hide.
import type { AccountsConfig, StoreConfig } from './config-accounts.ts';

/** Of the schema of the accounts, and of the databases that are Gatepost's alone. */
export const OWN_NAME = 'gatepost';

/** Names that clients are not to use; undefined where there is nothing to hide. */
export interface HiddenNames {
  /** Of the embedded PostgreSQL: the accounts have a database of their own there. */
  readonly postgresDatabase: string | undefined;
  /** Of a PostgreSQL that is queried and keeps the accounts as well. */
  readonly postgresSchema: string | undefined;
  readonly mongodbDatabase: string | undefined;
}

/** Nothing is hidden from clients of servers that hold nothing of ours. */
export function hiddenNamesOf(
  accounts: AccountsConfig | undefined,
  store: StoreConfig | undefined,
): HiddenNames {
  const isEmbedded = accounts !== undefined && accounts.databaseUrl === undefined;
  return {
    postgresDatabase: isEmbedded ? OWN_NAME : undefined,
    postgresSchema: accounts?.isShared === true ? OWN_NAME : undefined,
    mongodbDatabase: store?.isShared === true ? OWN_NAME : undefined,
  };
}
