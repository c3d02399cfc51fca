// Accounts and tokens as the database has them, a second old at most.
import { performance } from 'node:perf_hooks';
import type { Account } from '../account.ts';
import { putLast } from '../bounded-map.ts';
import {
  ACCOUNT_COLUMNS,
  readAccount,
  readAccountOrNobody,
  readAccountWithVerifier,
  readRows,
  readStoredToken,
  STORED_TOKEN_COLUMNS,
} from './account-rows.ts';
import type { AccountWithVerifier, StoredToken, UnreadableRowError } from './account-rows.ts';
import type { Query } from './accounts-database.ts';
import { BatchedLookup } from './batched-lookup.ts';

/** How old an answer may be. */
const FRESH_MS = 1000;

/** How old it may be while the database cannot be asked. */
const STALE_MS_MAX = 5000;

/** Accounts and tokens remembered; the one read longest ago is forgotten first. */
const ENTRIES_MAX = 10_000;

/** Hashes remembered that no token has; the one noted longest ago is forgotten first. */
const UNKNOWN_TOKENS_MAX = 10_000;

interface Entry<Value> {
  readonly value: Value;
  readonly askedAtMs: number;
}

/** Remembers for a moment what was found, never that nothing was. */
class Recent<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #lookup: BatchedLookup<Value>;
  readonly #now: () => number;

  constructor(load: ConstructorParameters<typeof BatchedLookup<Value>>[0], now: () => number) {
    this.#lookup = new BatchedLookup(load);
    this.#now = now;
  }

  async find(key: string): Promise<Value | undefined> {
    const entry = this.#entries.get(key);
    const askedAtMs = this.#now();
    if (entry !== undefined && askedAtMs - entry.askedAtMs <= FRESH_MS) {
      return entry.value;
    }
    try {
      const value = await this.#lookup.find(key);
      this.#keep(key, value, askedAtMs);
      return value;
    } catch (error) {
      if (entry !== undefined && this.#now() - entry.askedAtMs <= STALE_MS_MAX) {
        return entry.value;
      }
      throw error;
    }
  }

  /** What this process has changed itself is looked up anew. */
  forget(isMeant: (value: Value) => boolean): void {
    for (const [key, { value }] of this.#entries) {
      if (isMeant(value)) {
        this.#entries.delete(key);
      }
    }
  }

  #keep(key: string, value: Value | undefined, askedAtMs: number): void {
    if (value === undefined) {
      this.#entries.delete(key);
    } else {
      putLast(this.#entries, key, { value, askedAtMs }, ENTRIES_MAX);
    }
  }
}

type OnUnreadable = (error: UnreadableRowError) => void;

export class Directory {
  readonly #read: Query;
  readonly #onUnreadable: OnUnreadable;
  readonly #now: () => number;
  /** Until when it is remembered that there is no account. */
  #emptyUntilMs = -Infinity;
  readonly #accounts: Recent<Account>;
  readonly #tokens: Recent<StoredToken>;
  /** Until when it is remembered of a hash that no token has it. */
  readonly #unknownTokens = new Map<string, number>();
  readonly #byName: BatchedLookup<AccountWithVerifier>;
  readonly #any: BatchedLookup<true>;

  /**
   * @param now a monotonic clock in milliseconds
   * @param onUnreadable is told each time that a row cannot be read, which then is nobody's
   */
  constructor(
    read: Query,
    now: () => number = () => performance.now(),
    onUnreadable: OnUnreadable = () => undefined,
  ) {
    this.#read = read;
    this.#onUnreadable = onUnreadable;
    this.#now = now;
    this.#accounts = new Recent(async (ids) => await this.readAccounts(ids), now);
    this.#tokens = new Recent(async (hashes) => await this.#loadTokens(hashes), now);
    this.#byName = new BatchedLookup(async (names) => await this.#loadByName(names));
    this.#any = new BatchedLookup(async () => await loadAny(read));
  }

