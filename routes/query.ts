// POST /query: a statement for either database, under the same guardrails as on the wire.
import { Router } from 'express';
import type { Request, Response } from 'express';
import { isLosslessNumber, stringify } from 'lossless-json';
import type {
  Access,
  MongoPool,
  MongoStatement,
  SqlPool,
  SqlStatement,
} from '../src/backends/pool.ts';
import type { Limits } from '../src/config.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import { limitsOf } from './account-limits.ts';
import { UNCACHED } from './cached-answers.ts';
import type { CachedAnswers } from './cached-answers.ts';
import { backendTag } from './cached-key.ts';
import { toCommandDocument } from './command-document.ts';
import { readJsonBody } from './json-body.ts';
import { narrowByRequest } from './query-limits.ts';
import { isDocument, parseQuery } from './query-schema.ts';
import type { MongoQuery, SqlQuery } from './query-schema.ts';
import { contextOf } from './request-context.ts';
import type { RequestContext } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { negotiateFormat } from './result-format.ts';
import type { ResultFormat } from './result-format.ts';
import type { ResultShape } from './result-writer.ts';
import { streamResults } from './row-stream.ts';
import { serveMethods } from './serve-methods.ts';
import { holdsSeveralCommands, holdsSeveralStatements } from './statement-count.ts';
import type { GuardedStatement, StatementRunner } from './statement-run.ts';

/** A database that queries can be sent to, and the most that one may take. */
export interface QueryBackend<Pool> {
  readonly pool: Pool;
  readonly limits: Limits;
}

export interface QueryDependencies {
  readonly runner: StatementRunner;
  /** Undefined where the database is not served. */
  readonly postgres: QueryBackend<SqlPool> | undefined;
  readonly mongodb: QueryBackend<MongoPool> | undefined;
  /** UNCACHED unless said. */
  readonly cached?: CachedAnswers | undefined;
}

const PATH = '/query';
const ROUTE = 'POST /query';

/** Beyond the statement's own time: for a client that reads its answer slowly. */
const ANSWER_GRACE_MS = 30_000;

/** What a timer of Node can hold. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Answers at /query only. Bodies have been read by parseJsonBody. */
export function createQueryRoutes(dependencies: QueryDependencies): Router {
  const router = Router();
  serveMethods(router, PATH, {
    post: async (request, response) => {
      const format = negotiateFormat(request);
      const query = parseQuery(readJsonBody(request));
      const database = databaseOf(request, query);
      const context = contextOf(request);
      const asked = { query, database, format, context };
      const opened =
        query.backend === 'postgres'
          ? askPostgres({ ...asked, query }, dependencies)
          : askMongodb({ ...asked, query }, dependencies);
      response.setTimeout(Math.min(opened.limits.queryTimeoutMs + ANSWER_GRACE_MS, TIMER_MAX_MS));
      await answerQuery(response, { ...asked, ...opened }, dependencies.cached ?? UNCACHED);
    },
  });
  return router;
}

interface Asked<Query> {
  readonly query: Query;
  readonly database: string | undefined;
  readonly format: ResultFormat;
  readonly context: RequestContext;
}

/** A statement that begins to run when its events are asked for. */
interface Opened {
  readonly statement: GuardedStatement;
  readonly shape: ResultShape;
  readonly limits: Limits;
  /** What is sent to the database, other than `query` in that all of it has been read. */
  readonly sent: readonly string[];
}

/** Runs the statement, or takes the answer of another run where the query wants that. */
async function answerQuery(
  response: Response,
  { query, context, format, statement, shape, limits, sent }: Asked<SqlQuery | MongoQuery> & Opened,
  cached: CachedAnswers,
): Promise<void> {
  const run = async (): Promise<void> =>
    await streamResults(response, statement, { format, shape });
  const { backend, cacheSeconds } = query;
  if (cacheSeconds === undefined) {
    await run();
    return;
  }
  const question = {
    response,
    context,
    backend,
    wish: { maxAgeSeconds: cacheSeconds },
    key: ['query', ...sent, JSON.stringify(shape), format.name, JSON.stringify(limits)],
    tags: [backendTag(backend)],
    timeoutMs: limits.queryTimeoutMs,
  };
  await cached.answer(question, async () => {
    try {
      await run();
    } catch (thrown) {
      throw toCacheRefusal(thrown, context);
    }
  });
}

/** Who may write otherwise has to be told why not here. */
function toCacheRefusal(thrown: unknown, { scope }: RequestContext): unknown {
  const isOfCache =
    thrown instanceof ServiceError &&
    thrown.sqlState === SQLSTATE.readOnlyTransaction &&
    scope !== 'read';
  return isOfCache
    ? new ServiceError(thrown.sqlState, thrown.message, {
        hint: 'Leave out cacheSeconds: with it a statement can only read',
      })
    : thrown;
}

