// CRUD over the collections of MongoDB: /api/mongodb/{database}/{collection}/{id}.
import { Router } from 'express';
import type { RequestHandler } from 'express';
import { createCatalogHandlers } from './mongodb-crud-catalog.ts';
import { createCollectionHandlers } from './mongodb-crud-collection.ts';
import { createDocumentHandlers } from './mongodb-crud-document.ts';
import { createListHandler } from './mongodb-crud-list.ts';
import type { MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { RequestError } from './request-error.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

type Handlers = Readonly<Partial<Record<(typeof METHODS)[number], RequestHandler>>>;

/** The whole paths; scopes have been asked for and bodies read before. */
export function createMongodbCrudRoutes(dependencies: MongodbCrudDependencies): Router {
  const router = Router();
  const { databases, collections } = createCatalogHandlers(dependencies);
  const { create, patchMany, removeMany } = createCollectionHandlers(dependencies);
  const { read, replace, patch, remove } = createDocumentHandlers(dependencies);
  serve(router, '/api/mongodb', { get: databases });
  serve(router, '/api/mongodb/:database', { get: collections });
  serve(router, '/api/mongodb/:database/:collection', {
    get: createListHandler(dependencies),
    post: create,
    patch: patchMany,
    delete: removeMany,
  });
  serve(router, '/api/mongodb/:database/:collection/:id', {
    get: read,
    put: replace,
    patch,
    delete: remove,
  });
  return router;
}

/** Express answers HEAD with the GET handler; every other method is answered here. */
function serve(router: Router, path: string, handlers: Handlers): void {
  const route = router.route(path);
  const allowed: string[] = [];
  for (const method of METHODS) {
    const handler = handlers[method];
    if (handler !== undefined) {
      route[method](handler);
      allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    }
  }
  const allow = [...allowed, 'OPTIONS'].join(', ');
  route.options((_request, response) => {
    response.set('Allow', allow).status(204).end();
  });
  route.all(() => {
    throw new RequestError(405, `This path answers ${allow} only`, { headers: { Allow: allow } });
  });
}
