// Answers as the API's description has them: headers, problems, and the shape of the others.
import type { ApiSchemaName } from './api-schemas.ts';
import { refSchema } from './openapi-schemas.ts';
import type { Content, Examples, Header, Reference, Response, Responses } from './openapi-types.ts';

const text = { type: 'string' } as const;

export const HEADERS = {
  'X-Request-Id': {
    description: 'Names this request in logs, in the audit and in problems',
    required: true,
    schema: text,
  },
  'Cache-Control': {
    description: 'Every answer is about this moment',
    required: true,
    schema: { type: 'string', const: 'no-store' },
  },
  RateLimit: {
    description: 'What is left of the limit, as draft 8 of the IETF has it; absent without a limit',
    schema: text,
  },
  'RateLimit-Policy': {
    description: 'Requests and seconds of the limit; absent without a limit',
    schema: text,
  },
  ETag: {
    description: 'The version of what is in the body, for If-Match; absent where rows have none',
    schema: text,
  },
  Location: {
    description: 'Address of what was created; absent where the table has no primary key',
    schema: text,
  },
  Link: { description: 'The next page, `rel="next"`; absent on the last one', schema: text },
  'X-Cache': {
    description:
      'Where the request has asked for the cache: `hit` is an answer out of it, `miss` one that ' +
      'was made, `bypass` one that was made without looking, as nothing is cached here or now',
    schema: { type: 'string', enum: ['hit', 'miss', 'bypass'] },
  },
  Age: {
    description: 'Of a `hit`, whole seconds since it began to be read',
    schema: { type: 'integer', minimum: 0 },
  },
  Allow: { description: 'Methods that the path answers', required: true, schema: text },
  'Set-Cookie': {
    description: 'The cookie that the session is told by, or its end; absent for tokens',
    schema: text,
  },
  'Retry-After': { description: 'Seconds', schema: { type: 'integer' } },
  'WWW-Authenticate': { description: 'Which token is needed, RFC 6750', schema: text },
} as const satisfies Readonly<Record<string, Header>>;

export type HeaderName = keyof typeof HEADERS;

interface Problem {
  readonly name: string;
  readonly description: string;
  readonly headers?: readonly HeaderName[];
}

const PROBLEMS = {
  400: {
    name: 'BadRequest',
    description: 'The path, a parameter, a header, the JSON or the statement cannot be taken',
  },
  401: {
    name: 'Unauthorized',
    description: 'A token that is accepted here is needed',
    headers: ['WWW-Authenticate'],
  },
  403: {
    name: 'Forbidden',
    description: 'The scope, the policy, read-only access or the database does not allow it',
    headers: ['WWW-Authenticate'],
  },
  404: { name: 'NotFound', description: 'It is not there, or not shown' },
  405: {
    name: 'MethodNotAllowed',
    description: 'A view can only be read, and one document of a time series too',
    headers: ['Allow'],
  },
  406: { name: 'NotAcceptable', description: 'No format of results is accepted by the client' },
  409: {
    name: 'Conflict',
    description:
      'It exists already, something refers to it, it is not clear which one is meant, or the ' +
      'statement was cancelled',
    headers: ['Retry-After'],
  },
  410: { name: 'Gone', description: 'The cursor has ended' },
  412: { name: 'PreconditionFailed', description: 'If-Match or If-None-Match does not hold' },
  413: {
    name: 'TooLarge',
    description: 'The body, the statement, or an answer that cannot be cut is over its limit',
  },
  415: { name: 'UnsupportedMediaType', description: 'The body is not JSON in UTF-8' },
  422: { name: 'Unprocessable', description: 'The content is wrong: `fields` says where' },
  429: {
    name: 'TooManyRequests',
    description: 'The caller has asked too often',
    headers: ['Retry-After'],
  },
  500: { name: 'InternalError', description: 'A fault of Gatepost or of the database' },
  502: { name: 'BadGateway', description: 'The database does not let Gatepost in' },
  503: {
    name: 'Unavailable',
    description: 'The database cannot be reached or has no room, or Gatepost is shutting down',
    headers: ['Retry-After'],
  },
  504: { name: 'Timeout', description: 'The statement took too long, and was cancelled' },
} as const satisfies Readonly<Record<number, Problem>>;

export type ProblemStatus = keyof typeof PROBLEMS;

/** What whoever needs a token may be told. */
export const OF_TOKENS = [400, 401, 403] as const;

/** What any statement may come to. */
export const OF_STATEMENTS = [...OF_TOKENS, 409, 413, 429, 500, 502, 503, 504] as const;

/** Of an answer that may be out of the cache. */
export const CACHE_HEADERS = ['X-Cache', 'Age'] as const;

/** On every answer but the probes'. */
export const COMMON_HEADERS = [
  'X-Request-Id',
  'Cache-Control',
  'RateLimit',
  'RateLimit-Policy',
] as const;

/** Of the probes that an orchestrator asks, which no limit holds for. */
export const PROBE_HEADERS = ['X-Request-Id', 'Cache-Control'] as const;

interface AnswerParts {
  readonly content?: Content;
  /** Beside the common ones. */
  readonly headers?: readonly HeaderName[];
  readonly commonHeaders?: readonly HeaderName[];
}

/** An answer that is no problem. */
export function answer(
  description: string,
  { content, headers = [], commonHeaders = COMMON_HEADERS }: AnswerParts = {},
): Response {
  return {
    description,
    headers: refHeaders([...commonHeaders, ...headers]),
    ...(content === undefined ? {} : { content }),
  };
}

/** JSON of a schema, or of one of several. */
export function json(
  schemas: ApiSchemaName | readonly ApiSchemaName[],
  examples?: Examples,
): Content {
  const schema =
    typeof schemas === 'string' ? refSchema(schemas) : { anyOf: schemas.map(refSchema) };
  return { 'application/json': { schema, ...(examples === undefined ? {} : { examples }) } };
}

/** An example that needs no words. */
export function example(value: unknown): Examples {
  return { usual: { summary: 'Usual', value } };
}

/** References to problems, and to what stands for all others. */
export function problems(...statuses: readonly ProblemStatus[]): Responses {
  const sorted = [...new Set(statuses)].sort((one, other) => one - other);
  const known = sorted.map((status) => [status, refResponse(PROBLEMS[status].name)] as const);
  return { ...Object.fromEntries(known), default: refResponse('Problem') };
}

/** The problems by their names. */
export function createProblemResponses(): Readonly<Record<string, Response>> {
  const all: readonly Problem[] = [
    ...Object.values(PROBLEMS),
    { name: 'Problem', description: 'Any other problem, of the same shape' },
  ];
  return Object.fromEntries(
    all.map(({ name, description, headers = [] }) => [
      name,
      answer(description, {
        headers,
        content: { 'application/problem+json': { schema: refSchema('Problem') } },
      }),
    ]),
  );
}

function refHeaders(names: readonly HeaderName[]): Readonly<Record<string, Reference>> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function refResponse(name: string): Reference {
  return { $ref: `#/components/responses/${name}` };
}
