// Accounts made, changed and removed: each change one transaction, told to whoever observes.
import { randomUUID } from 'node:crypto';
import type { Account, AccountLimits } from '../account.ts';
import type {
  AccountAdministration,
  AccountChanges,
  NewAccount,
  NewSecret,
  ShownAccount,
} from '../accounts.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Observer } from '../observation.ts';
import { createScramVerifier } from '../scram-verifier.ts';
import {
  assertChanges,
  assertNewAccount,
  assertPassword,
  normalizeVerifier,
} from './account-checks.ts';
import {
  readAccount,
  readAccountOrNobody,
  readListedAccount,
  readRows,
  readShownAccount,
} from './account-rows.ts';
import { ACCOUNT_COLUMNS, SHOWN_ACCOUNT_COLUMNS } from './account-rows.ts';
import type { AccountsDatabase, Query } from './accounts-database.ts';
import { createToken, listTokens, revokeToken } from './administration-tokens.ts';
import type { ComputationGate } from './computation-gate.ts';
import { foldName, requireAccount } from './require-account.ts';

export interface AdministrationOptions {
  readonly database: Pick<AccountsDatabase, 'read' | 'write'>;
  readonly gate: ComputationGate;
  readonly iterations: number;
  readonly observer: Observer;
  /** Called with the id of an account that this process has changed. */
  readonly onChanged: (id: string) => void;
}

/** @param actor who is told as the one who changed something */
export function createAdministration(
  options: AdministrationOptions,
  actor: string,
): AccountAdministration {
  const { database, observer, onChanged } = options;
  const tell = (account: Account, change: string): void => {
    onChanged(account.id);
    observer.observe({ kind: 'account-changed', actor, name: account.name, change });
  };
  return {
    list: async () => (await database.read(LIST)).map(readListedAccount),
    create: async (account) => {
      const created = await create(options, account);
      tell(created, `created with scope ${created.scope}`);
      return created;
    },
    change: async (name, changes) => {
      assertChanges(changes);
      const { shown, words } = await change(options, name, changes);
      if (words.length > 0) {
        tell(shown, words.join(', '));
      }
      return shown;
    },
    setSecret: async (name, secret) => {
      const shown = await setSecret(options, name, secret);
      tell(shown, 'password' in secret ? 'password set' : 'verifier set');
      return shown;
    },
    remove: async (name) => {
      tell(await remove(options, name), 'deleted');
    },
    listTokens: async (name) => await listTokens(database, name),
    createToken: async (name, token) => {
      const { account, ...made } = await createToken(database, name, token);
      tell(account, `token ${token.name} created with scope ${token.scope}`);
      return made;
    },
    revokeToken: async (name, id) => {
      const revoked = await revokeToken(database, name, id);
      if (revoked !== undefined) {
        tell(revoked.account, `token ${revoked.tokenName} revoked`);
      }
      return revoked !== undefined;
    },
  };
}

const LIST = `SELECT ${SHOWN_ACCOUNT_COLUMNS} FROM gatepost.accounts a ORDER BY a.name_folded`;

async function create(
  { database, gate, iterations }: AdministrationOptions,
  account: NewAccount,
): Promise<ShownAccount> {
  assertNewAccount(account);
  const verifier = await gate.run(async () => await toVerifier(account.secret, iterations));
  const { name, scope, limits = {}, backends, databases } = account;
  const [row] = await database.write(
    async (query) =>
      await query(
        `INSERT INTO gatepost.accounts AS a (id, name, name_folded, verifier, scope, rows_max,
             bytes_max, query_timeout_ms, connections_max, backends, databases)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (name_folded) DO NOTHING RETURNING ${SHOWN_ACCOUNT_COLUMNS}`,
        [
          ...[randomUUID(), name, foldName(name), verifier, scope],
          ...limitValues(limits),
          ...[backends ?? null, databases ?? null],
        ],
      ),
  );
  if (row === undefined) {
    throw new ServiceError(
      SQLSTATE.duplicateObject,
      `There is an account ${JSON.stringify(name)} already; capitals make no difference`,
    );
  }
  return readShownAccount(row);
}

/** As columns have them, in the order of the columns. */
function limitValues(limits: Partial<AccountLimits>): readonly (number | null)[] {
  const { rowsMax, bytesMax, queryTimeoutMs, connectionsMax } = limits;
  return [rowsMax, bytesMax, queryTimeoutMs, connectionsMax].map((limit) => limit ?? null);
}

