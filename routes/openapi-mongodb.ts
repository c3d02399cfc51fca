// Collections of MongoDB, as the API's description has them: one description for all of them.
import { answer, example, json, OF_STATEMENTS, problems } from './openapi-answers.ts';
import { describeMany, describeOne } from './openapi-crud.ts';
import type { CrudTerms } from './openapi-crud.ts';
import { refParameters } from './openapi-parameters.ts';
import type { DraftOperation, DraftPaths } from './openapi-types.ts';

const TAG = 'MongoDB';

const LIST_DATABASES: DraftOperation = {
  operationId: 'listDatabases',
  tags: [TAG],
  summary: 'List the databases',
  description: 'Those that are not hidden by configuration.',
  responses: {
    200: answer('The databases', {
      content: json('DatabaseList', example({ items: [{ name: 'app' }], next: null })),
    }),
    ...problems(...OF_STATEMENTS),
  },
};

const LIST_COLLECTIONS: DraftOperation = {
  operationId: 'listCollections',
  tags: [TAG],
  summary: 'List the collections of one database',
  responses: {
    200: answer('The collections', {
      content: json(
        'CollectionList',
        example({
          items: [{ name: 'people', type: 'collection', isReadOnly: false }],
          next: null,
        }),
      ),
    }),
    ...problems(...OF_STATEMENTS, 404),
  },
};

const ID = { $oid: '66a1f0c2e4b0a1b2c3d4e5f6' };

const TERMS: CrudTerms = {
  tag: TAG,
  one: 'Document',
  many: 'Documents',
  address: 'its `_id`',
  schemas: {
    changes: 'DocumentChanges',
    list: 'DocumentList',
    new: 'NewDocuments',
    one: 'Document',
    page: 'DocumentPage',
  },
  notes: {
    list:
      ' Names are dotted paths. Values are what they look like: a number, `true`, `false`, ' +
      '`null`, Extended JSON, or a string. An estimated count takes no filter.',
    create:
      'A document without `_id` gets one. Several are created in their order; what was created ' +
      'before one fails stays.',
    replace: 'The `_id` in the body, if any, is the same.',
    patch: 'Fields are set by their dotted paths; others stay as they are.',
  },
  parameters: { filter: ['IdType'], one: ['IdType'], read: [] },
  examples: {
    stored: { _id: ID, name: 'Ada', age: 36 },
    page: { items: [{ _id: ID, name: 'Ada', age: 36 }], next: null, count: 1 },
    created: {
      one: { summary: 'A document', value: { name: 'Ada', age: 36 } },
      many: { summary: 'Several documents', value: [{ name: 'Alan', age: 41 }, { name: 'Grace' }] },
    },
    replacement: { name: 'Ada', age: 36 },
    changes: { age: 37 },
  },
};

export const MONGODB_PATHS: DraftPaths = {
  '/api/mongodb': { get: LIST_DATABASES },
  '/api/mongodb/{database}': { parameters: refParameters('Database'), get: LIST_COLLECTIONS },
  '/api/mongodb/{database}/{collection}': {
    parameters: refParameters('Database', 'Collection'),
    ...describeMany(TERMS),
  },
  '/api/mongodb/{database}/{collection}/{id}': {
    parameters: refParameters('Database', 'Collection', 'Id'),
    ...describeOne(TERMS),
  },
};
