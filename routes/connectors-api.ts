// The HTTP of connectors that run alone: what shows and restarts them, behind a key or tokens.
import express from 'express';
import type { RequestHandler } from 'express';
import type { ConnectorsAccess } from '../src/config-connectors.ts';
import type { ConnectorsControl } from '../src/connectors-control.ts';
import { createAccess } from './access.ts';
import type { Access } from './access.ts';
import type { Api } from './api.ts';
import { createConnectorsRoutes } from './connectors.ts';
import { createCors } from './cors.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRequestDrain } from './request-drain.ts';

export interface ConnectorsApiOptions {
  readonly connectors: ConnectorsControl;
  readonly access: ConnectorsAccess;
  /** `api_key` of `[http]`; undefined where none is asked for. A secret. */
  readonly apiKey: string | undefined;
}

/** An orchestrator has no key. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** The same doors as the REST API's, in front of /connectors only. */
export function createConnectorsApi({
  connectors,
  access: config,
  apiKey,
}: ConnectorsApiOptions): Omit<Api, 'probes'> {
  const drain = createRequestDrain();
  // What keeps others out is the name that they ask for, as it always was.
  const access = createAccess({ ...config, apiKey, isLoopbackOnly: true });
  const routes = express.Router();
  routes.use('/connectors', drain.middleware);
  routes.use(createConnectorsRoutes({ connectors }));
  return {
    name: drain.name,
    doors: [
      createCors(config.corsOrigins),
      access.identify,
      createRateLimit(config.rateLimitPerMinute),
      ...(apiKey === undefined ? [] : [guardEverything(access)]),
      access.guard,
    ],
    routes,
    trustProxy: config.trustProxy,
    start: async (signal) => {
      await drain.start(signal);
    },
    stop: async (deadline) => {
      await drain.stop(deadline);
    },
  };
}

/** As in Apache Iggy's own runtime a key is for every path, but those of an orchestrator. */
function guardEverything(access: Access): RequestHandler {
  const requireRead = access.requireScope('read');
  return (request, response, next) => {
    if (OPEN_PATHS.has(request.path)) {
      next();
      return;
    }
    void requireRead(request, response, next);
  };
}
