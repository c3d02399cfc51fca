// How the routes of PostgreSQL's tables reach the database: under the guardrails, the operator's
// table rules, and with a catalog that may be a moment old.
import type { Request, Response } from 'express';
import { collectResult } from '../src/backends/pool.ts';
import type { Row } from '../src/backends/backend.ts';
import type { Access, CollectedResult, SqlPool, SqlStatement } from '../src/backends/pool.ts';
import { createTableCatalog } from '../src/backends/postgres/table-catalog.ts';
import type { CrudTable, TableName } from '../src/backends/postgres/crud-table.ts';
import type { Limits } from '../src/config.ts';
import { ServiceError } from '../src/errors.ts';
import type { Guard } from '../src/guardrails/guard.ts';
import { limitsOf } from './account-limits.ts';
import { UNCACHED } from './cached-answers.ts';
import type { CachedAnswers } from './cached-answers.ts';
import type { RequestContext } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { READ_METHODS } from './serve-methods.ts';
import { StatementProblem } from './statement-problem.ts';
import type { StatementRunner } from './statement-run.ts';
import type { TableVisibility, Visibility } from './table-rules.ts';

export interface PostgresCrudDependencies {
  readonly runner: StatementRunner;
  readonly pool: SqlPool;
  readonly limits: Limits;
  readonly rules: TableVisibility;
  /** UNCACHED unless said. */
  readonly cached?: CachedAnswers | undefined;
}

/** One request, and what its statements are called in the audit. */
export interface Call {
  readonly request: Request;
  readonly response: Response;
  readonly context: RequestContext;
  readonly route: string;
}

export interface Answer extends CollectedResult {
  readonly guard: Guard;
}

/** What we ask for ourselves, such as the columns of a table, is small, and no answer if cut. */
const OWN_ROWS_MAX = 1600;
const OWN_BYTES_MAX = 16 * 1024 * 1024;

/** Of a table that was dropped or changed since the catalog was read. */
const STALE: ReadonlySet<string> = new Set(['42P01', '42703']);

/** Of values: the whole class of data exceptions, and the rules of domains and tables. */
const DATA_EXCEPTION_CLASS = '22';
const CHECK_VIOLATION = '23514';

/** Of a function that this server does not have. */
const UNDEFINED_FUNCTION = '42883';

/** Whether the server refuses a value that it was given. */
export function isValueRefusal(thrown: unknown): thrown is ServiceError {
  return (
    thrown instanceof ServiceError &&
    (thrown.sqlState.startsWith(DATA_EXCEPTION_CLASS) || thrown.sqlState === CHECK_VIOLATION)
  );
}

/** What a request wants of which table. */
interface TableUse {
  readonly name: TableName;
  readonly isWrite: boolean;
  /** Whether the catalog is asked anew: what is a row's key must not be a memory. */
  readonly isFresh?: boolean;
}

interface TableWrite {
  readonly table: TableName;
  readonly statement: SqlStatement;
  /** Rows that it can return. */
  readonly rowsMax: number;
}

export class CrudDatabase {
  readonly #dependencies: PostgresCrudDependencies;
  readonly #catalog = createTableCatalog();
  #canJudge = true;

  constructor(dependencies: PostgresCrudDependencies) {
    this.#dependencies = dependencies;
  }

  /** Where answers are kept, and what has to learn of writes. */
  get cached(): CachedAnswers {
    return this.#dependencies.cached ?? UNCACHED;
  }

