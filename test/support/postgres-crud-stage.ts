// The routes of PostgreSQL's tables over a pool to a real server, in this process.
import express from 'express';
import { z } from 'zod';
import {
  answerNotFound,
  createErrorHandler,
  refuseMalformedPath,
} from '../../routes/error-handler.ts';
import { parseJsonBody } from '../../routes/json-body.ts';
import { createPostgresCrudRoutes } from '../../routes/postgres-crud.ts';
import { contextOf } from '../../routes/request-context.ts';
import { identifyRequest } from '../../routes/request-id.ts';
import { createStatementRunner } from '../../routes/statement-run.ts';
import { createTableRules } from '../../routes/table-rules.ts';
import type { Express, RequestHandler } from 'express';
import type { Response } from 'supertest';
import type { Scope } from '../../routes/request-context.ts';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { createSqlPool } from '../../src/backends/postgres/sql-pool.ts';
import type { TableRules } from '../../src/config-api.ts';
import type { Limits } from '../../src/config.ts';
import type { StatementFinished } from '../../src/observation.ts';
import { createRecorder } from './observations.ts';

export interface CrudStage {
  readonly app: Express;
  /** What the audit has seen, catalog included. */
  statements(): readonly StatementFinished[];
  /** What went wrong in ways that nobody may see. */
  faults(): readonly unknown[];
  close(): Promise<void>;
}

export interface CrudStageOptions {
  readonly url: string;
  readonly limits?: Partial<Limits>;
  readonly rules?: Partial<TableRules>;
  readonly scope?: Scope;
}

export function startPostgresCrud({ url, ...options }: CrudStageOptions): CrudStage {
  const recorder = createRecorder();
  const limits: Limits = {
    rowsMax: 10_000,
    bytesMax: 100 * 1024 * 1024,
    queryTimeoutMs: 30_000,
    onLimit: 'error',
    ...options.limits,
  };
  const openAccess = (access: 'read-only' | 'read-write') => ({
    backend: createPostgresBackend({
      name: 'postgres',
      dsn: url,
      guardrails: { limits, idleTimeoutMs: 60_000, access },
    }),
    policy: undefined,
    ownPolicy: undefined,
  });
  const pool = createSqlPool({
    access: { 'read-only': openAccess('read-only'), 'read-write': openAccess('read-write') },
    pool: { connectionsMax: 10, idleTimeoutMs: 10_000, acquireTimeoutMs: 5000 },
  });
  const setScope: RequestHandler = (request, _response, next) => {
    contextOf(request).scope = options.scope ?? 'write';
    next();
  };
  const app = express();
  app.set('env', 'production').set('query parser', 'simple').disable('etag');
  app.use(
    identifyRequest,
    setScope,
    refuseMalformedPath,
    parseJsonBody,
    createPostgresCrudRoutes({
      runner: createStatementRunner(recorder),
      rules: createTableRules({ allow: [], deny: [], readOnly: [], ...options.rules }),
      pool,
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

const BODY = z.looseObject({
  items: z.array(z.record(z.string(), z.unknown())).default([]),
  next: z.string().nullable().default(null),
  count: z.number().optional(),
  fields: z.array(z.object({ field: z.string(), message: z.string() })).default([]),
});

/** An answer whose body is a list, a row or a problem. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly body: z.infer<typeof BODY>;
  /** The body as it came. */
  readonly row: Readonly<Record<string, unknown>>;
  /** The fields that a problem names. */
  readonly fields: readonly string[];
  readonly header: (name: string) => string | undefined;
}

export function readReply(response: Response): Reply {
  const body = BODY.parse(response.body);
  const header = (name: string): string | undefined => response.get(name);
  const { status, text } = response;
  const row = z.record(z.string(), z.unknown()).parse(response.body);
  return { status, text, body, row, fields: body.fields.map(({ field }) => field), header };
}
