// CRUD over the collections of MongoDB: /api/mongodb/{database}/{collection}/{id}.
import { Router } from 'express';
import { createCatalogHandlers } from './mongodb-crud-catalog.ts';
import { createCollectionHandlers } from './mongodb-crud-collection.ts';
import { createDocumentHandlers } from './mongodb-crud-document.ts';
import { createServedMethods } from './mongodb-crud-methods.ts';
import { createListHandler } from './mongodb-crud-list.ts';
import type { MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { serveMethods } from './serve-methods.ts';

/** The whole paths; scopes have been asked for and bodies read before. */
export function createMongodbCrudRoutes(dependencies: MongodbCrudDependencies): Router {
  const router = Router();
  const { databases, collections } = createCatalogHandlers(dependencies);
  const { create, patchMany, removeMany } = createCollectionHandlers(dependencies);
  const { read, replace, patch, remove } = createDocumentHandlers(dependencies);
  serveMethods(router, '/api/mongodb', { get: databases });
  serveMethods(router, '/api/mongodb/:database', { get: collections });
  serveMethods(
    router,
    '/api/mongodb/:database/:collection',
    {
      get: createListHandler(dependencies),
      post: create,
      patch: patchMany,
      delete: removeMany,
    },
    createServedMethods(dependencies, false),
  );
  serveMethods(
    router,
    '/api/mongodb/:database/:collection/:id',
    {
      get: read,
      put: replace,
      patch,
      delete: remove,
    },
    createServedMethods(dependencies, true),
  );
  return router;
}
