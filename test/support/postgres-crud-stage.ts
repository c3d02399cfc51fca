// The routes of PostgreSQL's tables over a pool to a real server, in this process.
import type { Response } from 'supertest';
import { z } from 'zod';
import { createPostgresCrudRoutes } from '../../routes/postgres-crud.ts';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { createSqlPool } from '../../src/backends/postgres/sql-pool.ts';
import { createCrudApp, crudLimits } from './crud-app.ts';
import type { CrudAppOptions, CrudStage } from './crud-app.ts';

export interface PostgresCrudOptions extends CrudAppOptions {
  readonly url: string;
}

export function startPostgresCrud({ url, ...options }: PostgresCrudOptions): CrudStage {
  const limits = crudLimits(options);
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
  const app = createCrudApp({ scope: 'write', ...options }, (parts) =>
    createPostgresCrudRoutes({ ...parts, pool }),
  );
  return { ...app, close: async () => await pool.close() };
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
