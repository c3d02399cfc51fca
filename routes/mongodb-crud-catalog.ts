// What there is: databases, and the collections of one.
import type { RequestHandler } from 'express';
import { createCollectionList, createDatabaseList } from '../src/backends/mongodb/crud-commands.ts';
import { documentsIn } from '../src/backends/mongodb/plan.ts';
import { LISTED_MAX } from './list-parameters.ts';
import { readDatabase, refuseParameters } from './mongodb-crud-request.ts';
import { createCrudStatements, createNotFound } from './mongodb-crud-statements.ts';
import type { CrudStatements, MongodbCrudDependencies } from './mongodb-crud-statements.ts';
import { RequestError } from './request-error.ts';
import type { TableVisibility } from './table-rules.ts';

interface CollectionItem {
  readonly name: string;
  readonly type: string;
  readonly isReadOnly: boolean;
}

export function createCatalogHandlers(
  dependencies: MongodbCrudDependencies,
): Readonly<Record<'databases' | 'collections', RequestHandler>> {
  const { rules } = dependencies;
  return {
    databases: async (request, response) => {
      refuseParameters(request, []);
      const statements = createCrudStatements(request, dependencies);
      const items: { readonly name: string }[] = [];
      for (const name of await listDatabases(statements)) {
        // Only where rules name single collections do those have to be looked at.
        const isShown =
          rules.visibility('mongodb', name, '') !== 'hidden' ||
          (await listCollections(statements, name, rules)).length > 0;
        if (isShown) {
          items.push({ name });
        }
      }
      response.json({ items, next: null });
    },
    collections: async (request, response) => {
      refuseParameters(request, []);
      const statements = createCrudStatements(request, dependencies);
      const items = await listCollections(statements, readDatabase(request), rules);
      if (items.length === 0) {
        throw createNotFound();
      }
      response.json({ items, next: null });
    },
  };
}

async function listDatabases(statements: CrudStatements): Promise<readonly string[]> {
  const reply = await statements.reply({
    database: 'admin',
    command: createDatabaseList(),
    access: 'read-only',
  });
  return documentsIn(reply['databases'])
    .map(({ name }) => String(name))
    .sort();
}

async function listCollections(
  statements: CrudStatements,
  database: string,
  rules: TableVisibility,
): Promise<readonly CollectionItem[]> {
  const command = createCollectionList();
  const asked = { database, command, access: 'read-only', rowsMax: LISTED_MAX } as const;
  const { rows, guard } = await statements.rows(asked);
  if (guard.exceeded !== undefined) {
    throw new RequestError(413, `More than ${LISTED_MAX} collections do not fit into one answer`);
  }
  return rows
    .map((row) => readItem(row, database, rules))
    .filter((item) => item !== undefined)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** @returns undefined for what is hidden */
function readItem(
  row: Buffer,
  database: string,
  rules: TableVisibility,
): CollectionItem | undefined {
  const read: unknown = JSON.parse(row.toString('utf8'));
  const { name, type } = { name: '', type: 'collection', ...toObject(read) };
  const visibility = rules.visibility('mongodb', database, name);
  return visibility === 'hidden'
    ? undefined
    : { name, type, isReadOnly: visibility === 'read-only' || type === 'view' };
}

function toObject(read: unknown): { readonly name?: string; readonly type?: string } {
  const isItem = typeof read === 'object' && read !== null && 'name' in read && 'type' in read;
  return isItem ? { name: String(read.name), type: String(read.type) } : {};
}
