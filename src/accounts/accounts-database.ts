// The one way to the accounts' database: a small pool while it can be reached, an error at once and
// attempts in the background while it cannot.
import { performance } from 'node:perf_hooks';
import { Pool } from 'pg';
import type { ClientConfig, PoolClient } from 'pg';
import { ServiceError, SQLSTATE } from '../errors.ts';
import {
  describeFailure,
  isSchemaGone,
  isServerAway,
  unavailableError,
} from './accounts-errors.ts';
import { prepareSchema } from './accounts-schema.ts';
import type { AccountsPlace, SharedKeys } from './accounts-schema.ts';
import { CONNECT_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } from './accounts-schema.ts';
import type { Migrated } from './migrations.ts';
import { SeldomReport } from './seldom-report.ts';

/** Statements at a time; each asks for one row or a few. */
const CONNECTIONS_MAX = 4;

/** Callers that wait for a connection at a time; whoever comes then is told to try again. */
const WAITING_MAX = 1000;

const IDLE_TIMEOUT_MS = 60_000;

/** How long one use of a connection may last: a server that is cut off never answers. */
const USE_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 500;

/** A connection that had broken before it was used fails within this time. */
const BROKEN_WITHIN_MS = 250;

/** The first attempt after a failure; each further failure doubles the pause. */
const FIRST_PAUSE_MS = 100;

/** A database that has come back is used again within this time. */
const PAUSE_MS_MAX = 2000;

/** One statement: its text, with values as parameters only, gives its rows. */
export type Query = (text: string, values: readonly unknown[]) => Promise<readonly unknown[]>;

export interface AccountsDatabaseOptions extends AccountsPlace {
  /** Takes sentences for the operator. */
  readonly report: (message: string) => void;
}

export class AccountsDatabase {
  readonly #options: AccountsDatabaseOptions;
  readonly #closed = new AbortController();
  #pool: Pool | undefined;
  #keys: SharedKeys | undefined;
  #failure: ServiceError = unavailableError(new Error('they have not been opened yet'));
  /** What the operator has been told of an outage that lasts. */
  #complaint: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** What statements fail by while the server is there. */
  readonly #failures: SeldomReport;

  constructor(options: AccountsDatabaseOptions) {
    this.#options = options;
    this.#failures = new SeldomReport(options.report);
  }

  /**
   * Connects, and brings the schema up to date.
   *
   * @throws ServiceError 08006 where PostgreSQL cannot be reached; others where the schema cannot
   *   be used; the signal's reason
   */
  async open(signal: AbortSignal): Promise<Migrated> {
    const onAbort = (): void => {
      this.#closed.abort(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#open();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** From now on attempts are made in the background until one succeeds. */
  keepTrying(failure: ServiceError): void {
    this.#failure = failure;
    this.#complain(`${failure.message}: ${describeFailure(failure.cause)}; they are tried again`);
    this.#scheduleRetry(FIRST_PAUSE_MS);
  }

  /**
   * The rows of a statement that only reads. A connection that had broken unnoticed is replaced.
   *
   * @throws ServiceError FATAL 08006
   */
  async read(text: string, values: readonly unknown[] = []): Promise<readonly unknown[]> {
    const work = async (query: Query): Promise<readonly unknown[]> => await query(text, values);
    const pool = this.#requirePool();
    try {
      const startedAtMs = performance.now();
      return await use(pool, work).catch(async (error: unknown) => {
        if (!isServerAway(error) || performance.now() - startedAtMs > BROKEN_WITHIN_MS) {
          throw error;
        }
        return await use(pool, work);
      });
    } catch (error) {
      throw this.#explain(error, pool);
    }
  }

  /**
   * Statements in one transaction, which whatever is thrown rolls back.
   *
   * @throws ServiceError FATAL 08006, or what the work throws
   */
  async write<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const pool = this.#requirePool();
    try {
      return await use(pool, async (query) => {
        // Whatever the role's defaults are: each statement sees what is committed before it.
        await query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE', []);
        const result = await work(query);
        await query('COMMIT', []);
        return result;
      });
    } catch (error) {
      throw this.#explain(error, pool);
    }
  }

  /** @throws ServiceError FATAL 08006 where they have never been read */
  get keys(): SharedKeys {
    if (this.#keys === undefined) {
      throw this.#failure;
    }
    return this.#keys;
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#failure = unavailableError(new Error('Gatepost is stopping'));
    this.#closed.abort(this.#failure);
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }

  async #open(): Promise<Migrated> {
    const { config, migrated, keys } = await prepareSchema(this.#options, this.#closed.signal);
    this.#closed.signal.throwIfAborted();
    this.#keys = keys;
    this.#pool = createPool(config);
    if (this.#complaint !== undefined) {
      this.#complaint = undefined;
      this.#options.report('Accounts can be read again');
    }
    if (migrated.applied > 0) {
      this.#options.report(
        `Schema gatepost is at ${migrated.newest} (${migrated.applied} applied)`,
      );
    }
    return migrated;
  }

  #requirePool(): Pool {
    if (this.#pool === undefined) {
      throw this.#failure;
    }
    if (this.#pool.waitingCount >= WAITING_MAX) {
      throw unavailableError(new Error(`${WAITING_MAX} others wait for a connection`));
    }
    return this.#pool;
  }

  /**
   * What callers are told. A server that is away is left alone from then on, and a schema that is
   * gone is made again.
   *
   * @param pool where it was thrown: another one that has been opened since knows nothing of it
   */
  #explain(thrown: unknown, pool: Pool): ServiceError {
    if (thrown instanceof ServiceError) {
      return thrown;
    }
    const error = unavailableError(thrown);
    if (!isServerAway(thrown) && !isSchemaGone(thrown)) {
      this.#failures.tell(`${error.message}: ${describeFailure(thrown)}`);
    } else if (pool === this.#pool) {
      this.#pool = undefined;
      pool.end().catch(() => undefined);
      this.keepTrying(error);
    }
    return error;
  }

  #scheduleRetry(pauseMs: number): void {
    clearTimeout(this.#retry);
    if (this.#closed.signal.aborted) {
      return;
    }
    this.#retry = setTimeout(() => {
      this.#open().catch((error: unknown) => {
        if (error instanceof ServiceError && error.sqlState !== SQLSTATE.connectionFailure) {
          this.#complain(error.message);
        }
        this.#scheduleRetry(Math.min(PAUSE_MS_MAX, 2 * pauseMs));
      });
    }, pauseMs).unref();
  }

  /** Once, until there is something else to say. */
  #complain(message: string): void {
    if (message !== this.#complaint) {
      this.#complaint = message;
      this.#options.report(message);
    }
  }
}

function createPool(config: ClientConfig): Pool {
  const pool = new Pool({
    ...config,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    allowExitOnIdle: true,
  });
  // An idle connection that breaks is replaced when it is needed.
  pool.on('error', () => undefined);
  // One that is in use tells it by its statement; unheard, its event would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Work on a connection of the pool. After any error, and after its time, the connection is ended:
 * its transaction with it, and whatever it was waiting for.
 */
async function use<T>(pool: Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client: PoolClient = await pool.connect();
  let isReleased = false;
  const release = (isBroken: boolean): void => {
    if (!isReleased) {
      isReleased = true;
      client.release(isBroken);
    }
  };
  const timer = setTimeout(release, USE_TIMEOUT_MS, true);
  try {
    const result = await work(async (text, values) => {
      const { rows } = await client.query<Record<string, unknown>>(text, [...values]);
      return rows;
    });
    release(false);
    return result;
  } catch (error) {
    release(true);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
