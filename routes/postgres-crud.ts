// Tables of PostgreSQL as resources.
import { Router } from 'express';
import { contextOf } from './request-context.ts';
import { CrudDatabase } from './postgres-crud-database.ts';
import type { Call, PostgresCrudDependencies } from './postgres-crud-database.ts';
import { listRows } from './postgres-crud-list.ts';
import { createRows, patchRows, removeRows } from './postgres-crud-many.ts';
import { patchRow, readRow, removeRow, replaceRow } from './postgres-crud-row.ts';
import { listAllTables, listSchemaTables } from './postgres-crud-tables.ts';
import { RequestError } from './request-error.ts';

export type { PostgresCrudDependencies } from './postgres-crud-database.ts';

type Handler = (call: Call, database: CrudDatabase) => Promise<void>;

interface Resource {
  /** As Express matches it. */
  readonly path: string;
  /** As logs, metrics and the API's description name it. */
  readonly pattern: string;
  /** By method; GET answers HEAD too. */
  readonly handlers: Readonly<Record<string, Handler>>;
}

const RESOURCES: readonly Resource[] = [
  { path: '/api/postgres', pattern: '/api/postgres', handlers: { GET: listAllTables } },
  {
    path: '/api/postgres/:schema',
    pattern: '/api/postgres/{schema}',
    handlers: { GET: listSchemaTables },
  },
  {
    path: '/api/postgres/:schema/:table',
    pattern: '/api/postgres/{schema}/{table}',
    handlers: { GET: listRows, POST: createRows, PATCH: patchRows, DELETE: removeRows },
  },
  {
    path: '/api/postgres/:schema/:table/*key',
    pattern: '/api/postgres/{schema}/{table}/{key}',
    handlers: { GET: readRow, PUT: replaceRow, PATCH: patchRow, DELETE: removeRow },
  },
];

/** Routes below /api/postgres; every other method on them is answered with 405. */
export function createPostgresCrudRoutes(dependencies: PostgresCrudDependencies): Router {
  const router = Router();
  const database = new CrudDatabase(dependencies);
  for (const { path, pattern, handlers } of RESOURCES) {
    const byMethod = new Map(Object.entries(handlers));
    const allowed = ['GET', 'HEAD', ...byMethod.keys(), 'OPTIONS'];
    const allow = [...new Set(allowed)].join(', ');
    router.all(path, async (request, response) => {
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      if (method === 'OPTIONS') {
        response.set('Allow', allow).status(204).end();
        return;
      }
      const handler = byMethod.get(method);
      if (handler === undefined) {
        throw new RequestError(405, `This path answers ${allow} only`, {
          headers: { Allow: allow },
        });
      }
      const route = `${request.method} ${pattern}`;
      await handler({ request, response, context: contextOf(request), route }, database);
    });
  }
  return router;
}
