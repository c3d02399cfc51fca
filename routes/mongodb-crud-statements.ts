// Runs the commands of the CRUD routes, and tells their errors as answers to those.
import type { Request } from 'express';
import { ServiceError } from '../src/errors.ts';
import { collectResult } from '../src/backends/pool.ts';
import type { Access, MongoPool } from '../src/backends/pool.ts';
import { formatCommand } from '../src/backends/mongodb/crud-text.ts';
import type { Limits } from '../src/config.ts';
import type { Guard } from '../src/guardrails/guard.ts';
import { limitsOf } from './account-limits.ts';
import { UNCACHED } from './cached-answers.ts';
import type { CachedAnswers } from './cached-answers.ts';
import { contextOf } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { READ_METHODS } from './serve-methods.ts';
import { LIST_BYTES_MAX } from './list-parameters.ts';
import type { StatementRequest, StatementRunner } from './statement-run.ts';
import type { TableVisibility } from './table-rules.ts';

/** A document has 16 MiB at most; as text it can be some times as long. */
const ANSWER_BYTES_MAX = 3 * LIST_BYTES_MAX;

export interface MongodbCrudDependencies {
  readonly runner: StatementRunner;
  readonly pool: MongoPool;
  readonly limits: Limits;
  readonly rules: TableVisibility;
  /** UNCACHED unless said. */
  readonly cached?: CachedAnswers | undefined;
}

export interface CrudStatement {
  readonly database: string;
  readonly command: Readonly<Record<string, unknown>>;
  readonly access: Access;
  /** Of what we ask for ourselves, which the limits of results are not for. */
  readonly rowsMax?: number;
}

export interface CrudRows {
  /** Lossless Extended JSON. */
  readonly rows: readonly Buffer[];
  /** Says whether there were more than may be delivered. */
  readonly guard: Guard;
}

/** The statements of one request. */
export interface CrudStatements {
  /** The documents of a cursor, or the reply as one. */
  rows(statement: CrudStatement): Promise<CrudRows>;
  /** The decoded reply. */
  reply(statement: CrudStatement): Promise<Readonly<Record<string, unknown>>>;
}

export function createCrudStatements(
  request: Request,
  { runner, pool, limits: configured, cached = UNCACHED }: MongodbCrudDependencies,
): CrudStatements {
  const limits = limitsOf(contextOf(request), configured);
  const toRequest = ({ database, command, access, rowsMax }: CrudStatement): StatementRequest => ({
    context: contextOf(request),
    backend: 'mongodb',
    database,
    text: formatCommand(command),
    // A page that is cut is a shorter page with a link to the rest.
    limits: {
      ...limits,
      rowsMax: rowsMax ?? limits.rowsMax,
      bytesMax:
        rowsMax === undefined ? Math.min(limits.bytesMax, ANSWER_BYTES_MAX) : ANSWER_BYTES_MAX,
      onLimit: 'truncate',
    },
    access,
    route: routeOf(request),
  });
  // After a write no answer is given that was read before.
  const noted = async <T>(
    { database: container, access }: CrudStatement,
    run: () => Promise<T>,
  ): Promise<T> => {
    if (access === 'read-only') {
      return await explained(run);
    }
    const name = String(request.params['collection']);
    const { queryTimeoutMs: timeoutMs } = limits;
    const write = { backend: 'mongodb', container, name, timeoutMs } as const;
    return await explained(async () => await cached.write(write, run));
  };
  return {
    rows: async (statement) =>
      await noted(statement, async () => {
        const { events, summary } = runner.run(toRequest(statement), (run) =>
          pool.query(statement, run),
        );
        const { rows } = await collectResult(events);
        return { rows: rows.map(([value]) => value ?? Buffer.from('null')), guard: summary.guard };
      }),
    reply: async (statement) =>
      await noted(
        statement,
        async () =>
          await runner.ask(
            toRequest(statement),
            async (run) => await pool.command(statement.database, statement.command, run),
          ),
      ),
  };
}

/** Method and pattern, without what the client filled in. */
function routeOf({ method, params }: Request): string {
  const parts = ['database', 'collection', 'id'].filter((name) => params[name] !== undefined);
  return [`${method} /api/mongodb`, ...parts.map((name) => `{${name}}`)].join('/');
}

/** MongoDB's codes for what is wrong with the path of a request. */
const SERVER_CODES = {
  invalidNamespace: 73,
  viewNotWritable: 166,
  databaseDiffersInCase: 13297,
  /** Of an update with operators, and of a whole document. */
  documentTooLarge: 17419,
  replacementTooLarge: 17420,
} as const;

/** What is not there, by its name or by the rules; nobody is told which. */
export function createNotFound(): RequestError {
  return new RequestError(404, 'There is no such collection here');
}

async function explained<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    throw thrown instanceof ServiceError ? (toRequestError(thrown) ?? thrown) : thrown;
  }
}

function toRequestError({ serverCode }: ServiceError): RequestError | undefined {
  switch (serverCode) {
    case SERVER_CODES.viewNotWritable:
      return new RequestError(405, 'This is a view: it can be read only', {
        headers: { Allow: READ_METHODS },
      });
    case SERVER_CODES.invalidNamespace:
    case SERVER_CODES.databaseDiffersInCase:
      return createNotFound();
    case SERVER_CODES.documentTooLarge:
    case SERVER_CODES.replacementTooLarge:
      return new RequestError(413, 'A document would be larger than 16 MiB, which none can be');
    default:
      return undefined;
  }
}
