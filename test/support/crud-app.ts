// The routes of one database's tables or collections as the service mounts them, in this process.
import express from 'express';
import type { Express, RequestHandler, Router } from 'express';
import { answerNotFound, createErrorHandler } from '../../routes/error-handler.ts';
import { parseJsonBody } from '../../routes/json-body.ts';
import { refuseMalformed } from '../../routes/malformed-request.ts';
import { contextOf } from '../../routes/request-context.ts';
import type { Scope } from '../../routes/request-context.ts';
import { identifyRequest } from '../../routes/request-id.ts';
import { createStatementRunner } from '../../routes/statement-run.ts';
import type { StatementRunner } from '../../routes/statement-run.ts';
import { createTableRules } from '../../routes/table-rules.ts';
import type { TableVisibility } from '../../routes/table-rules.ts';
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

export interface CrudAppOptions {
  readonly limits?: Partial<Limits>;
  readonly rules?: Partial<TableRules>;
  /** What the caller may do, as authentication would have told. */
  readonly scope?: Scope;
}

/** What the routes of either database are made of, besides the pool to it. */
export interface CrudParts {
  readonly runner: StatementRunner;
  readonly rules: TableVisibility;
  readonly limits: Limits;
}

/** The limits of the tests, where they do not say others. */
export function crudLimits({ limits }: CrudAppOptions): Limits {
  return {
    rowsMax: 10_000,
    bytesMax: 100 * 1024 * 1024,
    queryTimeoutMs: 30_000,
    onLimit: 'error',
    ...limits,
  };
}

/** All of a stage but its end, which is the pool's. */
export function createCrudApp(
  options: CrudAppOptions,
  createRoutes: (parts: CrudParts) => Router,
): Omit<CrudStage, 'close'> {
  const recorder = createRecorder();
  const setScope: RequestHandler = (request, _response, next) => {
    const context = contextOf(request);
    context.scope = options.scope ?? context.scope;
    next();
  };
  const app = express();
  app.set('env', 'production').set('query parser', 'simple').disable('etag');
  app.use(
    identifyRequest,
    setScope,
    refuseMalformed,
    parseJsonBody,
    createRoutes({
      runner: createStatementRunner(recorder),
      rules: createTableRules({ allow: [], deny: [], readOnly: [], ...options.rules }),
      limits: crudLimits(options),
    }),
    answerNotFound,
    createErrorHandler(recorder),
  );
  return {
    app,
    statements: () =>
      recorder.observations.filter((observation) => observation.kind === 'statement-finished'),
    faults: () => recorder.observations.filter((observation) => observation.kind === 'fault'),
  };
}
