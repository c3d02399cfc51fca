import express from 'express';
import helmet from 'helmet';
import type { Api } from './api.ts';
import { answerNotFound, createErrorHandler } from './error-handler.ts';
import { refuseMalformed } from './malformed-request.ts';
import { createOperations } from './operations.ts';
import { identifyRequest } from './request-id.ts';
import { observeRequests } from './request-observation.ts';
import type { Express, RequestHandler } from 'express';
import type { Observer } from '../src/observation.ts';
import type { OperationsDependencies } from './operations.ts';

interface AppDependencies extends OperationsDependencies {
  readonly observer: Observer;
  /** Undefined where only the probes are served. */
  readonly api?: Pick<Api, 'doors' | 'routes' | 'trustProxy'> | undefined;
}

/** The HTTP side as one request handler; it opens nothing and keeps no state of its own. */
export function createApp({ observer, api, ...dependencies }: AppDependencies): Express {
  const app = express();
  // Whoever may say in whose name he asks; nobody unless the operator says so.
  app.set('trust proxy', api?.trustProxy ?? false);
  // Nested query parameters are how operators get smuggled into filters.
  app.set('query parser', 'simple');
  // Nothing is cached, so there is nothing to compare.
  app.disable('etag');
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      // Transport security is promised by whoever ends TLS in front of this plain port.
      strictTransportSecurity: false,
    }),
    forbidStoring,
    identifyRequest,
    observeRequests(observer),
    refuseMalformed,
    ...(api?.doors ?? []),
    createOperations(dependencies),
    ...(api === undefined ? [] : [api.routes]),
    answerNotFound,
    createErrorHandler(observer),
  );
  return app;
}

/** Every answer is about this moment. */
const forbidStoring: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};