function askPostgres(
  { query, format, context }: Asked<SqlQuery>,
  { runner, postgres }: QueryDependencies,
): Opened {
  const { pool, limits } = servedOr404(postgres, 'postgres');
  const { sql: text, params, rowMode = 'object' } = query;
  const isSeveral = params === undefined && holdsSeveralStatements(text);
  const narrowed = limitsFor(format, narrowByRequest(limitsOf(context, limits), query), isSeveral);
  const statement = { text, parameters: parametersOf(text, params, isSeveral) };
  return {
    shape: { backend: 'postgres', rowMode, isSeveral },
    limits: narrowed,
    sent: [text, JSON.stringify(statement.parameters ?? null)],
    statement: runner.run(
      {
        context,
        backend: 'postgres',
        database: '',
        text,
        limits: narrowed,
        access: accessOf(context, query),
        route: ROUTE,
      },
      (run) => pool.query(statement, run),
    ),
  };
}

function askMongodb(
  { query, database, format, context }: Asked<MongoQuery>,
  { runner, mongodb }: QueryDependencies,
): Opened {
  const { pool, limits } = servedOr404(mongodb, 'mongodb');
  const { text, statement } = mongoStatementOf(query, database);
  const isSeveral = 'text' in statement && holdsSeveralCommands(statement.text);
  const narrowed = limitsFor(format, narrowByRequest(limitsOf(context, limits), query), isSeveral);
  return {
    shape: { backend: 'mongodb', rowMode: 'object', isSeveral },
    limits: narrowed,
    sent: ['text' in statement ? 'text' : 'command', text, JSON.stringify(database ?? null)],
    statement: runner.run(
      {
        context,
        backend: 'mongodb',
        database: database ?? '',
        text,
        limits: narrowed,
        access: accessOf(context, query),
        route: ROUTE,
      },
      (run) => pool.query(statement, run),
    ),
  };
}

/**
 * What a caller may do is a matter of the session that the statement runs in. A write that was
 * answered out of the cache would not have been done.
 */
function accessOf({ scope }: RequestContext, { cacheSeconds }: SqlQuery | MongoQuery): Access {
  return scope === 'read' || cacheSeconds !== undefined ? 'read-only' : 'read-write';
}

/** CSV holds one result, and cannot say that it was cut: a limit is an error there. */
function limitsFor({ name }: ResultFormat, limits: Limits, isSeveral: boolean): Limits {
  if (name !== 'csv') {
    return limits;
  }
  if (isSeveral) {
    throw new RequestError(
      400,
      'CSV has a place for one result, and these are several statements',
      {
        hint: 'Send them one by one, or accept application/x-ndjson',
      },
    );
  }
  return { ...limits, onLimit: 'error' };
}

function servedOr404<Pool>(
  backend: QueryBackend<Pool> | undefined,
  name: SqlQuery['backend'] | MongoQuery['backend'],
): QueryBackend<Pool> {
  if (backend === undefined) {
    throw new RequestError(404, `There is no ${name} here`, {
      hint: 'GET /health lists the databases that are served',
    });
  }
  return backend;
}

/** Statements that run the same in a batch of their own, with their values or without. */
const PLAIN_STATEMENT = /^\s*(?:select|insert|update|delete|merge|with|values|table|show)\b/i;

/**
 * Text for $1, $2 …. A plain statement goes with none as one that has parameters, which takes one
 * round trip and cannot become two statements. Others cannot: VACUUM has to run by itself.
 */
function parametersOf(
  sql: string,
  params: readonly unknown[] | undefined,
  isSeveral: boolean,
): SqlStatement['parameters'] {
  if (params !== undefined) {
    return params.map(toParameter);
  }
  return !isSeveral && PLAIN_STATEMENT.test(sql) ? [] : undefined;
}

/** A value in PostgreSQL's text format; documents and lists as JSON. */
function toParameter(value: unknown): string | null {
  if (value === null || typeof value === 'string') {
    return value;
  }
  return isLosslessNumber(value) ? value.value : (stringify(value) ?? null);
}

function mongoStatementOf(
  { command }: MongoQuery,
  database: string | undefined,
): { readonly text: string; readonly statement: MongoStatement } {
  if (typeof command === 'string') {
    return { text: command, statement: { database, text: command } };
  }
  const document = isDocument(command) ? command : {};
  return {
    text: stringify(document) ?? '',
    statement: { database, command: toCommandDocument(document) },
  };
}

/** Of the body or of `?database=`, which have to agree. */
function databaseOf(request: Request, query: SqlQuery | MongoQuery): string | undefined {
  const asked: Readonly<Record<string, unknown>> = request.query;
  const unknown = Object.keys(asked).filter((name) => name !== 'database');
  if (unknown.length > 0) {
    throw new RequestError(400, 'A query parameter is not known here', {
      hint: 'What the query takes is in its body; only ?database= may stand beside it',
      fields: unknown.map((field) => ({ field, message: 'is not known here' })),
    });
  }
  const { database } = asked;
  if (query.backend === 'postgres') {
    if (database !== undefined) {
      throw new RequestError(400, 'PostgreSQL is served with the database it is configured with', {
        hint: 'Leave out ?database=, and name a table as schema.table',
      });
    }
    return undefined;
  }
  const isClear =
    database === undefined || query.database === undefined || database === query.database;
  if (!isClear || Array.isArray(database)) {
    throw new RequestError(400, 'The database is named twice, and not the same');
  }
  return typeof database === 'string' ? database : query.database;
}
