// How often one caller may ask.
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { ANONYMOUS } from '../src/api-tokens.ts';
import { contextOf } from './request-context.ts';
import { RequestError } from './request-error.ts';
import type { Request, RequestHandler, Response } from 'express';

const WINDOW_MS = 60_000;

/** An orchestrator that is refused takes the process for dead. */
const UNLIMITED_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/**
 * Counts the requests of each caller and refuses those over the limit with 429. To be mounted at
 * the root, behind what identifies callers: a request whose token is not accepted counts for its
 * address, as one without a token does. Counts are kept in this process only.
 *
 * @param requestsPerMinute 0 is no limit
 */
export function createRateLimit(requestsPerMinute: number): RequestHandler {
  if (requestsPerMinute === 0) {
    return (_request, _response, next) => {
      next();
    };
  }
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: requestsPerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: keyOf,
    skip: (request) => UNLIMITED_PATHS.has(request.path),
    handler: (_request, response, next) => {
      next(refusal(requestsPerMinute, response));
    },
    // What it checks when a client says something odd would be told on the console.
    validate: false,
  });
}

/**
 * An account is one by all its tokens and sessions, a token of the configuration by itself; whoever
 * has neither shares the address, or in IPv6 the network.
 */
function keyOf(request: Request): string {
  const { caller, owner, address } = contextOf(request);
  return caller === ANONYMOUS ? `address ${ipKeyGenerator(address)}` : (owner ?? `key ${caller}`);
}

function refusal(limit: number, response: Response): RequestError {
  const seconds = String(response.getHeader('Retry-After') ?? WINDOW_MS / 1000);
  return new RequestError(429, `More than ${limit} requests within a minute`, {
    hint: `Retry after ${seconds} seconds; the limit is the setting API_RATE_LIMIT`,
    headers: { 'Retry-After': seconds },
  });
}
