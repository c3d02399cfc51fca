// When accounts and tokens were used last: noted off the path of whoever uses them.
import { performance } from 'node:perf_hooks';
import { putLast } from '../bounded-map.ts';
import type { AccountsDatabase } from './accounts-database.ts';

/** How often one of them is written at most. */
const WRITE_EVERY_MS = 60_000;

/** Notes of this time are written together. */
const GATHER_MS = 1000;

/** Remembered and waiting at a time; what comes beyond it is noted with a later use. */
const KEYS_MAX = 10_000;

type Kind = 'account' | 'token';

/**
 * A row that somebody else is writing is left to him: its time is as good as ours. In one order,
 * and without waiting, replicas cannot block each other.
 */
const STATEMENTS: Readonly<Record<Kind, string>> = {
  account: statement('gatepost.accounts', 'last_seen_at'),
  token: statement('gatepost.api_tokens', 'last_used_at'),
};

function statement(table: string, column: string): string {
  return `UPDATE ${table} SET ${column} = now() WHERE id IN (
    SELECT id FROM ${table} WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED)`;
}

export class LastSeen {
  readonly #database: Pick<AccountsDatabase, 'write'>;
  readonly #now: () => number;
  readonly #notedAtMs: Readonly<Record<Kind, Map<string, number>>> = {
    account: new Map(),
    token: new Map(),
  };
  #waiting: Readonly<Record<Kind, Set<string>>> = { account: new Set(), token: new Set() };
  #timer: NodeJS.Timeout | undefined;

  constructor(
    database: Pick<AccountsDatabase, 'write'>,
    now: () => number = () => performance.now(),
  ) {
    this.#database = database;
    this.#now = now;
  }

  /** Notes a use; cheap, and never fails. */
  note(kind: Kind, id: string): void {
    const notedAtMs = this.#notedAtMs[kind];
    const last = notedAtMs.get(id);
    if (last !== undefined && this.#now() - last < WRITE_EVERY_MS) {
      return;
    }
    if (this.#waiting[kind].size >= KEYS_MAX) {
      return;
    }
    putLast(notedAtMs, id, this.#now(), KEYS_MAX);
    this.#waiting[kind].add(id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, GATHER_MS).unref();
  }

  /** Writes what waits; what cannot be written is noted with the next use. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = { account: new Set(), token: new Set() };
    for (const kind of ['account', 'token'] as const) {
      const ids = [...waiting[kind]];
      if (ids.length > 0) {
        await this.#write(kind, ids);
      }
    }
  }

  async #write(kind: Kind, ids: readonly string[]): Promise<void> {
    try {
      await this.#database.write(async (query) => await query(STATEMENTS[kind], [ids]));
    } catch {
      // The operator hears of a database that is away from whoever needs it.
      for (const id of ids) {
        this.#notedAtMs[kind].delete(id);
      }
    }
  }
}
