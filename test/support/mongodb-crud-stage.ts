// The routes of MongoDB's collections over a pool to a real server, in this process.
import express from 'express';
import type { Express } from 'express';
import type { Collection, ObjectId } from 'mongodb';
import { z } from 'zod';
import {
  answerNotFound,
  createErrorHandler,
  refuseMalformedPath,
} from '../../routes/error-handler.ts';
import { parseJsonBody } from '../../routes/json-body.ts';
import { createMongodbCrudRoutes } from '../../routes/mongodb-crud.ts';
import { identifyRequest } from '../../routes/request-id.ts';
import { createStatementRunner } from '../../routes/statement-run.ts';
import { createTableRules } from '../../routes/table-rules.ts';
import { createMongoPool } from '../../src/backends/mongodb/mongo-pool.ts';
import type { MongoPool } from '../../src/backends/pool.ts';
import type { TableRules } from '../../src/config-api.ts';
import type { Limits } from '../../src/config.ts';
import type { StatementFinished } from '../../src/observation.ts';
import type { TestMongodbDatabase } from './mongodb.ts';
import { createRecorder } from './observations.ts';

export interface MongodbCrudStage {
  readonly app: Express;
  /** What the audit has seen. */
  statements(): readonly StatementFinished[];
  /** What went wrong in ways that nobody may see. */
  faults(): readonly unknown[];
  close(): Promise<void>;
}

export interface MongodbCrudStageOptions {
  readonly uri: string;
  readonly limits?: Partial<Limits>;
  readonly rules?: Partial<TableRules>;
  /** Runs before each command, as another client that comes in between. */
  readonly meanwhile?: (command: Readonly<Record<string, unknown>>) => Promise<void>;
}

export function startMongodbCrud({
  uri,
  meanwhile = async () => await Promise.resolve(),
  ...options
}: MongodbCrudStageOptions): MongodbCrudStage {
  const recorder = createRecorder();
  const limits: Limits = {
    rowsMax: 10_000,
    bytesMax: 100 * 1024 * 1024,
    queryTimeoutMs: 30_000,
    onLimit: 'error',
    ...options.limits,
  };
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
  const app = express();
  app.set('env', 'production').set('query parser', 'simple').disable('etag');
  app.use(
    identifyRequest,
    refuseMalformedPath,
    parseJsonBody,
    createMongodbCrudRoutes({
      runner: createStatementRunner(recorder),
      rules: createTableRules({ allow: [], deny: [], readOnly: [], ...options.rules }),
      pool: intercepted,
      limits,
    }),
    answerNotFound,
    createErrorHandler(recorder),
  );
  return {
    app,
    statements: () =>
      recorder.observations.filter((observation) => observation.kind === 'statement-finished'),
    faults: () => recorder.observations.filter((observation) => observation.kind === 'fault'),
    close: async () => await pool.close(),
  };
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
