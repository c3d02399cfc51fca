// What the routes of accounts take and answer.
import type { Request } from 'express';
import { isLosslessNumber } from 'lossless-json';
import { z } from 'zod';
import { BACKEND_NAMES } from '../src/account.ts';
import { isTokenName, TOKEN_NAME_FORM, TOKEN_SCOPES } from '../src/api-tokens.ts';
import { readJsonBody } from './json-body.ts';
import { describeIssue, isDocument } from './query-schema.ts';
import { RequestError } from './request-error.ts';

/** Longer ones are no account's, and would cost their hash. */
const PASSWORD_LENGTH_MAX = 1024;
const NAME_LENGTH_MAX = 255;

const DATABASES_MAX = 1000;

const password = z
  .string({ error: 'must be a string' })
  .min(1, 'must not be empty')
  .max(PASSWORD_LENGTH_MAX, `has ${PASSWORD_LENGTH_MAX} characters at most`);

const name = z
  .string({ error: 'must be a string' })
  .refine(isTokenName, `must be ${TOKEN_NAME_FORM}`);

const scope = z.enum(TOKEN_SCOPES, { error: `must be one of ${TOKEN_SCOPES.join(', ')}` });

const limit = z
  .int({ error: 'must be a whole number' })
  .min(1, 'must be 1 at least')
  .nullable()
  .optional();

const limits = z
  .strictObject({
    rowsMax: limit,
    bytesMax: limit,
    queryTimeoutMs: limit,
    connectionsMax: limit.describe('Wire sessions and requests at a time, in each process'),
  })
  .describe('They only narrow what is configured; null leaves that as it is');

const backends = z
  .array(z.enum(BACKEND_NAMES, { error: `must be one of ${BACKEND_NAMES.join(', ')}` }))
  .min(1, 'must name one at least')
  .nullable()
  .describe('The only ones that it may use; null is all');

const databases = z
  .array(z.string().min(1, 'must not be empty'), { error: 'must be an array of names' })
  .min(1, 'must name one at least')
  .max(DATABASES_MAX, `names ${DATABASES_MAX} at most`)
  .nullable()
  .describe('The only ones that it may use, of whichever backend; null is all');

const secretShape = {
  password: password.optional().describe('8 characters at least'),
  verifier: z
    .string({ error: 'must be a string' })
    .optional()
    .describe('Instead of the password, as PostgreSQL keeps one: `SCRAM-SHA-256$…`'),
};

const hasOneSecret = (body: { password?: unknown; verifier?: unknown }): boolean =>
  (body.password === undefined) !== (body.verifier === undefined);

const ONE_SECRET = { path: ['password'], error: 'or verifier is needed, and not both' };

/** Bodies. Each is strict: what is misspelt is told. */
export const ACCOUNT_BODIES = {
  Login: z.strictObject({
    name: z.string({ error: 'must be a string' }).min(1).max(NAME_LENGTH_MAX, 'is too long'),
    password,
  }),
  PasswordChange: z.strictObject({
    current: password,
    new: password.describe('8 characters at least'),
  }),
  NewSecret: z.strictObject(secretShape).refine(hasOneSecret, ONE_SECRET),
  NewAccount: z
    .strictObject({
      name,
      ...secretShape,
      scope,
      limits: limits.optional(),
      backends: backends.optional(),
      databases: databases.optional(),
    })
    .refine(hasOneSecret, ONE_SECRET),
  AccountChanges: z
    .strictObject({
      scope: scope.optional(),
      isDisabled: z.boolean({ error: 'must be true or false' }).optional(),
      limits: limits.optional(),
      backends: backends.optional(),
      databases: databases.optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'must have something to change')
    .meta({ minProperties: 1 }),
  NewToken: z.strictObject({
    name,
    scope: scope.optional().describe('`read` unless said; at most your own'),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'must be a time as in 2030-01-31T12:00:00Z' })
      .nullable()
      .optional()
      .describe(
        'Null, or nothing, for a token that does not expire; made with a token that does, it is ' +
          'that time at the latest, and unless said',
      ),
  }),
} as const;

const time = z.iso.datetime();
const accountLimit = z.int().nullable();

const restrictions = {
  limits: z.object({
    rowsMax: accountLimit,
    bytesMax: accountLimit,
    queryTimeoutMs: accountLimit,
    connectionsMax: accountLimit,
  }),
  backends: z.array(z.string()).nullable(),
  databases: z.array(z.string()).nullable(),
};

const account = z.object({
  id: z.uuid(),
  name: z.string(),
  scope: z.enum(TOKEN_SCOPES),
  isDisabled: z.boolean(),
  ...restrictions,
  createdAt: time,
  lastSeenAt: time.nullable(),
});

const token = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string().describe('Its beginning, for recognition'),
  scope: z.enum(TOKEN_SCOPES),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
});

const session = z.object({
  id: z.string(),
  address: z.string().describe('Where the login came from'),
  startedAt: time,
  lastSeenAt: time,
  expiresAt: time.describe('Unless it is used until then'),
  isCurrent: z.boolean().describe('Whether this very request came with it'),
});

/** Answers. */
export const ACCOUNT_ANSWERS = {
  Caller: z.object({
    name: z.string().describe('Of the account or the token; `anonymous` where nobody is asked'),
    scope: z.enum(TOKEN_SCOPES).describe('What this request may do'),
    account: z
      .object({ id: z.uuid(), scope: z.enum(TOKEN_SCOPES), ...restrictions })
      .nullable()
      .describe('Null for tokens of the configuration'),
    sessionId: z.string().nullable().describe('Null for tokens'),
  }),
  Account: account,
  AccountList: z.object({ items: z.array(account) }),
  Session: session,
  SessionList: z.object({ items: z.array(session) }),
  Token: token,
  TokenList: z.object({ items: z.array(token) }),
  CreatedToken: token.extend({ token: z.string().describe('It is never shown again') }),
} as const;

/**
 * The body of a request as the schema has it.
 *
 * @throws RequestError 400, 422 with everything that is wrong with it
 */
export function parseBody<Body extends z.ZodType>(schema: Body, request: Request): z.infer<Body> {
  const body = readJsonBody(request);
  if (!isDocument(body)) {
    throw new RequestError(422, 'The body has to be an object');
  }
  const parsed = schema.safeParse(toPlain(body));
  if (!parsed.success) {
    throw new RequestError(422, 'The body is not as it has to be', {
      fields: parsed.error.issues.flatMap(describeIssue),
    });
  }
  return parsed.data;
}

/** Numbers come as they are written; these have to be counted with. */
function toPlain(value: unknown): unknown {
  if (isLosslessNumber(value)) {
    return Number(value.value);
  }
  if (Array.isArray(value)) {
    return value.map(toPlain);
  }
  return isDocument(value)
    ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlain(member)]))
    : value;
}
