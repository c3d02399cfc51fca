// Tables of PostgreSQL as resources.
import { Router } from 'express';
import type { RequestHandler } from 'express';
import { contextOf } from './request-context.ts';
import { CrudDatabase } from './postgres-crud-database.ts';
import type { Call, PostgresCrudDependencies } from './postgres-crud-database.ts';
import { listRows } from './postgres-crud-list.ts';
import { createRows, patchRows, removeRows } from './postgres-crud-many.ts';
import { patchRow, readRow, removeRow, replaceRow } from './postgres-crud-row.ts';
import { listAllTables, listSchemaTables } from './postgres-crud-tables.ts';
import { METHODS, serveMethods } from './serve-methods.ts';
import type { Method } from './serve-methods.ts';

export type { PostgresCrudDependencies } from './postgres-crud-database.ts';

type Handler = (call: Call, database: CrudDatabase) => Promise<void>;

interface Resource {
  /** As Express matches it. */
  readonly path: string;
  /** As logs, metrics and the API's description name it. */
  readonly pattern: string;
  readonly handlers: Readonly<Partial<Record<Method, Handler>>>;
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
    handlers: { get: listRows, post: createRows, patch: patchRows, delete: removeRows },
  },
  {
    path: '/api/postgres/:schema/:table/*key',
    pattern: '/api/postgres/{schema}/{table}/{key}',
    handlers: { get: readRow, put: replaceRow, patch: patchRow, delete: removeRow },
  },
];

/** Routes below /api/postgres; every other method on them is answered with 405. */
export function createPostgresCrudRoutes(dependencies: PostgresCrudDependencies): Router {
  const router = Router();
  const database = new CrudDatabase(dependencies);
  for (const { path, pattern, handlers } of RESOURCES) {
    const served: Partial<Record<Method, RequestHandler>> = {};
    for (const method of METHODS) {
      const handler = handlers[method];
      if (handler !== undefined) {
        served[method] = async (request, response) => {
          const route = `${request.method} ${pattern}`;
          await handler({ request, response, context: contextOf(request), route }, database);
        };
      }
    }
    serveMethods(router, path, served);
  }
  return router;
}
