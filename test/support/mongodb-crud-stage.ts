// The routes of MongoDB's collections over a pool to a real server, in this process.
import type { Collection, ObjectId } from 'mongodb';
import { z } from 'zod';
import { createMongodbCrudRoutes } from '../../routes/mongodb-crud.ts';
import { createMongoPool } from '../../src/backends/mongodb/mongo-pool.ts';
import type { MongoPool } from '../../src/backends/pool.ts';
import { createCrudApp } from './crud-app.ts';
import type { CrudAppOptions, CrudStage } from './crud-app.ts';
import type { TestMongodbDatabase } from './mongodb.ts';

export interface MongodbCrudOptions extends CrudAppOptions {
  readonly uri: string;
  /** Runs before each command, as another client that comes in between. */
  readonly meanwhile?: (command: Readonly<Record<string, unknown>>) => Promise<void>;
}

export function startMongodbCrud({
  uri,
  meanwhile = async () => await Promise.resolve(),
  ...options
}: MongodbCrudOptions): CrudStage {
  const pool = createMongoPool({
    uri: () => uri,
    rules: { allow: [], deny: [], access: 'read-write', isJavaScriptAllowed: false },
    pool: { connectionsMax: 5, idleTimeoutMs: 10_000, acquireTimeoutMs: 5000 },
  });
  const intercepted: MongoPool = {
    query: async function* (statement, run) {
      await ('command' in statement ? meanwhile(statement.command) : undefined);
      yield* pool.query(statement, run);
    },
    command: async (database, command, run) => {
      await meanwhile(command);
      return await pool.command(database, command, run);
    },
  };
  const app = createCrudApp(options, (parts) =>
    createMongodbCrudRoutes({ ...parts, pool: intercepted }),
  );
  return { ...app, close: async () => await pool.close() };
}

/** Any document, as the driver's types want it for ids that are not only ObjectIds. */
export interface Stored {
  readonly _id: string | number | ObjectId;
  readonly [name: string]: unknown;
}

/** A collection of the test's database, past the API. */
export function collectionOf(
  { client, name }: TestMongodbDatabase,
  collection: string,
): Collection<Stored> {
  return client.db(name).collection<Stored>(collection);
}

const PAGE = z.object({
  items: z.array(z.record(z.string(), z.unknown())),
  next: z.string().nullable(),
  count: z.number().optional(),
});

export type Page = z.infer<typeof PAGE>;

/** The body of a list's answer. */
export function parsePage(body: unknown): Page {
  return PAGE.parse(body);
}
