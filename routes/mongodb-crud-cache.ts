// Documents out of the cache: what their answers depend on.
import type { Request, Response } from 'express';
import { limitsOf } from './account-limits.ts';
import { UNCACHED } from './cached-answers.ts';
import { backendTag, tableTag } from './cached-key.ts';
import { recordOf } from './cached-record.ts';
import { readCacheWish } from './cached-request.ts';
import { findKind } from './mongodb-crud-methods.ts';
import { searchParamsOf } from './mongodb-crud-request.ts';
import type { CollectionPath } from './mongodb-crud-request.ts';
import type { CrudStatements, MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { contextOf } from './request-context.ts';

export interface CachedRead {
  readonly request: Request;
  readonly response: Response;
  /** Shown by the rules: they may be others than when an answer was read. */
  readonly path: CollectionPath;
}

/** Answers a read of documents as its Cache-Control wants it; without one nothing is cached. */
export async function answerCached(
  { request, response, path }: CachedRead,
  dependencies: MongodbCrudDependencies,
  run: () => Promise<void>,
): Promise<void> {
  const wish = readCacheWish(request);
  if (wish === undefined) {
    await run();
    return;
  }
  const context = contextOf(request);
  const limits = limitsOf(context, dependencies.limits);
  const { database, collection } = path;
  const id = request.params['id'];
  const question = {
    response,
    context,
    backend: 'mongodb' as const,
    // A condition is about the document as it is.
    wish: request.get('If-Match') === undefined ? wish : ('bypass' as const),
    key: [
      'documents',
      JSON.stringify(id === undefined ? [database, collection] : [database, collection, id]),
      searchParamsOf(request).toString(),
      JSON.stringify(limits),
    ],
    tags: [tableTag('mongodb', database, collection), backendTag('mongodb')],
    timeoutMs: limits.queryTimeoutMs,
  };
  await (dependencies.cached ?? UNCACHED).answer(question, run);
}

/**
 * A collection is written under its own name; what a view shows is anybody's, and what is not there
 * may become one. Asked of the database only where the answer is noted down.
 */
export async function dependOnCollection(
  response: Response,
  path: CollectionPath,
  statements: CrudStatements,
): Promise<void> {
  const record = recordOf(response);
  if (record === undefined) {
    return;
  }
  const kind = await findKind(statements, path);
  if (kind !== undefined && kind !== 'view') {
    record.dependOn([tableTag('mongodb', path.database, path.collection)]);
  }
}
