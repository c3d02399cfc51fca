// Logging in and what an account does for itself, as the API's description has it.
import { ACCOUNT_EXAMPLE, TOKEN_EXAMPLE } from './openapi-accounts.ts';
import { answer, example, json, OF_TOKENS, problems } from './openapi-answers.ts';
import { refParameters } from './openapi-parameters.ts';
import type { DraftOperation, DraftPaths } from './openapi-types.ts';

const TAG = 'Logging in';

/** What whoever is known may be told. */
const OF_CALLERS = [...OF_TOKENS, 429, 500, 503] as const;
const OF_BODIES = [...OF_CALLERS, 413, 415, 422] as const;

const { id, scope, limits, backends, databases } = ACCOUNT_EXAMPLE;

const CALLER = {
  name: 'ada',
  scope: 'write',
  account: { id, scope, limits, backends, databases },
  sessionId: '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21',
};

const SESSION = {
  id: '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21',
  address: '127.0.0.1',
  startedAt: '2030-01-31T12:00:00.000Z',
  lastSeenAt: '2030-01-31T12:05:00.000Z',
  expiresAt: '2030-01-31T12:35:00.000Z',
  isCurrent: true,
};

const LOGIN: DraftOperation = {
  operationId: 'logIn',
  tags: [TAG],
  summary: 'Begin a session of an account',
  description:
    'The cookie is `HttpOnly` and `SameSite=Strict`, and `Secure` over TLS and in production, ' +
    'where a login without TLS is refused. What is wrong with a name or its password is not told ' +
    'apart. Programs need no session: they send a token.',
  requestBody: {
    required: true,
    content: json('Login', example({ name: 'ada', password: 'correct horse' })),
  },
  responses: {
    200: answer('Who is logged in now', {
      headers: ['Set-Cookie'],
      content: json('Caller', example(CALLER)),
    }),
    ...problems(...OF_BODIES),
  },
};

const LOGOUT: DraftOperation = {
  operationId: 'logOut',
  tags: [TAG],
  summary: 'End the session that the request comes with',
  responses: {
    204: answer('It has ended', { headers: ['Set-Cookie'] }),
    ...problems(...OF_CALLERS, 413, 415),
  },
};

const ME: DraftOperation = {
  operationId: 'readCaller',
  tags: [TAG],
  summary: 'Who you are here, and what you may do',
  responses: {
    200: answer('The caller', { content: json('Caller', example(CALLER)) }),
    ...problems(...OF_CALLERS),
  },
};

const PASSWORD: DraftOperation = {
  operationId: 'changePassword',
  tags: [TAG],
  summary: 'Set another password of your own',
  description:
    'The other sessions of the account end, on the wire too; this one goes on under another ' +
    'cookie. Tokens stay.',
  requestBody: {
    required: true,
    content: json('PasswordChange', example({ current: 'correct horse', new: 'battery staple' })),
  },
  responses: {
    204: answer('It is set', { headers: ['Set-Cookie'] }),
    ...problems(...OF_BODIES),
  },
};

const NOT_BY_TOKEN = 'For whoever has logged in with the password: a token is refused.';

const LIST_SESSIONS: DraftOperation = {
  operationId: 'listSessions',
  tags: [TAG],
  summary: 'List your sessions',
  description: NOT_BY_TOKEN,
  responses: {
    200: answer('Those that hold now', {
      content: json('SessionList', example({ items: [SESSION] })),
    }),
    ...problems(...OF_CALLERS),
  },
};

const END_SESSION: DraftOperation = {
  operationId: 'endSession',
  tags: [TAG],
  summary: 'End one of your sessions',
  description: NOT_BY_TOKEN,
  responses: {
    204: answer('It has ended'),
    ...problems(...OF_CALLERS, 404, 413, 415),
  },
};

const LIST_TOKENS: DraftOperation = {
  operationId: 'listOwnTokens',
  tags: [TAG],
  summary: 'List your tokens',
  description: 'By token, those that may do no more than it.',
  responses: {
    200: answer('Without the tokens themselves', {
      content: json('TokenList', example({ items: [TOKEN_EXAMPLE] })),
    }),
    ...problems(...OF_CALLERS),
  },
};

const CREATE_TOKEN: DraftOperation = {
  operationId: 'createOwnToken',
  tags: [TAG],
  summary: 'Make a token for a program of yours',
  description:
    'Its scope is at most that of the request that makes it. Made with a token that expires, it ' +
    'expires at the same time or before.',
  requestBody: {
    required: true,
    content: json('NewToken', example({ name: 'laptop', scope: 'read' })),
  },
  responses: {
    201: answer('The token, which is never shown again', {
      content: json('CreatedToken', example({ ...TOKEN_EXAMPLE, token: 'gp_...' })),
    }),
    ...problems(...OF_BODIES, 409),
  },
};

const REVOKE_TOKEN: DraftOperation = {
  operationId: 'revokeOwnToken',
  tags: [TAG],
  summary: 'Revoke one of your tokens',
  description: 'By token, itself or one that may do no more.',
  responses: {
    204: answer('It is accepted no more'),
    ...problems(...OF_CALLERS, 404, 413, 415),
  },
};

export const AUTH_PATHS: DraftPaths = {
  '/auth/login': { post: LOGIN },
  '/auth/logout': { post: LOGOUT },
  '/auth/me': { get: ME },
  '/auth/password': { post: PASSWORD },
  '/auth/sessions': { get: LIST_SESSIONS },
  '/auth/sessions/{id}': { parameters: refParameters('SessionId'), delete: END_SESSION },
  '/auth/tokens': { get: LIST_TOKENS, post: CREATE_TOKEN },
  '/auth/tokens/{id}': { parameters: refParameters('TokenId'), delete: REVOKE_TOKEN },
};
