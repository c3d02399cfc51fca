// What orchestrators, monitoring and readers of the API's description ask for.
import { answer, example, json, OF_TOKENS, PROBE_HEADERS, problems } from './openapi-answers.ts';
import type { Content, DraftOperation, DraftPaths } from './openapi-types.ts';

const OPERATIONS_TAG = 'Operations';
const DESCRIPTION_TAG = 'Description';

const LIVEZ: DraftOperation = {
  operationId: 'livez',
  tags: [OPERATIONS_TAG],
  summary: 'Whether the process runs',
  responses: {
    200: answer('It does', {
      content: json('Alive', example({ status: 'ok' })),
      commonHeaders: PROBE_HEADERS,
    }),
    ...problems(),
  },
};

const READYZ: DraftOperation = {
  operationId: 'readyz',
  tags: [OPERATIONS_TAG],
  summary: 'Whether to send clients here',
  responses: {
    200: answer('Listeners are bound, and required databases answer', {
      content: json('Readiness', example({ status: 'ready' })),
      commonHeaders: PROBE_HEADERS,
    }),
    503: answer('The reasons', {
      content: json(
        'Readiness',
        example({ status: 'unready', reasons: ['Gatepost is shutting down'] }),
      ),
      commonHeaders: PROBE_HEADERS,
    }),
    ...problems(500),
  },
};

const HEALTH: DraftOperation = {
  operationId: 'health',
  tags: [OPERATIONS_TAG],
  summary: 'What readiness is made of',
  responses: {
    200: answer('Ready', {
      content: json(
        'Health',
        example({
          status: 'ready',
          version: '0.1.0',
          uptimeSeconds: 42,
          isDraining: false,
          listeners: [{ listener: 'postgres', isBound: true }],
          backends: [
            { backend: 'postgres', isRequired: true, isUp: true, latencyMs: 1.5, failure: null },
          ],
        }),
      ),
    }),
    503: answer('Unready', { content: json('Health') }),
    ...problems(429, 500),
  },
};

const METRICS: DraftOperation = {
  operationId: 'metrics',
  tags: [OPERATIONS_TAG],
  summary: 'Metrics for Prometheus',
  description: 'The setting `API_METRICS` says whether they need a token.',
  responses: {
    200: answer('Text exposition format', { content: textOf('text/plain') }),
    ...problems(...OF_TOKENS, 429, 500),
  },
};

const OPENAPI: DraftOperation = {
  operationId: 'describeApi',
  tags: [DESCRIPTION_TAG],
  summary: 'This description, OpenAPI 3.1',
  responses: {
    200: answer('The document', {
      content: { 'application/json': { schema: { type: 'object' } } },
    }),
    ...problems(429),
  },
};

const DOCS: DraftOperation = {
  operationId: 'readDocs',
  tags: [DESCRIPTION_TAG],
  summary: 'This description as a page',
  responses: {
    200: answer('The page', { content: textOf('text/html') }),
    ...problems(429),
  },
};

export const OPERATIONS_PATHS: DraftPaths = {
  '/livez': { get: LIVEZ },
  '/readyz': { get: READYZ },
  '/health': { get: HEALTH },
  '/metrics': { get: METRICS },
  '/openapi.json': { get: OPENAPI },
  '/docs': { get: DOCS },
};

function textOf(contentType: string): Content {
  return { [contentType]: { schema: { type: 'string' } } };
}
