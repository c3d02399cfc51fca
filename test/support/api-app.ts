// A small application around middlewares of the REST API, as the service puts them together.
import express from 'express';
import { contextOf, keepContext } from '../../routes/request-context.ts';
import { RequestError } from '../../routes/request-error.ts';
import type { ErrorRequestHandler, Express, RequestHandler } from 'express';

/** Answers every path behind the middlewares with the caller and scope that they have found. */
export function createApiApp(
  middlewares: readonly RequestHandler[],
  { trustProxy = 0 }: { readonly trustProxy?: number } = {},
): Express {
  const app = express();
  app.set('trust proxy', trustProxy);
  app.use((request, _response, next) => {
    const stopper = new AbortController();
    const { signal } = stopper;
    const address = request.ip ?? '';
    keepContext(
      request,
      { requestId: 'a request', address, signal, caller: 'nobody yet', scope: 'admin' },
      stopper,
    );
    next();
  });
  app.use(...middlewares);
  app.use((request, response) => {
    const { caller, scope } = contextOf(request);
    response.json({ caller, scope });
  });
  app.use(answerRefusal);
  return app;
}

const answerRefusal: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (error instanceof RequestError) {
    const { status, message: detail, hint, headers } = error;
    response.status(status).set(headers).json({ detail, hint });
    return;
  }
  next(error);
};
