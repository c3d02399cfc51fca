// Which web pages of other origins may ask the REST API.
import cors from 'cors';
import type { RequestHandler } from 'express';

/** How long a browser may remember the answer to a preflight. */
const PREFLIGHT_SECONDS = 600;

const SHARED_OPTIONS = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: [
    ...['Accept', 'Authorization', 'Cache-Control', 'Content-Type'],
    ...['If-Match', 'If-None-Match', 'X-Request-Id'],
  ],
  exposedHeaders: [
    ...['Age', 'ETag', 'Link', 'Location', 'X-Cache', 'X-Request-Id'],
    ...['RateLimit', 'RateLimit-Policy', 'Retry-After'],
  ],
  maxAge: PREFLIGHT_SECONDS,
};

/**
 * Answers preflights and marks the answers that a page may read. To be mounted before anything
 * that asks for a token, because a preflight has none. Without origins it does nothing.
 */
export function createCors(origins: readonly string[]): RequestHandler {
  if (origins.length === 0) {
    return (_request, _response, next) => {
      next();
    };
  }
  const options = { ...SHARED_OPTIONS, origin: [...origins] };
  const answerPreflight = cors(options);
  const mark = cors({ ...options, preflightContinue: true });
  return (request, response, next) => {
    // Any other OPTIONS is a question to the route.
    const isPreflight =
      request.headers.origin !== undefined && 'access-control-request-method' in request.headers;
    (isPreflight ? answerPreflight : mark)(request, response, next);
  };
}
