// Parameters as the API's description has them, from the constants that requests are judged by.
import { ID_TYPE_NAMES } from '../src/backends/mongodb/crud-scalars.ts';
import { CACHE_SECONDS_MAX } from './cached-request.ts';
import { CONNECTOR_TYPES } from './connectors.ts';
import {
  COUNT_KINDS,
  FIELDS_MAX,
  FILTERS_MAX,
  IN_VALUES_MAX,
  IS_VALUES,
  LIST_BOUNDS,
  OPERATORS,
  RESERVED,
} from './list-parameters.ts';
import type { Parameter, Reference, Schema } from './openapi-types.ts';
import { USABLE_ID } from './request-id.ts';

const text = { type: 'string' } as const;

const operators = OPERATORS.map((name) => `\`${name}\``).join(', ');
const isValues = [...IS_VALUES].map((value) => `\`${value}\``).join(', ');
const reserved = RESERVED.map((name) => `\`${name}\``).join(', ');

const filterSchema: Schema = {
  type: 'object',
  propertyNames: { pattern: `^(?!(${RESERVED.join('|')})$)` },
  additionalProperties: { type: 'string', pattern: `^(${OPERATORS.join('|')})\\.` },
  maxProperties: FILTERS_MAX,
};

/** Free names in the query string: each member of the object is a parameter of its own. */
const FILTER = {
  in: 'query',
  style: 'form',
  explode: true,
  schema: filterSchema,
  example: { age: 'gte.18' },
} as const;

const FILTER_FORM =
  'Each is `name=operator.value`, a name more than once too, and all of them hold. Operators ' +
  `are ${operators}: \`is\` takes ${isValues}, \`in\` a list as \`in.(a,b,"c,d")\` of ` +
  `${IN_VALUES_MAX} values at most. A name that is one of ${reserved} stands in double quotes.`;

export const PARAMETERS = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    description: "The client's own name for the request; one is made where there is none",
    schema: { type: 'string', pattern: USABLE_ID.source },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'ETags of the versions that are meant; `*`, or none, is any version',
    schema: text,
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETags of the versions that are not meant; `*` is any version',
    schema: text,
  },
  CacheControl: {
    name: 'Cache-Control',
    in: 'header',
    description:
      '`max-age=60` takes an answer that is at most so many seconds old, up to ' +
      `${CACHE_SECONDS_MAX}, and keeps this one for that. \`no-cache\` takes none and keeps ` +
      'none. Without it nothing is cached',
    schema: text,
    example: 'max-age=60',
  },
  Filter: {
    ...FILTER,
    name: 'filters',
    description: `What is listed. ${FILTER_FORM}`,
  },
  RequiredFilter: {
    ...FILTER,
    name: 'filters',
    description: `Which ones are meant; at least one is needed. ${FILTER_FORM}`,
    required: true,
    schema: { ...filterSchema, minProperties: 1 },
    example: { age: 'lt.18' },
  },
  Select: {
    name: 'select',
    in: 'query',
    description:
      'Names of what is shown, separated by commas, in double quotes where one holds a comma; ' +
      `at most ${FIELDS_MAX}`,
    schema: text,
    example: 'name,age',
  },
  Order: {
    name: 'order',
    in: 'query',
    description:
      'Names to sort by, separated by commas, each with `.asc` or `.desc` behind it where it is ' +
      'to be said. What tells equal ones apart is added',
    schema: text,
    example: 'age.desc',
  },
  Limit: {
    name: 'limit',
    in: 'query',
    description: 'Most items of a page; a limit of rows that is configured lower holds too',
    schema: {
      type: 'integer',
      minimum: 1,
      maximum: LIST_BOUNDS.limitMax,
      default: LIST_BOUNDS.limitDefault,
    },
    example: 20,
  },
  After: {
    name: 'after',
    in: 'query',
    description: 'Where the page before ended: part of its `next`, with the same order',
    schema: text,
  },
  Count: {
    name: 'count',
    in: 'query',
    description: 'Adds how many there are in all pages, counted or as the database supposes',
    schema: { type: 'string', enum: [...COUNT_KINDS] },
    example: 'exact',
  },
  IdType: {
    name: 'id_type',
    in: 'query',
    description:
      'The type of ids. Otherwise 24 hexadecimal digits are an ObjectId, and others what they ' +
      'look like: a number, `true`, `false`, `null`, Extended JSON, or a string',
    schema: { type: 'string', enum: [...ID_TYPE_NAMES] },
  },
  Schema: pathParameter('schema', 'Name of a schema of PostgreSQL', 'public'),
  Table: pathParameter('table', 'Name of a table or view', 'people'),
  Key: pathParameter(
    'key',
    'The primary key as text. A key of several columns has a path segment for each of them, in ' +
      'its own order',
    '1',
  ),
  Database: pathParameter('database', 'Name of a database of MongoDB', 'app'),
  Collection: pathParameter('collection', 'Name of a collection or view', 'people'),
  Id: pathParameter('id', 'The `_id` of a document', '66a1f0c2e4b0a1b2c3d4e5f6'),
  AccountName: pathParameter('name', 'Name of an account, whatever its capitals', 'ada'),
  TokenId: pathParameter('id', 'Id of a token', 'b5c2f0d4-3a51-4c0e-9f63-6f9f3f1f7a10'),
  SessionId: pathParameter('id', 'Id of a session', '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21'),
  ConnectorKey: pathParameter('key', 'Key of a connector', 'mongodb'),
  ConnectorType: {
    name: 'type',
    in: 'query',
    description: 'Which one is meant where a sink and a source have the key',
    schema: { type: 'string', enum: [...CONNECTOR_TYPES] },
    example: 'sink',
  },
} as const satisfies Readonly<Record<string, Parameter>>;

/** Names in the description. */
export type ParameterName = keyof typeof PARAMETERS;

export function refParameters(...names: readonly ParameterName[]): readonly Reference[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function pathParameter(name: string, description: string, example: string): Parameter {
  return { name, in: 'path', description, required: true, schema: text, example };
}
