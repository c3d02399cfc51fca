// Tables of PostgreSQL, as the API's description has them: one description for all tables.
import { answer, example, json, OF_STATEMENTS, problems } from './openapi-answers.ts';
import { describeMany, describeOne } from './openapi-crud.ts';
import type { CrudTerms } from './openapi-crud.ts';
import { refParameters } from './openapi-parameters.ts';
import type { DraftOperation, DraftPaths } from './openapi-types.ts';

const TAG = 'PostgreSQL';

const TABLE = {
  schema: 'public',
  table: 'people',
  kind: 'table',
  isReadOnly: false,
  url: '/api/postgres/public/people',
};

const LIST_TABLES: DraftOperation = {
  operationId: 'listTables',
  tags: [TAG],
  summary: 'List the tables of all schemas',
  description: 'What may be read at least in part, and is not hidden by configuration.',
  responses: {
    200: answer('The tables', { content: json('TableList', example({ items: [TABLE] })) }),
    ...problems(...OF_STATEMENTS),
  },
};

const LIST_SCHEMA_TABLES: DraftOperation = {
  ...LIST_TABLES,
  operationId: 'listSchemaTables',
  summary: 'List the tables of one schema',
  responses: { ...LIST_TABLES.responses, ...problems(...OF_STATEMENTS, 404) },
};

const TERMS: CrudTerms = {
  tag: TAG,
  one: 'Row',
  many: 'Rows',
  address: 'its primary key',
  schemas: {
    changes: 'RowChanges',
    list: 'RowList',
    new: 'NewRows',
    one: 'Row',
    page: 'RowPage',
  },
  notes: {
    list: ' A table without a primary key has one page.',
    create: 'All rows of an array are created, or none of them.',
    replace:
      'A column that is not given gets its default. The key in the body, if any, is the same.',
    patch: 'Columns that are not given stay as they are.',
  },
  parameters: { filter: [], one: [], read: ['Select'] },
  examples: {
    stored: { id: 1, name: 'Ada', age: 36 },
    page: { items: [{ name: 'Ada', age: 36 }], next: null, count: 1 },
    created: {
      one: { summary: 'A row', value: { name: 'Ada', age: 36 } },
      many: { summary: 'Several rows', value: [{ name: 'Alan', age: 41 }, { name: 'Grace' }] },
    },
    replacement: { name: 'Ada', age: 36 },
    changes: { age: 37 },
  },
};

export const POSTGRES_PATHS: DraftPaths = {
  '/api/postgres': { get: LIST_TABLES },
  '/api/postgres/{schema}': { parameters: refParameters('Schema'), get: LIST_SCHEMA_TABLES },
  '/api/postgres/{schema}/{table}': {
    parameters: refParameters('Schema', 'Table'),
    ...describeMany(TERMS),
  },
  '/api/postgres/{schema}/{table}/{key}': {
    parameters: refParameters('Schema', 'Table', 'Key'),
    ...describeOne(TERMS),
  },
};
