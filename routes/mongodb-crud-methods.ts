// What can be done with a collection and its documents, by what kind of collection it is.
import type { Request } from 'express';
import { z } from 'zod';
import { createCollectionLookup } from '../src/backends/mongodb/crud-commands.ts';
import { ServiceError } from '../src/errors.ts';
import { readCollection } from './mongodb-crud-request.ts';
import type { CollectionPath } from './mongodb-crud-request.ts';
import { createCrudStatements } from './mongodb-crud-statements.ts';
import type { CrudStatements, MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { RequestError } from './request-error.ts';
import { READ_METHODS } from './serve-methods.ts';
import type { ReadServedMethods } from './serve-methods.ts';

/**
 * The methods of collections, or of documents. A collection that is not there can be written to,
 * by which it comes to be.
 */
export function createServedMethods(
  dependencies: MongodbCrudDependencies,
  isOfDocuments: boolean,
): ReadServedMethods {
  return async (request: Request) => {
    const { rules } = dependencies;
    const path = readCollection(request, rules, 'read-only');
    if (rules.visibility('mongodb', path.database, path.collection) === 'read-only') {
      return 'reads';
    }
    const kind = await findKind(createCrudStatements(request, dependencies), path);
    return kind === 'view' || (kind === TIME_SERIES && isOfDocuments) ? 'reads' : 'all';
  };
}

const TIME_SERIES = 'timeseries';

/** IllegalOperation. */
const ILLEGAL_OPERATION = 20;

/**
 * Runs a write of one document. A time-series collection is a view to some of them, and refuses
 * others for reasons of its own.
 *
 * @throws RequestError 405 for such a collection
 */
export async function writeOne<T>(
  statements: CrudStatements,
  path: CollectionPath,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (thrown) {
    const isRefused =
      (thrown instanceof RequestError && thrown.status === 405) ||
      (thrown instanceof ServiceError && thrown.serverCode === ILLEGAL_OPERATION);
    if (isRefused && (await findKind(statements, path)) === TIME_SERIES) {
      throw new RequestError(405, 'Documents of a time series cannot be written one by one', {
        hint: 'Write to the collection, by a filter on its metaField',
        headers: { Allow: READ_METHODS },
      });
    }
    throw thrown;
  }
}

const LOOKED_UP = z.object({ type: z.string() });

/** @returns undefined where there is no such collection */
export async function findKind(
  statements: CrudStatements,
  { database, collection }: CollectionPath,
): Promise<string | undefined> {
  const command = createCollectionLookup(collection);
  const asked = { database, command, access: 'read-only', rowsMax: 1 } as const;
  const { rows } = await statements.rows(asked);
  const [row] = rows;
  return row && LOOKED_UP.parse(JSON.parse(row.toString('utf8'))).type;
}
