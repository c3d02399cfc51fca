import express from 'express';
import helmet from 'helmet';
import { answerNotFound, createErrorHandler, refuseMalformedPath } from './error-handler.ts';
import { createOperations } from './operations.ts';
import type { Express, RequestHandler } from 'express';
import type { Observer } from '../src/observation.ts';
import type { OperationsDependencies } from './operations.ts';

interface AppDependencies extends OperationsDependencies {
  readonly observer: Observer;
}

/** The HTTP side as one request handler; it opens nothing and keeps no state of its own. */
export function createApp({ observer, ...dependencies }: AppDependencies): Express {
  const app = express();
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
    refuseMalformedPath,
    createOperations(dependencies),
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
