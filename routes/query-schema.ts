// The body of POST /query: what is taken, and what is said of everything else.
import { isLosslessNumber } from 'lossless-json';
import { z } from 'zod';
import { CACHE_SECONDS_MAX } from './cached-request.ts';
import { RequestError } from './request-error.ts';
import type { FieldProblem } from './request-error.ts';

const wholeNumber = (unit: string): z.ZodOptional<z.ZodInt> =>
  z
    .int({ error: `must be a whole number of ${unit}` })
    .min(1, `must be 1 at least`)
    .optional();

/** They narrow what the API is configured with, and say what may be cached. */
const limitShape = {
  maxRows: wholeNumber('rows').describe('Most rows of the answer; at most the configured limit'),
  maxBytes: wholeNumber('bytes').describe('Most bytes of rows; at most the configured limit'),
  timeoutMs: wholeNumber('milliseconds').describe(
    'When the statement is cancelled; at most the configured time',
  ),
  cacheSeconds: z
    .int({ error: 'must be a whole number of seconds' })
    .min(1, 'must be 1 at least')
    .max(CACHE_SECONDS_MAX, `must be ${CACHE_SECONDS_MAX} at most`)
    .optional()
    .describe(
      'How old an answer may be that is given instead of running the statement, and how long ' +
        'this one is kept for that; the statement can only read then',
    ),
  onLimit: z
    .enum(['truncate', 'error'], { error: 'must be "truncate" or "error"' })
    .optional()
    .describe('Whether a result is cut at a limit, and says so, or fails there'),
};

const sqlQuerySchema = z.strictObject({
  backend: z.literal('postgres'),
  sql: z
    .string({ error: 'must be a string of SQL' })
    .describe('One statement, or without params several; $1, $2 … stand for the params'),
  params: z
    .array(z.unknown(), { error: 'must be an array' })
    .optional()
    .describe('Values of $1, $2 …; objects and arrays are given as JSON text'),
  rowMode: z
    .enum(['object', 'array'], { error: 'must be "object" or "array"' })
    .optional()
    .describe('Rows as objects by column name, which is the default, or as arrays'),
  ...limitShape,
});

const COMMAND_KINDS = 'must be shell text, or a command document';

const mongoQuerySchema = z.strictObject({
  backend: z.literal('mongodb'),
  database: z
    .string({ error: 'must be the name of a database' })
    .optional()
    .describe("The connection string's unless said here or as ?database="),
  command: z
    .union([z.string(), z.unknown().refine(isDocument, COMMAND_KINDS).meta({ type: 'object' })], {
      error: COMMAND_KINDS,
    })
    .describe('Text of the MongoDB shell, or a command document in Extended JSON'),
  ...limitShape,
});

/** The same schema checks bodies and describes them in the API's own description. */
export const querySchema = z.discriminatedUnion('backend', [sqlQuerySchema, mongoQuerySchema], {
  error: 'must be "postgres" or "mongodb"',
});

export type SqlQuery = z.infer<typeof sqlQuerySchema>;
export type MongoQuery = z.infer<typeof mongoQuerySchema>;

/** Numbers come as they are written; these members have to be counted with. */
const COUNTED_NAMES: ReadonlySet<string> = new Set([
  ...['maxRows', 'maxBytes', 'timeoutMs'],
  'cacheSeconds',
]);

/** @throws RequestError 422 with everything that is wrong with it */
export function parseQuery(body: unknown): SqlQuery | MongoQuery {
  if (!isDocument(body)) {
    throw new RequestError(422, 'The body has to be an object', {
      hint: 'Such as {"backend": "postgres", "sql": "select 1"}',
    });
  }
  const counted = Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      COUNTED_NAMES.has(name) && isLosslessNumber(value) ? Number(value.value) : value,
    ]),
  );
  const parsed = querySchema.safeParse(counted);
  if (!parsed.success) {
    throw new RequestError(422, 'The query is not as it has to be', {
      fields: parsed.error.issues.flatMap(describeIssue),
    });
  }
  return parsed.data;
}

/** What a schema says of one part of a body. */
export function describeIssue(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((field) => ({ field, message: 'is not known here' }));
  }
  return [{ field: issue.path.map(String).join('.'), message: issue.message }];
}

/** A JSON object, and neither a number nor a list. */
export function isDocument(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value)
  );
}
