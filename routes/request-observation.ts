// Every request is noticed when it is over, whoever answered it.
import { performance } from 'node:perf_hooks';
import type { RequestHandler } from 'express';
import type { Observer } from '../src/observation.ts';
import { contextOf } from './request-context.ts';
import { onceOver } from './request-end.ts';

/** To be mounted behind what gives requests their id, and before everything that answers. */
export function observeRequests(observer: Observer): RequestHandler {
  return (request, response, next) => {
    const startedAtMs = performance.now();
    const { method, path } = request;
    onceOver(request, response, () => {
      const { requestId, caller, owner, webSessionId, address } = contextOf(request);
      observer.observe({
        kind: 'request-finished',
        requestId,
        caller,
        owner,
        webSessionId,
        address,
        method,
        path,
        status: response.statusCode,
        durationMs: performance.now() - startedAtMs,
        isComplete: response.writableFinished,
      });
    });
    next();
  };
}
