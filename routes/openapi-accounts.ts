// Accounts for administrators, as the API's description has them.
import { answer, example, json, OF_TOKENS, problems } from './openapi-answers.ts';
import { refParameters } from './openapi-parameters.ts';
import type { DraftOperation, DraftPaths } from './openapi-types.ts';

const TAG = 'Accounts';

export const ACCOUNT_EXAMPLE = {
  id: '7b0c9c2e-5d1f-4f53-9a55-6f0a3a8f2d64',
  name: 'ada',
  scope: 'write',
  isDisabled: false,
  limits: { rowsMax: 1000, bytesMax: null, queryTimeoutMs: 5000, connectionsMax: 4 },
  backends: ['postgres'],
  databases: null,
  createdAt: '2030-01-31T12:00:00.000Z',
  lastSeenAt: null,
} as const;

export const TOKEN_EXAMPLE = {
  id: 'b5c2f0d4-3a51-4c0e-9f63-6f9f3f1f7a10',
  name: 'laptop',
  prefix: 'gp_Zx81k',
  scope: 'read',
  createdAt: '2030-01-31T12:00:00.000Z',
  expiresAt: null,
  lastUsedAt: null,
} as const;

const OF_ADMINISTRATION = [...OF_TOKENS, 429, 500, 503] as const;
const OF_BODIES = [...OF_ADMINISTRATION, 409, 413, 415, 422] as const;

const SHOWN = { content: json('Account', example(ACCOUNT_EXAMPLE)) };

const LIST: DraftOperation = {
  operationId: 'listAccounts',
  tags: [TAG],
  summary: 'List the accounts',
  responses: {
    200: answer('All of them, disabled ones too', {
      content: json('AccountList', example({ items: [ACCOUNT_EXAMPLE] })),
    }),
    ...problems(...OF_ADMINISTRATION),
  },
};

const CREATE: DraftOperation = {
  operationId: 'createAccount',
  tags: [TAG],
  summary: 'Create an account',
  description:
    'With a password, or with the verifier that PostgreSQL has of one (`pg_authid.rolpassword`).',
  requestBody: {
    required: true,
    content: json('NewAccount', {
      usual: {
        summary: 'With a password',
        value: {
          name: 'grace',
          password: 'nanoseconds',
          scope: 'write',
          limits: { rowsMax: 1000 },
          backends: ['postgres'],
        },
      },
    }),
  },
  responses: {
    201: answer('The account', { headers: ['Location'], ...SHOWN }),
    ...problems(...OF_BODIES),
  },
};

const READ: DraftOperation = {
  operationId: 'readAccount',
  tags: [TAG],
  summary: 'Read one account',
  responses: {
    200: answer('The account', SHOWN),
    ...problems(...OF_ADMINISTRATION, 404),
  },
};

const CHANGE: DraftOperation = {
  operationId: 'changeAccount',
  tags: [TAG],
  summary: 'Change, disable or enable an account',
  description:
    'What the body leaves out stays. Sessions of the account on the wire end, on every replica, ' +
    'within 5 seconds; those of a disabled one over HTTP too. Without the last administrator ' +
    'nobody could change anything: that is 409.',
  requestBody: {
    required: true,
    content: json('AccountChanges', example({ scope: 'write', limits: { rowsMax: 500 } })),
  },
  responses: {
    200: answer('The account', SHOWN),
    ...problems(...OF_BODIES, 404),
  },
};

const REMOVE: DraftOperation = {
  operationId: 'deleteAccount',
  tags: [TAG],
  summary: 'Delete an account with its tokens and sessions',
  responses: {
    204: answer('It is gone'),
    ...problems(...OF_ADMINISTRATION, 404, 409, 413, 415),
  },
};

const PASSWORD: DraftOperation = {
  operationId: 'setAccountPassword',
  tags: [TAG],
  summary: 'Set the password of an account',
  description: 'Its sessions end, on the wire and over HTTP. Tokens stay.',
  requestBody: {
    required: true,
    content: json('NewSecret', example({ password: 'nanoseconds!' })),
  },
  responses: {
    204: answer('It is set'),
    ...problems(...OF_BODIES, 404),
  },
};

const LIST_TOKENS: DraftOperation = {
  operationId: 'listTokens',
  tags: [TAG],
  summary: 'List the tokens of an account',
  responses: {
    200: answer('Without the tokens themselves', {
      content: json('TokenList', example({ items: [TOKEN_EXAMPLE] })),
    }),
    ...problems(...OF_ADMINISTRATION, 404),
  },
};

const CREATE_TOKEN: DraftOperation = {
  operationId: 'createToken',
  tags: [TAG],
  summary: 'Make a token of an account',
  requestBody: {
    required: true,
    content: json(
      'NewToken',
      example({ name: 'nightly', scope: 'read', expiresAt: '2100-01-31T12:00:00Z' }),
    ),
  },
  responses: {
    201: answer('The token, which is never shown again', {
      content: json('CreatedToken', example({ ...TOKEN_EXAMPLE, token: 'gp_...' })),
    }),
    ...problems(...OF_BODIES, 404),
  },
};

const REVOKE_TOKEN: DraftOperation = {
  operationId: 'revokeToken',
  tags: [TAG],
  summary: 'Revoke a token of an account',
  responses: {
    204: answer('It is accepted no more'),
    ...problems(...OF_ADMINISTRATION, 404, 413, 415),
  },
};

const NAME = { parameters: refParameters('AccountName') };

export const ACCOUNTS_PATHS: DraftPaths = {
  '/api/accounts': { get: LIST, post: CREATE },
  '/api/accounts/{name}': { ...NAME, get: READ, patch: CHANGE, delete: REMOVE },
  '/api/accounts/{name}/password': { ...NAME, post: PASSWORD },
  '/api/accounts/{name}/tokens': { ...NAME, get: LIST_TOKENS, post: CREATE_TOKEN },
  '/api/accounts/{name}/tokens/{id}': {
    parameters: refParameters('AccountName', 'TokenId'),
    delete: REVOKE_TOKEN,
  },
};