  /** An account by its id; a second old at most, or five where the database cannot be asked. */
  async findAccount(id: string): Promise<Account | undefined> {
    return UUID.test(id) ? await this.#accounts.find(id.toLowerCase()) : undefined;
  }

  /** A token that has not expired by the database's clock, by its hash; of the same age. */
  async findToken(sha256: string): Promise<StoredToken | undefined> {
    const askedAtMs = this.#now();
    if (askedAtMs <= (this.#unknownTokens.get(sha256) ?? -Infinity)) {
      return undefined;
    }
    const found = await this.#tokens.find(sha256);
    if (found === undefined) {
      // A client that goes on with a wrong token is not looked up each time.
      putLast(this.#unknownTokens, sha256, askedAtMs + FRESH_MS, UNKNOWN_TOKENS_MAX);
    }
    return found;
  }

  /** An account by its name in lower case, as it is now: nobody logs in on old knowledge. */
  async findByName(foldedName: string): Promise<AccountWithVerifier | undefined> {
    return await this.#byName.find(foldedName);
  }

  /** The accounts of these ids, as they are now; undefined for one that cannot be read. */
  async readAccounts(ids: readonly string[]): Promise<ReadonlyMap<string, Account | undefined>> {
    const rows = await this.#read(
      `SELECT ${ACCOUNT_COLUMNS} FROM gatepost.accounts a WHERE a.id = ANY ($1::uuid[])`,
      [ids],
    );
    const readable = readRows(rows, readAccount, this.#onUnreadable);
    return new Map([
      ...rows.map(readAccountOrNobody).map(({ id }) => [id, undefined] as const),
      ...readable.map((account) => [account.id, account] as const),
    ]);
  }

  /** Whether there is any account; that there was none may be a second old. */
  async hasAny(): Promise<boolean> {
    const askedAtMs = this.#now();
    if (askedAtMs <= this.#emptyUntilMs) {
      return false;
    }
    const found = await this.#any.find(ANY);
    if (found === undefined) {
      this.#emptyUntilMs = askedAtMs + FRESH_MS;
    }
    return found !== undefined;
  }

  /** Forgets everything that is remembered of an account. */
  forget(accountId: string): void {
    this.#emptyUntilMs = -Infinity;
    this.#unknownTokens.clear();
    this.#accounts.forget(({ id }) => id === accountId);
    this.#tokens.forget(({ account }) => account.id === accountId);
  }

  async #loadTokens(hashes: readonly string[]): Promise<ReadonlyMap<string, StoredToken>> {
    const rows = await this.#read(TOKENS, [hashes]);
    const tokens = readRows(rows, readStoredToken, this.#onUnreadable);
    return new Map(tokens.map((token) => [token.sha256, token]));
  }

  async #loadByName(names: readonly string[]): Promise<ReadonlyMap<string, AccountWithVerifier>> {
    const rows = await this.#read(BY_NAME, [names]);
    const found = readRows(rows, readAccountWithVerifier, this.#onUnreadable);
    return new Map(found.map((one) => [one.account.name.toLowerCase(), one]));
  }
}

/** As PostgreSQL writes it, in any letters. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The one key of the question whether there is any account. */
const ANY = 'any';

const TOKENS = `
  SELECT ${STORED_TOKEN_COLUMNS}
    FROM gatepost.api_tokens t JOIN gatepost.accounts a ON a.id = t.account_id
    WHERE t.sha256 = ANY ($1::char(64)[]) AND (t.expires_at IS NULL OR t.expires_at > now())`;

const BY_NAME = `
  SELECT ${ACCOUNT_COLUMNS}, a.verifier FROM gatepost.accounts a
    WHERE a.name_folded = ANY ($1::text[])`;

async function loadAny(read: Query): Promise<ReadonlyMap<string, true>> {
  const rows = await read('SELECT 1 FROM gatepost.accounts LIMIT 1', []);
  return new Map(rows.map(() => [ANY, true]));
}
