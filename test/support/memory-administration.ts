// Accounts that are kept in memory with their tokens, for routes whose tests need no store.
import { randomUUID } from 'node:crypto';
import type { Account } from '../../src/account.ts';
import type { AccountAdministration, Accounts, FoundToken } from '../../src/accounts.ts';
import { createApiToken } from '../../src/api-tokens.ts';
import type { TokenScope } from '../../src/api-tokens.ts';
import { ServiceError } from '../../src/errors.ts';
import { createMemoryAccounts } from './memory-accounts.ts';
import type { MemoryAccount, MemoryAccounts } from './memory-accounts.ts';

export interface TokenAccounts extends MemoryAccounts {
  /** A token of an account. */
  issue(name: string, token?: { readonly scope?: TokenScope; readonly isOver?: boolean }): string;
  /** How often the accounts were asked for anything. */
  questions(): number;
  /** From now on nothing can be read. */
  breakDown(): void;
}

interface Issued {
  readonly name: string;
  readonly scope: TokenScope | undefined;
  readonly isOver: boolean;
}

/** The same as createMemoryAccounts, with tokens. */
export async function createTokenAccounts(
  accounts: readonly MemoryAccount[],
): Promise<TokenAccounts> {
  const memory = await createMemoryAccounts(accounts);
  const ids = await idsOf(memory, accounts);
  const issued = new Map<string, Issued>();
  let asked = 0;
  let isBroken = false;
  const noted = async <T>(answer: () => Promise<T>): Promise<T> => {
    asked += 1;
    if (isBroken) {
      throw new ServiceError('08006', 'Accounts cannot be read', { severity: 'FATAL' });
    }
    return await answer();
  };
  const find: Accounts['find'] = async (id) => await noted(async () => await memory.find(id));
  const findToken = async (presented: string): Promise<FoundToken | undefined> => {
    const token = issued.get(presented);
    const account = token && (await memory.find(ids.get(token.name) ?? ''));
    if (token === undefined || account === undefined || token.isOver || account.isDisabled) {
      return undefined;
    }
    const scope = token.scope ?? account.scope;
    return { id: 'a token', name: 'cli', account, scope, expiresAt: undefined };
  };
  return {
    ...memory,
    find,
    findToken: async (presented) => await noted(async () => await findToken(presented)),
    hasAny: async () => await noted(async () => await memory.hasAny()),
    issue: (name, { scope, isOver = false } = {}) => {
      const { token } = createApiToken();
      issued.set(token, { name, scope, isOver });
      return token;
    },
    questions: () => asked,
    breakDown: () => {
      isBroken = true;
    },
  };
}

async function idsOf(
  memory: MemoryAccounts,
  accounts: readonly MemoryAccount[],
): Promise<ReadonlyMap<string, string>> {
  const origin = { door: 'a test', address: '127.0.0.1' };
  const ids = accounts.map(async ({ name, password = '' }) => {
    const { id }: Account = await memory.logIn(name, password, origin);
    return [name, id] as const;
  });
  return new Map(await Promise.all(ids));
}

/** An administration that knows nobody. */
export function createEmptyAdministration(): AccountAdministration {
  const unknown = async (): Promise<never> =>
    await Promise.reject(new ServiceError('42704', `There is no account ${randomUUID()}`));
  return {
    list: () => Promise.resolve([]),
    create: unknown,
    change: unknown,
    setSecret: unknown,
    remove: unknown,
    listTokens: unknown,
    createToken: unknown,
    revokeToken: unknown,
  };
}
