// What the API takes and answers, as schemas that describe it. Rows and documents themselves are
// judged by the catalog of their table, which no schema knows beforehand; queries by querySchema.
import { z } from 'zod';
import { ACCOUNT_ANSWERS, ACCOUNT_BODIES } from './account-schemas.ts';
import { ACTIVITY_ANSWERS } from './activity-schemas.ts';
import { ROWS_MAX } from './postgres-crud-body.ts';
import { querySchema } from './query-schema.ts';
import { NOTICES_MAX } from './result-writer.ts';

const count = z.int().min(0);

const fieldProblem = z.object({
  field: z.string().describe('A column, a query parameter, or a path such as `params[0]`'),
  message: z.string(),
});

const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe("The status's own words"),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What is wrong'),
    sqlState: z.string().optional().describe("PostgreSQL's code, for errors of MongoDB too"),
    hint: z.string().optional().describe('What can be done about it'),
    position: z.int().min(1).optional().describe('1-based character of the statement'),
    databaseDetail: z.string().optional().describe('What the database adds to its sentence'),
    mongodb: z.object({ code: z.int() }).optional().describe("MongoDB's own code"),
    fields: z.array(fieldProblem).optional().describe('Each part that is not taken'),
    inserted: count
      .optional()
      .describe('Documents of the array that are stored all the same: the first ones'),
    requestId: z.string().describe('As in the header X-Request-Id, in logs and in the audit'),
  })
  .describe('What went wrong, RFC 9457');

const column = z.object({
  name: z.string(),
  key: z.string().optional().describe('Its key in rows, where an earlier column has its name'),
  type: z.string().optional().describe('A built-in type, `int4[]` for an array'),
  oid: z.int().describe('As in pg_type'),
});

const notice = z.object({
  severity: z.string(),
  sqlState: z.string(),
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
});

const result = z.object({
  columns: z.array(column).describe('For documents of MongoDB one column, `result`'),
  rows: z
    .array(z.unknown())
    .describe('Objects by column, arrays where `rowMode` says so, or documents of MongoDB'),
  rowCount: count.describe('Rows above, or those that a statement without rows has changed'),
  commandTag: z.string().describe('As psql prints it'),
  truncated: z.boolean().describe('Whether a limit held rows back'),
});

const end = {
  durationMs: z.number().min(0),
  notices: z.array(notice).max(NOTICES_MAX).optional().describe('The first ones'),
};

const object = z.record(z.string(), z.unknown());

const row = object.describe(
  'A row by column. `int8`, `numeric` and other types that a JSON number would not hold exactly ' +
    'are strings, `bytea` is base64, timestamps are ISO 8601, `json` is what it is',
);

const document = object.describe(
  'A document as lossless Extended JSON; keys that begin with `$` are of that only',
);

const page = (item: z.ZodType): z.ZodType =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Address of the next page; null on the last one'),
    truncated: z
      .literal(true)
      .optional()
      .describe('Rows are missing that no next page has: the table has no key to go on by'),
    count: count.optional().describe('In all pages, where `count` asks for it'),
  });

const changes = (description: string): z.ZodType =>
  object
    .refine((members) => Object.keys(members).length > 0)
    .meta({ minProperties: 1, description });

const table = z.object({
  schema: z.string(),
  table: z.string(),
  kind: z.enum(['table', 'partitioned-table', 'view', 'materialized-view', 'foreign-table']),
  isReadOnly: z.boolean().describe('A view, or read-only by configuration'),
  url: z.string().describe('Where its rows are'),
});

const collection = z.object({
  name: z.string(),
  type: z.string().describe('`collection`, `timeseries` or `view`'),
  isReadOnly: z.boolean().describe('A view, or read-only by configuration'),
});

const status = z.enum(['ready', 'unready']);

const health = z.object({
  status,
  version: z.string(),
  uptimeSeconds: count,
  isDraining: z.boolean(),
  listeners: z.array(z.object({ listener: z.string(), isBound: z.boolean() })),
  backends: z.array(
    z.object({
      backend: z.string(),
      isRequired: z.boolean(),
      isUp: z.boolean(),
      latencyMs: z.number().min(0),
      failure: z.string().nullable().describe('A code, never an error of the database itself'),
    }),
  ),
});

const connector = z.object({
  key: z.string().describe('As in its file; a sink and a source may share one'),
  type: z.enum(['sink', 'source']),
  name: z.string(),
  isEnabled: z.boolean(),
  status: z.enum(['starting', 'running', 'stopping', 'stopped', 'error']),
  lastError: z
    .object({ message: z.string(), at: z.iso.datetime() })
    .nullable()
    .describe('Why it stopped or waited; null once it runs well again'),
  streams: z.array(object).describe('What it reads or writes in Iggy'),
  pluginConfig: object.describe('Every field with its value, defaults too; secrets are masked'),
  counters: z
    .object({
      received: count.describe('Messages polled from Iggy, or made of records'),
      delivered: count.describe('Messages in the database, or stored by Iggy'),
      replayed: count.describe('Messages that were in the database already'),
      deadLettered: count.describe('Messages that the dead-letter collection has'),
      skipped: count.describe('Messages or records that were given up'),
      errors: count.describe('Attempts that were repeated, and what failed for good'),
    })
    .describe('Since the process has started'),
});

const [sqlQuery, mongodbQuery] = querySchema.options;

/** By their names in the description. */
export const API_SCHEMAS = {
  Problem: problem,
  SqlQuery: sqlQuery,
  MongodbQuery: mongodbQuery,
  Column: column,
  Notice: notice,
  Result: result,
  QueryResult: result.extend(end),
  QueryResults: z.object({ results: z.array(result), ...end }),
  Table: table,
  TableList: z.object({ items: z.array(table) }),
  Row: row,
  RowPage: page(row),
  RowList: z.object({ items: z.array(row) }),
  NewRows: z.union([row, z.array(row).min(1).max(ROWS_MAX)]).describe('A row, or several'),
  RowChanges: changes('Columns to change'),
  DatabaseList: z.object({ items: z.array(z.object({ name: z.string() })), next: z.null() }),
  CollectionList: z.object({ items: z.array(collection), next: z.null() }),
  Document: document,
  DocumentPage: page(document),
  DocumentList: z.object({ items: z.array(document) }),
  NewDocuments: z.union([document, z.array(document).min(1)]).describe('A document, or several'),
  DocumentChanges: changes('Fields to set, by their dotted paths'),
  Changed: z.object({
    matched: count.describe('What the filters let through'),
    modified: count.describe('What is another than before; PostgreSQL counts all of it'),
  }),
  Deleted: z.object({ deleted: count }),
  Connector: connector,
  ConnectorList: z.object({ items: z.array(connector) }),
  ...ACCOUNT_BODIES,
  ...ACCOUNT_ANSWERS,
  ...ACTIVITY_ANSWERS,
  Alive: z.object({ status: z.literal('ok') }),
  Readiness: z.object({ status, reasons: z.array(z.string()).optional() }),
  Health: health,
} as const;

export type ApiSchemaName = keyof typeof API_SCHEMAS;
