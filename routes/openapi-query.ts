// POST /query, as the API's description has it.
import { answer, CACHE_HEADERS, OF_STATEMENTS, problems } from './openapi-answers.ts';
import { refSchema } from './openapi-schemas.ts';
import type {
  Content,
  Example,
  Examples,
  DraftOperation,
  Parameter,
  DraftPaths,
  Schema,
} from './openapi-types.ts';
import { RESULT_FORMATS } from './result-format.ts';
import type { ResultFormat } from './result-format.ts';

/** Which databases are served. */
export interface ServedBackends {
  readonly hasPostgres: boolean;
  readonly hasMongodb: boolean;
}

const SQL_EXAMPLES: Examples = {
  sql: {
    summary: 'One statement with values',
    value: {
      backend: 'postgres',
      sql: 'select id, name from people where age >= $1 order by id',
      params: [18],
    },
  },
  statements: {
    summary: 'Several statements',
    value: { backend: 'postgres', sql: 'select 1 as one; select 2 as two' },
  },
  limits: {
    summary: 'Narrowed limits, rows as arrays, out of the cache where it is there',
    value: {
      backend: 'postgres',
      sql: 'select * from people',
      rowMode: 'array',
      cacheSeconds: 60,
      maxRows: 1,
      timeoutMs: 1000,
      onLimit: 'truncate',
    },
  },
};

const MONGODB_EXAMPLES: Examples = {
  shell: {
    summary: 'Text of the MongoDB shell',
    value: {
      backend: 'mongodb',
      command: 'db.people.find({ age: { $gte: 18 } }).sort({ _id: 1 })',
    },
  },
  command: {
    summary: 'A command document',
    value: { backend: 'mongodb', command: { find: 'people', filter: { age: { $gte: 18 } } } },
  },
};

const RESULT_EXAMPLE: Example = {
  summary: 'Rows of one statement',
  value: {
    columns: [
      { name: 'id', type: 'int4', oid: 23 },
      { name: 'name', type: 'text', oid: 25 },
    ],
    rows: [{ id: 1, name: 'Ada' }],
    rowCount: 1,
    commandTag: 'SELECT 1',
    truncated: false,
    durationMs: 1.25,
  },
};

const DOCUMENTS_EXAMPLE: Example = {
  summary: 'Documents',
  value: {
    columns: [{ name: 'result', type: 'json', oid: 114 }],
    rows: [{ _id: { $oid: '66a1f0c2e4b0a1b2c3d4e5f6' }, name: 'Ada', age: 36 }],
    rowCount: 1,
    commandTag: 'SELECT 1',
    truncated: false,
    durationMs: 1.25,
  },
};

const DATABASE: Parameter = {
  name: 'database',
  in: 'query',
  description: 'Of MongoDB; the same as in the body where both name one',
  schema: { type: 'string' },
};

/** The answer in each of the formats that there are. */
const FORMAT_SCHEMAS: Readonly<Record<ResultFormat['name'], Schema>> = {
  json: { anyOf: [refSchema('QueryResult'), refSchema('QueryResults')] },
  ndjson: {
    type: 'string',
    description:
      'A row a line, and after the rows of a result `{"$meta":{"rows":2,"bytes":18,' +
      '"truncated":false,…}}`, where `bytes` is those of the lines before it. What breaks off ' +
      'without it is not whole. An error after the first row is such a line too, with `sqlState` ' +
      'and `message`. All but the last of several results have `"more":true` in theirs',
  },
  csv: {
    type: 'string',
    description: 'A header line and a line for each row, RFC 4180; a limit is an error here',
  },
};

export function createQueryPaths(backends: ServedBackends): DraftPaths {
  return { '/query': { post: describeQuery(backends) } };
}

function describeQuery({ hasPostgres, hasMongodb }: ServedBackends): DraftOperation {
  return {
    operationId: 'runQuery',
    tags: ['Query'],
    summary: 'Run a statement',
    description:
      'The statement runs under the same guardrails as on the wire. With a token of scope `read` ' +
      'it can only read; to write it needs `write`.\n\nLimits can be narrowed, and not widened. ' +
      'Several statements give `results`, one for each. Once the answer has begun an error cuts ' +
      'it off, unless it is NDJSON, which says so in its last line.',
    ...(hasMongodb ? { parameters: [DATABASE] } : {}),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: bodySchema({ hasPostgres, hasMongodb }),
          examples: {
            ...(hasPostgres ? SQL_EXAMPLES : {}),
            ...(hasMongodb ? MONGODB_EXAMPLES : {}),
          },
        },
      },
    },
    responses: {
      200: answer('What the statement gives, in the format that `Accept` asks for', {
        headers: CACHE_HEADERS,
        content: describeFormats({
          ...(hasPostgres ? { rows: RESULT_EXAMPLE } : {}),
          ...(hasMongodb ? { documents: DOCUMENTS_EXAMPLE } : {}),
        }),
      }),
      ...problems(...OF_STATEMENTS, 404, 406, 410, 415, 422),
    },
  };
}

function bodySchema({ hasPostgres, hasMongodb }: ServedBackends): Schema {
  const [sql, mongodb] = [refSchema('SqlQuery'), refSchema('MongodbQuery')];
  if (!hasPostgres || !hasMongodb) {
    return hasPostgres ? sql : mongodb;
  }
  return {
    oneOf: [sql, mongodb],
    discriminator: {
      propertyName: 'backend',
      mapping: { postgres: sql.$ref, mongodb: mongodb.$ref },
    },
  };
}

function describeFormats(examples: Examples): Content {
  return Object.fromEntries(
    Object.entries(RESULT_FORMATS).map(([type, { name }]) => [
      type,
      { schema: FORMAT_SCHEMAS[name], ...(name === 'json' ? { examples } : {}) },
    ]),
  );
}