async function change(
  { database }: AdministrationOptions,
  name: string,
  changes: AccountChanges,
): Promise<{ readonly shown: ShownAccount; readonly words: readonly string[] }> {
  return await database.write(async (query) => {
    const admins = await lockAdmins(query);
    const before = await requireAccount(query, name, 'FOR UPDATE');
    const after = { ...before, ...changes, limits: { ...before.limits, ...changes.limits } };
    const words = describeChanges(before, after);
    if (words.length > 0 && !isAdmin(after)) {
      assertOthers(admins, before);
    }
    const [row] = await query(
      `UPDATE gatepost.accounts AS a SET scope = $2, is_disabled = $3, rows_max = $4,
           bytes_max = $5, query_timeout_ms = $6, connections_max = $7, backends = $8,
           databases = $9, revision = a.revision + $10
         WHERE a.id = $1 RETURNING ${SHOWN_ACCOUNT_COLUMNS}`,
      [
        ...[before.id, after.scope, after.isDisabled],
        ...limitValues(after.limits),
        ...[after.backends ?? null, after.databases ?? null, words.length > 0 ? 1 : 0],
      ],
    );
    return { shown: readShownAccount(row), words };
  });
}

/** What is not as it was; nothing where all is. */
function describeChanges(before: Account, after: Account): string[] {
  const isChanged = (key: keyof Account): boolean =>
    JSON.stringify(before[key]) !== JSON.stringify(after[key]);
  return [
    ...(isChanged('scope') ? [`scope set to ${after.scope}`] : []),
    ...(isChanged('isDisabled') ? [after.isDisabled ? 'disabled' : 'enabled'] : []),
    ...(isChanged('limits') ? ['limits set'] : []),
    ...(isChanged('backends') ? [`backends set to ${listOf(after.backends)}`] : []),
    ...(isChanged('databases') ? [`databases set to ${listOf(after.databases)}`] : []),
  ];
}

function listOf(names: readonly string[] | undefined): string {
  return names?.join(', ') ?? 'all';
}

async function setSecret(
  { database, gate, iterations }: AdministrationOptions,
  name: string,
  secret: NewSecret,
): Promise<ShownAccount> {
  const verifier = await gate.run(async () => await toVerifier(secret, iterations));
  return await database.write(async (query) => {
    const { id } = await requireAccount(query, name, 'FOR UPDATE');
    const [row] = await query(
      `UPDATE gatepost.accounts AS a SET verifier = $2, revision = a.revision + 1,
           secret_revision = a.secret_revision + 1
         WHERE a.id = $1 RETURNING ${SHOWN_ACCOUNT_COLUMNS}`,
      [id, verifier],
    );
    return readShownAccount(row);
  });
}

async function toVerifier(secret: NewSecret, iterations: number): Promise<string> {
  if ('verifier' in secret) {
    return normalizeVerifier(secret.verifier);
  }
  assertPassword(secret.password);
  return await createScramVerifier(secret.password, { iterations });
}

async function remove({ database }: AdministrationOptions, name: string): Promise<Account> {
  return await database.write(async (query) => {
    const admins = await lockAdmins(query);
    const account = await requireAccount(query, name, 'FOR UPDATE', readAccountOrNobody);
    assertOthers(admins, account);
    await query('DELETE FROM gatepost.accounts WHERE id = $1', [account.id]);
    return account;
  });
}

function isAdmin({ scope, isDisabled }: Pick<Account, 'scope' | 'isDisabled'>): boolean {
  return scope === 'admin' && !isDisabled;
}

/**
 * The enabled administrators, locked in one order before anything else is: of two processes that
 * remove the last two at once, the second one sees what the first has left.
 */
async function lockAdmins(query: Query): Promise<readonly Account[]> {
  const rows = await query(
    `SELECT ${ACCOUNT_COLUMNS} FROM gatepost.accounts a
       WHERE a.scope = 'admin' AND NOT a.is_disabled ORDER BY a.id FOR UPDATE`,
    [],
  );
  // One that cannot be read administers nothing; whoever logs in hears of it.
  return readRows(rows, readAccount, () => undefined);
}

/** @throws ServiceError 55006 where this is the last enabled administrator */
function assertOthers(admins: readonly Account[], account: Account): void {
  if (isAdmin(account) && !admins.some(({ id }) => id !== account.id)) {
    throw new ServiceError(
      SQLSTATE.objectInUse,
      `Account "${account.name}" is the last administrator: nobody could manage accounts any more`,
      { hint: 'Make another account an administrator first' },
    );
  }
}
