// What tables and collections have in common, as the API's description has it.
import type { ApiSchemaName } from './api-schemas.ts';
import {
  answer,
  CACHE_HEADERS,
  example,
  json,
  OF_STATEMENTS,
  problems,
} from './openapi-answers.ts';
import type { HeaderName } from './openapi-answers.ts';
import { refParameters } from './openapi-parameters.ts';
import type { ParameterName } from './openapi-parameters.ts';
import type { Examples, DraftOperation, DraftPathItem } from './openapi-types.ts';

/** What is said differently of each of the two. */
export interface CrudTerms {
  readonly tag: string;
  /** As operations are named: listRows, readRow. */
  readonly one: 'Row' | 'Document';
  readonly many: 'Rows' | 'Documents';
  readonly schemas: Readonly<Record<'changes' | 'list' | 'new' | 'one' | 'page', ApiSchemaName>>;
  /** How one of them is found. */
  readonly address: string;
  /** What is to be known of what the database does. */
  readonly notes: Readonly<Record<'create' | 'list' | 'patch' | 'replace', string>>;
  readonly parameters: Readonly<Record<'filter' | 'one' | 'read', readonly ParameterName[]>>;
  readonly examples: {
    readonly stored: object;
    readonly page: object;
    readonly created: Examples;
    readonly replacement: object;
    readonly changes: object;
  };
}

/** Statuses of what writes: it may not be there, be a view, or not fit. */
const OF_WRITES = [...OF_STATEMENTS, 404, 405, 415] as const;
const OF_BODIES = [...OF_WRITES, 422] as const;

/** What is written or read depends on its version. */
const CONDITIONS = ['IfMatch', 'IfNoneMatch'] as const;

/** The path of all of them: list, create, and writes to what a filter finds. */
export function describeMany(terms: CrudTerms): DraftPathItem {
  return {
    get: describeList(terms),
    post: describeCreate(terms),
    patch: describePatchMany(terms),
    delete: describeRemoveMany(terms),
  };
}

/** The path of one of them. */
export function describeOne(terms: CrudTerms): DraftPathItem {
  return {
    get: describeRead(terms),
    put: describeReplace(terms),
    patch: describePatch(terms),
    delete: describeRemove(terms),
  };
}

function describeList({
  tag,
  many,
  schemas,
  notes,
  parameters,
  examples,
}: CrudTerms): DraftOperation {
  return {
    operationId: `list${many}`,
    tags: [tag],
    summary: `List ${many.toLowerCase()}, a page at a time`,
    description:
      'Follow `next` until it is null. Each page goes on behind the last one by values, so that ' +
      `nothing is shown twice or left out when others come or go.${notes.list}`,
    parameters: refParameters(
      ...(['Filter', 'Select', 'Order', 'Limit', 'After', 'Count', 'CacheControl'] as const),
      ...parameters.filter,
    ),
    responses: {
      200: answer('A page', {
        headers: ['Link', ...CACHE_HEADERS],
        content: json(schemas.page, example(examples.page)),
      }),
      ...problems(...OF_STATEMENTS, 404, 422),
    },
  };
}

function describeCreate({ tag, one, many, schemas, notes, examples }: CrudTerms): DraftOperation {
  const name = one.toLowerCase();
  return {
    operationId: `create${many}`,
    tags: [tag],
    summary: `Create a ${name}, or several`,
    description: notes.create,
    requestBody: { required: true, content: json(schemas.new, examples.created) },
    responses: {
      201: answer(`The ${name} as it is stored; of several a list, without Location and ETag`, {
        headers: ['Location', 'ETag'],
        content: json([schemas.one, schemas.list], example(examples.stored)),
      }),
      ...problems(...OF_BODIES),
    },
  };
}

function describePatchMany({
  tag,
  many,
  schemas,
  notes,
  parameters,
  examples,
}: CrudTerms): DraftOperation {
  return {
    operationId: `patch${many}`,
    tags: [tag],
    summary: `Change all ${many.toLowerCase()} that a filter finds`,
    description: notes.patch,
    parameters: refParameters('RequiredFilter', ...parameters.filter),
    requestBody: { required: true, content: json(schemas.changes, example(examples.changes)) },
    responses: {
      200: answer('How many there were', {
        content: json('Changed', example({ matched: 2, modified: 2 })),
      }),
      ...problems(...OF_BODIES),
    },
  };
}

function describeRemoveMany({ tag, many, parameters }: CrudTerms): DraftOperation {
  return {
    operationId: `delete${many}`,
    tags: [tag],
    summary: `Delete all ${many.toLowerCase()} that a filter finds`,
    parameters: refParameters('RequiredFilter', ...parameters.filter),
    responses: {
      200: answer('How many there were', { content: json('Deleted', example({ deleted: 2 })) }),
      ...problems(...OF_WRITES),
    },
  };
}

function describeRead(terms: CrudTerms): DraftOperation {
  const { tag, one, address, parameters } = terms;
  return {
    operationId: `read${one}`,
    tags: [tag],
    summary: `Read one ${one.toLowerCase()} by ${address}`,
    parameters: refParameters(...CONDITIONS, 'CacheControl', ...parameters.read, ...parameters.one),
    responses: {
      200: describeStored(terms, CACHE_HEADERS),
      304: answer('It is a version that If-None-Match names', {
        headers: ['ETag', ...CACHE_HEADERS],
      }),
      ...problems(...OF_STATEMENTS, 404, 412),
    },
  };
}

function describeReplace(terms: CrudTerms): DraftOperation {
  const { tag, one, schemas, notes, parameters, examples } = terms;
  return {
    operationId: `replace${one}`,
    tags: [tag],
    summary: `Put a whole ${one.toLowerCase()} in the place of one`,
    description: notes.replace,
    parameters: refParameters(...CONDITIONS, ...parameters.one),
    requestBody: { required: true, content: json(schemas.one, example(examples.replacement)) },
    responses: { 200: describeStored(terms), ...problems(...OF_BODIES, 412) },
  };
}

function describePatch(terms: CrudTerms): DraftOperation {
  const { tag, one, schemas, notes, parameters, examples } = terms;
  return {
    operationId: `patch${one}`,
    tags: [tag],
    summary: `Change one ${one.toLowerCase()}`,
    description: notes.patch,
    parameters: refParameters(...CONDITIONS, ...parameters.one),
    requestBody: { required: true, content: json(schemas.changes, example(examples.changes)) },
    responses: { 200: describeStored(terms), ...problems(...OF_BODIES, 412) },
  };
}

function describeRemove({ tag, one, parameters }: CrudTerms): DraftOperation {
  return {
    operationId: `delete${one}`,
    tags: [tag],
    summary: `Delete one ${one.toLowerCase()}`,
    parameters: refParameters(...CONDITIONS, ...parameters.one),
    responses: {
      204: answer('It is gone'),
      ...problems(...OF_WRITES, 412, 422),
    },
  };
}

function describeStored(
  { one, schemas, examples }: CrudTerms,
  headers: readonly HeaderName[] = [],
): ReturnType<typeof answer> {
  return answer(`The ${one.toLowerCase()} as it is stored`, {
    headers: ['ETag', ...headers],
    content: json(schemas.one, example(examples.stored)),
  });
}
