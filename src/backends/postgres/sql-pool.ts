// PostgreSQL for REST: sessions of the wire's own kind, shared by statements of many callers.
import { Pool, TimeoutError } from 'tarn';
import type { PoolConfig } from '../../config-api.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { SqlPolicy } from '../../guardrails/sql-policy.ts';
import type { Backend } from '../backend.ts';
import { Outage } from '../outage.ts';
import type { Access, ResultEvents, SqlPool, SqlStatement, StatementRun } from '../pool.ts';
import { PooledSession } from './pooled-session.ts';

/** How long one connection may take to be opened. */
const CONNECT_TIMEOUT_MS = 5000;

/** Callers that wait for a connection at a time; whoever comes then is told to come later. */
const WAITING_MAX = 1000;

/** One kind of sessions, and what may run in them. */
export interface AccessOptions {
  /** Opens sessions that are read-only, or not. */
  readonly backend: Pick<Backend, 'open'>;
  /** For statements of users. */
  readonly policy: SqlPolicy | undefined;
  /** For statements of ours, whose access is known: the lists of the operator. */
  readonly ownPolicy: SqlPolicy | undefined;
}

export interface SqlPoolOptions {
  readonly access: Readonly<Record<Access, AccessOptions>>;
  readonly pool: PoolConfig;
}

export interface ClosableSqlPool extends SqlPool {
  /** Ends the connections; those that are in use once they have been given back. */
  close(): Promise<void>;
}

/** Readers and writers have connections of their own. Nothing is connected until it is needed. */
export function createSqlPool({ access, pool }: SqlPoolOptions): ClosableSqlPool {
  const outage = new Outage();
  const sessions: Record<Access, SessionPool> = {
    'read-only': new SessionPool(access['read-only'].backend, pool, outage),
    'read-write': new SessionPool(access['read-write'].backend, pool, outage),
  };
  return {
    query: (statement, run) => runStatement(statement, run, { sessions, access }),
    close: async () => {
      await Promise.all(Object.values(sessions).map(async (one) => await one.close()));
    },
  };
}

async function* runStatement(
  statement: SqlStatement,
  run: StatementRun,
  { sessions, access }: Pick<SqlPoolOptions, 'access'> & { sessions: Record<Access, SessionPool> },
): ResultEvents {
  const pool = sessions[run.access];
  const { policy, ownPolicy } = access[run.access];
  const isOwn = statement.isOwn === true;
  const session = await pool.acquire(run.signal);
  try {
    const judge = isOwn ? ownPolicy : policy;
    const refusal = judge?.admit(Buffer.from(statement.text, 'utf8'), session.lexicalSettings);
    if (refusal !== undefined) {
      throw refusal;
    }
    yield* session.run(statement, run);
    if (session.isInTransaction) {
      yield { kind: 'notice', notice: ROLLED_BACK };
    }
  } finally {
    // Not waited for: the caller has its answer.
    void giveBack(session, pool, statement.isPlainRead === true);
  }
}

const ROLLED_BACK = {
  severity: 'WARNING',
  sqlState: SQLSTATE.warning,
  message: 'The transaction was left open and has been rolled back',
  hint: 'Send BEGIN, the statements and COMMIT in one request',
};

async function giveBack(
  session: PooledSession,
  pool: SessionPool,
  isPlainRead: boolean,
): Promise<void> {
  if (!session.isGone && (!isPlainRead || session.isInTransaction)) {
    await session.reset();
  }
  pool.release(session);
}

class SessionPool {
  readonly #pool: Pool<PooledSession>;
  readonly #config: PoolConfig;

  constructor(backend: Pick<Backend, 'open'>, config: PoolConfig, outage: Outage) {
    this.#config = config;
    this.#pool = new Pool<PooledSession>({
      min: 0,
      max: config.connectionsMax,
      create: async () =>
        await outage.attempt(
          async () => await PooledSession.open(backend, AbortSignal.timeout(CONNECT_TIMEOUT_MS)),
        ),
      destroy: async (session: PooledSession) => {
        await session.close();
      },
      validate: (session) => !session.isGone,
      acquireTimeoutMillis: config.acquireTimeoutMs,
      createTimeoutMillis: CONNECT_TIMEOUT_MS + 1000,
      idleTimeoutMillis: config.idleTimeoutMs,
      propagateCreateError: true,
    });
  }

  /** @throws ServiceError 53300 when all stay busy, 08001 and others as the server says */
  async acquire(signal: AbortSignal): Promise<PooledSession> {
    signal.throwIfAborted();
    if (this.#pool.numPendingAcquires() >= WAITING_MAX) {
      throw this.#busyError();
    }
    const pending = this.#pool.acquire();
    const onAbort = (): void => {
      pending.abort();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await pending.promise;
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof TimeoutError ? this.#busyError() : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  release(session: PooledSession): void {
    this.#pool.release(session);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #busyError(): ServiceError {
    const { connectionsMax, acquireTimeoutMs } = this.#config;
    return new ServiceError(
      SQLSTATE.tooManyConnections,
      `All ${connectionsMax} connections of the API to PostgreSQL are busy`,
      {
        detail: `None became free in ${acquireTimeoutMs} ms`,
        hint: 'Try again; POSTGRES_POOL_MAX and POSTGRES_POOL_ACQUIRE_TIMEOUT are the limits',
      },
    );
  }
}