  /** The limits of results for whoever asks. */
  limitsOf({ context }: Call): Limits {
    return limitsOf(context, this.#dependencies.limits);
  }

  /** Whether the operator lets this table be seen. */
  visibility({ schema, table }: TableName): ReturnType<TableVisibility['visibility']> {
    return this.#dependencies.rules.visibility('postgres', schema, table);
  }

  /** Whether no row of it is ever written over the API. */
  isReadOnly(relation: TableName & Pick<CrudTable, 'kind'>): boolean {
    return isView(relation) || this.visibility(relation) === 'read-only';
  }

  /**
   * Runs a statement that reads; the result is cut at the limits, and its guard says so.
   *
   * @throws StatementProblem 400 for a value of the path or the query string that is refused
   */
  async read(call: Call, statement: SqlStatement, limits = this.limitsOf(call)): Promise<Answer> {
    try {
      return await this.#ask(call, statement, { access: 'read-only', limits });
    } catch (thrown) {
      throw isValueRefusal(thrown) ? new StatementProblem(thrown, { status: 400 }) : thrown;
    }
  }

  /** Runs a statement whose answer we have to know whole, whatever the limits of results are. */
  async look(call: Call, statement: SqlStatement, rowsMax = OWN_ROWS_MAX): Promise<Answer> {
    const own = { rowsMax, bytesMax: OWN_BYTES_MAX };
    return await this.read(call, statement, { ...this.#dependencies.limits, ...own });
  }

  /** Rows of judgeValues; none where the server cannot tell. */
  async judge(call: Call, statement: SqlStatement): Promise<readonly Row[]> {
    if (!this.#canJudge) {
      return [];
    }
    try {
      return (await this.look(call, statement)).rows;
    } catch (thrown) {
      // What could not be found out is not told; the refusal itself is.
      this.#canJudge = !(thrown instanceof ServiceError && thrown.sqlState === UNDEFINED_FUNCTION);
      return [];
    }
  }

  /** Runs a statement that writes, after which no answer is given that was read before. */
  async write(call: Call, write: TableWrite): Promise<Answer> {
    const { schema: container, table: name } = write.table;
    const { queryTimeoutMs: timeoutMs } = this.#dependencies.limits;
    return await this.cached.write(
      { backend: 'postgres', container, name, timeoutMs },
      async () => await this.#write(call, write),
    );
  }

  async #write(call: Call, { statement, rowsMax }: TableWrite): Promise<Answer> {
    // A reader has not come here; if one has, the session that it gets cannot write.
    const access = call.context.scope === 'read' ? 'read-only' : 'read-write';
    const { limits: configured } = this.#dependencies;
    const limits = { ...configured, rowsMax: Math.max(rowsMax, configured.rowsMax) };
    const answer = await this.#ask(call, statement, { access, limits });
    if (answer.guard.exceeded !== undefined) {
      throw answer.guard.cutError('Whether the write was done has to be looked up');
    }
    return answer;
  }

  /**
   * Does something with a table. When the table proves to be another one by now, nothing was done:
   * then it is done once more with what the catalog says now.
   *
   * @throws RequestError 404 for what is not there or hidden, 403 and 405 for what is not written
   */
  async withTable<T>(
    call: Call,
    use: TableUse,
    action: (table: CrudTable) => Promise<T>,
  ): Promise<T> {
    try {
      return await action(await this.#find(call, use));
    } catch (error) {
      const isStale = error instanceof ServiceError && STALE.has(error.sqlState);
      if (!isStale || !this.#catalog.forget(use.name) || call.response.headersSent) {
        throw error;
      }
      return await action(await this.#find(call, use));
    }
  }

  async #find(call: Call, { name, isWrite, isFresh = false }: TableUse): Promise<CrudTable> {
    if (isFresh) {
      this.#catalog.forget(name);
    }
    const visibility = this.visibility(name);
    const table =
      visibility === 'hidden' || `${name.schema}${name.table}`.includes('\0')
        ? undefined
        : await this.#catalog.find(name, async (statement) => await this.look(call, statement));
    if (table === undefined) {
      throw new RequestError(404, 'There is no such table, or it is not shown');
    }
    if (isWrite) {
      assertWritable(table, visibility);
    }
    return table;
  }

  async #ask(
    call: Call,
    statement: SqlStatement,
    { access, limits }: { readonly access: Access; readonly limits: Limits },
  ): Promise<Answer> {
    const { runner, pool } = this.#dependencies;
    const { context, route } = call;
    const { events, summary } = runner.run(
      {
        context,
        backend: 'postgres',
        database: '',
        text: statement.text,
        // What a cut means is for the caller to say, who knows whether the rest can be had.
        limits: { ...limits, onLimit: 'truncate' },
        access,
        route,
      },
      (run) => pool.query(statement, run),
    );
    return { ...(await collectResult(events)), guard: summary.guard };
  }
}

function isView({ kind }: Pick<CrudTable, 'kind'>): boolean {
  return kind === 'view' || kind === 'materialized-view';
}

function assertWritable(table: CrudTable, visibility: Visibility): void {
  if (visibility === 'read-only') {
    throw new RequestError(403, 'This table can only be read over the API', {
      hint: 'Its name is matched by API_READ_ONLY',
    });
  }
  if (isView(table)) {
    throw new RequestError(405, 'A view can only be read over the API', {
      hint: 'Write to the tables that it is made of',
      headers: { Allow: READ_METHODS },
    });
  }
}
