// The seam between REST and the databases: statements of many callers over few connections.
import type { Guard } from '../guardrails/guard.ts';
import type { BackendEvent, Column, Row } from './backend.ts';

/** What a statement may do: sessions of readers cannot write, whatever the text says. */
export type Access = 'read-only' | 'read-write';

/** How one statement is run. */
export interface StatementRun {
  /** Counts what is delivered and says where to stop. */
  readonly guard: Guard;
  /** Aborted to stop the statement on the server, with a ServiceError as its reason. */
  readonly signal: AbortSignal;
  readonly access: Access;
  /** The only databases that the statement may use, by name; undefined is all. */
  readonly databases?: readonly string[] | undefined;
  /** What the server shows of who asked: route and request id. */
  readonly label: string;
}

/**
 * A step of an answer. Each result is `columns`, any number of `rows`, `complete`; a statement
 * without rows is `complete` alone. A failed statement throws a ServiceError instead.
 */
export type ResultEvent = Extract<
  BackendEvent,
  { kind: 'columns' | 'rows' | 'notice' | 'complete' | 'empty' }
>;

export function isResultEvent(event: BackendEvent): event is ResultEvent {
  return RESULT_KINDS.has(event.kind);
}

const RESULT_KINDS: ReadonlySet<string> = new Set([
  'columns',
  'rows',
  'notice',
  'complete',
  'empty',
]);

export type ResultEvents = AsyncGenerator<ResultEvent, void, undefined>;

/** A result in memory: for what is known to be small. */
export interface CollectedResult {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Of the last statement; empty when there was none. */
  readonly commandTag: string;
}

/**
 * Gathers the last result of a statement; the guard bounds it.
 *
 * @throws ServiceError what the statement failed with
 */
export async function collectResult(events: ResultEvents): Promise<CollectedResult> {
  let columns: readonly Column[] = [];
  let rows: Row[] = [];
  let commandTag = '';
  for await (const event of events) {
    if (event.kind === 'columns') {
      columns = event.columns;
      rows = [];
    } else if (event.kind === 'rows') {
      rows.push(...event.rows);
    } else if (event.kind === 'complete') {
      commandTag = event.commandTag;
    }
  }
  return { columns, rows, commandTag };
}

/** A statement of SQL. */
export interface SqlStatement {
  readonly text: string;
  /**
   * Values of $1, $2 … in text format, null for NULL; the server infers their types. Undefined
   * runs the text as it is, several statements too; with parameters it is one statement.
   */
  readonly parameters?: readonly (string | null)[] | undefined;
  /**
   * Whether the text is ours. Unset for what a user wrote.
   */
  readonly isOwn?: boolean;
  /**
   * Whether nothing of a user's runs with it, so that the session need not be reset: no trigger,
   * no default, no view, no row policy.
   */
  readonly isPlainRead?: boolean;
}

/** Connections to PostgreSQL that are shared by statements. */
export interface SqlPool {
  /** @throws ServiceError, what the policy, the guardrails or the server say */
  query(statement: SqlStatement, run: StatementRun): ResultEvents;
}

/** A statement for MongoDB: shell text, or a command document as the driver takes it. */
export type MongoStatement =
  | { readonly database: string | undefined; readonly text: string }
  | {
      readonly database: string | undefined;
      readonly command: Readonly<Record<string, unknown>>;
    };

/** A client of MongoDB that is shared by statements. */
export interface MongoPool {
  /** Rows of one column, lossless Extended JSON, as on the wire. */
  query(statement: MongoStatement, run: StatementRun): ResultEvents;
  /**
   * The decoded reply of one command: Long, Int32, Double as the driver's classes.
   *
   * @throws ServiceError with `serverCode` where the server says no, write errors included
   */
  command(
    database: string,
    command: Readonly<Record<string, unknown>>,
    run: StatementRun,
  ): Promise<Readonly<Record<string, unknown>>>;
}
