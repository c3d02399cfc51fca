// The routes of activity behind callers that a test makes up.
import express from 'express';
import type { Express } from 'express';
import { createActivityRoutes } from '../../routes/activity.ts';
import { createErrorHandler } from '../../routes/error-handler.ts';
import { keepContext } from '../../routes/request-context.ts';
import type { RequestContext } from '../../routes/request-context.ts';
import { onceOver } from '../../routes/request-end.ts';
import type { Observer } from '../../src/observation.ts';
import type { ActivityReader } from '../../src/store/activity-reader.ts';

export interface ActivityAppOptions {
  readonly reader: ActivityReader | undefined;
  readonly observer: Observer;
  /** Who asks from now on. */
  readonly caller: () => Pick<RequestContext, 'caller' | 'scope' | 'owner'>;
}

export const ADMIN = { caller: 'root', scope: 'admin', owner: 'account:root' } as const;

/** An account that is no administrator. */
export function readerNamed(
  name: string,
): Pick<RequestContext, 'caller' | 'scope'> & { readonly owner: string } {
  return { caller: name, scope: 'read', owner: `account:${name}` };
}

export function createActivityApp({ reader, observer, caller }: ActivityAppOptions): Express {
  const app = express();
  app.set('query parser', 'simple');
  app.use((request, response, next) => {
    const stopper = new AbortController();
    onceOver(request, response, () => {
      stopper.abort(new Error('The client has gone'));
    });
    keepContext(
      request,
      { requestId: 'a request', address: '127.0.0.1', signal: stopper.signal, ...caller() },
      stopper,
    );
    next();
  });
  app.use(createActivityRoutes(reader));
  app.use(createErrorHandler(observer));
  return app;
}
