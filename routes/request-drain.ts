// Lets running requests finish when the service stops, and takes no further ones.
import type { Request, RequestHandler, Response } from 'express';
import type { Component } from '../src/lifecycle.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import { cutAnswer } from './connection-end.ts';
import { stopRequest } from './request-context.ts';
import { onceOver } from './request-end.ts';
import { RequestError } from './request-error.ts';

/** When a client may come again: another replica, or this one restarted. */
const RETRY_AFTER_SECONDS = 5;

/** What was stopped at the deadline gets so long to tell its client. */
const LAST_WORDS_MS = 1000;

export interface RequestDrain extends Component {
  /** Counts what runs; refuses with 503 once the stop has begun. Behind what makes contexts. */
  readonly middleware: RequestHandler;
}

/** Stops when nothing runs any more, or at the deadline, when every request is stopped. */
export function createRequestDrain(): RequestDrain {
  const running = new Map<Response, Request>();
  let isDraining = false;
  let onIdle: (() => void) | undefined;
  return {
    name: 'api',
    middleware: (request, response, next) => {
      if (isDraining) {
        throw drainingError();
      }
      running.set(response, request);
      onceOver(request, response, () => {
        running.delete(response);
        if (running.size === 0) {
          onIdle?.();
        }
      });
      next();
    },
    start: () => Promise.resolve(),
    stop: async (deadline) => {
      isDraining = true;
      if (running.size === 0) {
        return;
      }
      announceClose(running.keys());
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        whenAborted(deadline, () => {
          for (const request of running.values()) {
            stopRequest(request, shutdownError());
          }
          // Whoever does not read his last words loses the connection.
          setTimeout(() => {
            for (const response of running.keys()) {
              cutAnswer(response);
            }
            resolve();
          }, LAST_WORDS_MS).unref();
        });
      });
    },
  };
}

/** A kept connection would only be told so by its end. */
function announceClose(responses: Iterable<Response>): void {
  for (const response of responses) {
    if (!response.headersSent) {
      response.setHeader('Connection', 'close');
    }
  }
}

function whenAborted(signal: AbortSignal, run: () => void): void {
  if (signal.aborted) {
    run();
  } else {
    signal.addEventListener('abort', run, { once: true });
  }
}

function drainingError(): RequestError {
  return new RequestError(503, 'Gatepost is shutting down', {
    hint: 'Send the request again: another instance, or this one restarted, answers it',
    headers: { 'Retry-After': `${RETRY_AFTER_SECONDS}`, Connection: 'close' },
  });
}

function shutdownError(): ServiceError {
  return new ServiceError(SQLSTATE.adminShutdown, 'canceling statement as Gatepost shuts down');
}
