// Tables of PostgreSQL as resources.
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { contextOf } from './request-context.ts';
import { CrudDatabase } from './postgres-crud-database.ts';
import type { Call, PostgresCrudDependencies } from './postgres-crud-database.ts';
import { answerCached } from './postgres-crud-cache.ts';
import { listRows } from './postgres-crud-list.ts';
import { createRows, patchRows, removeRows } from './postgres-crud-many.ts';
import { readKeySegments, readTableName, resolveKey } from './postgres-crud-request.ts';
import { patchRow, readRow, removeRow, replaceRow } from './postgres-crud-row.ts';
import { listAllTables, listSchemaTables } from './postgres-crud-tables.ts';
import { METHODS, serveMethods } from './serve-methods.ts';
import type { Method, ReadServedMethods } from './serve-methods.ts';

export type { PostgresCrudDependencies } from './postgres-crud-database.ts';

type Handler = (call: Call, database: CrudDatabase) => Promise<void>;

interface Resource {
  /** As Express matches it. */
  readonly path: string;
  /** As logs, metrics and the API's description name it. */
  readonly pattern: string;
  readonly handlers: Readonly<Partial<Record<Method, Handler>>>;
  /** Whether the path names a row of a table or a table; undefined for what is only read. */
  readonly names?: 'row' | 'table';
}

const RESOURCES: readonly Resource[] = [
  { path: '/api/postgres', pattern: '/api/postgres', handlers: { get: listAllTables } },
  {
    path: '/api/postgres/:schema',
    pattern: '/api/postgres/{schema}',
    handlers: { get: listSchemaTables },
  },
  {
    path: '/api/postgres/:schema/:table',
    pattern: '/api/postgres/{schema}/{table}',
    names: 'table',
    handlers: { get: listRows, post: createRows, patch: patchRows, delete: removeRows },
  },
  {
    path: '/api/postgres/:schema/:table/*key',
    pattern: '/api/postgres/{schema}/{table}/{key}',
    names: 'row',
    handlers: { get: readRow, put: replaceRow, patch: patchRow, delete: removeRow },
  },
];

/** Routes below /api/postgres; every other method on them is answered with 405. */
export function createPostgresCrudRoutes(dependencies: PostgresCrudDependencies): Router {
  const router = Router();
  const database = new CrudDatabase(dependencies);
  for (const { path, pattern, handlers, names } of RESOURCES) {
    const toCall = (request: Request, response: Response): Call => {
      const route = `${request.method} ${pattern}`;
      return { request, response, context: contextOf(request), route };
    };
    const served: Partial<Record<Method, RequestHandler>> = {};
    for (const method of METHODS) {
      const handler = handlers[method];
      if (handler !== undefined) {
        // Lists of tables are as old as the catalog, and not cached beyond that.
        const isCached = method === 'get' && names !== undefined;
        served[method] = async (request, response) => {
          const call = toCall(request, response);
          const run = async (): Promise<void> => await handler(call, database);
          await (isCached ? answerCached(call, database, run) : run());
        };
      }
    }
    const readServed: ReadServedMethods = async (request, response) =>
      await readMethods(toCall(request, response), database, names === 'row');
    serveMethods(router, path, served, names && readServed);
  }
  return router;
}

async function readMethods(
  call: Call,
  database: CrudDatabase,
  isOfRow: boolean,
): ReturnType<ReadServedMethods> {
  const name = readTableName(call.request);
  return await database.withTable(call, { name, isWrite: false }, (table) => {
    if (isOfRow) {
      resolveKey(table, readKeySegments(call.request));
    }
    return Promise.resolve(database.isReadOnly(table) ? 'reads' : 'all');
  });
}
