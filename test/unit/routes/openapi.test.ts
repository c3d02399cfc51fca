import type { z } from 'zod';
import { describe, expect, it, test } from '@jest/globals';
import { API_SCHEMAS } from '../../../routes/api-schemas.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import type { Content, OpenApiDocument } from '../../../routes/openapi-types.ts';
import { nameOf, operationsOf, parametersOf, responsesOf } from '../../../routes/openapi-walk.ts';
import type { DescribedOperation } from '../../../routes/openapi-walk.ts';
import { parseQuery } from '../../../routes/query-schema.ts';
import { checkerOf } from '../../support/openapi.ts';

const BOTH = {
  version: '1.2.3',
  hasPostgres: true,
  hasMongodb: true,
  hasConnectors: true,
  hasAccounts: true,
  hasActivity: true,
};

const DOCUMENTS = [
  ['both databases', BOTH],
  ['PostgreSQL', { ...BOTH, hasMongodb: false }],
  ['MongoDB', { ...BOTH, hasPostgres: false }],
] as const;

const whole = createOpenApiDocument(BOTH);

/** Rows of a table of tests. */
function namesAndOperations(document: OpenApiDocument): [string, DescribedOperation][] {
  return operationsOf(document.paths).map((one) => [one.operation.operationId, one]);
}

function referencesIn(value: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(value, (key, member: unknown) => {
    if (key === '$ref' && typeof member === 'string') {
      found.push(member);
    }
    return member;
  });
  return found;
}

/** What a JSON pointer in the document's fragment stands for. */
function readPointer(document: OpenApiDocument, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((at, name) => new Map(Object.entries(at ?? {})).get(name), document);
}

describe.each(DOCUMENTS)('the description of %s', (_name, api) => {
  const document = createOpenApiDocument(api);

  it('is the same after it was sent as JSON', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(document).toMatchObject({ openapi: '3.1.1', info: { version: '1.2.3' } });
  });

  it('refers only to what is there, and has nothing that is not referred to', () => {
    const references = new Set(referencesIn(document));
    for (const reference of references) {
      expect([reference, readPointer(document, reference)]).toEqual([reference, expect.anything()]);
    }
    const { securitySchemes, ...kinds } = document.components;
    expect(Object.keys(securitySchemes)).toEqual(['bearer', 'cookie']);
    for (const [kind, parts] of Object.entries(kinds)) {
      const all = Object.keys(parts).map((name) => `#/components/${kind}/${name}`);
      expect(all.filter((name) => !references.has(name))).toEqual([]);
    }
  });

  it('has a name for each operation, and a tag that is described', () => {
    const operations = operationsOf(document.paths).map(({ operation }) => operation);
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(operations.flatMap((operation) => operation.tags));
    expect([...tags].sort()).toEqual(document.tags.map(({ name }) => name).sort());
  });

  test.each(namesAndOperations(document))('%s is a whole operation', (_id, described) => {
    const { path, operation } = described;
    const parameters = parametersOf(document, described);
    const inPath = parameters.filter((one) => one.in === 'path');
    expect(inPath.every(({ required, example }) => required === true && example !== '')).toBe(true);
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    const names = parameters.map((one) => `${one.in} ${one.name}`);
    expect(new Set(names).size).toBe(names.length);

    const responses = responsesOf(document, operation);
    const statuses = responses.map(({ status }) => status);
    expect(statuses[0]).toMatch(/^20[014]$/);
    expect(statuses.at(-1)).toBe('default');
    for (const { status, response } of responses) {
      expect(response.description).not.toBe('');
      expect(response.headers).toMatchObject({ 'X-Request-Id': expect.anything() });
      expect(response.content === undefined).toBe(['204', '304'].includes(status));
    }
  });
});

describe('a database that is not served', () => {
  test.each([
    ['PostgreSQL', { ...BOTH, hasPostgres: false }, /postgres|SqlQuery|\bRow/i],
    ['MongoDB', { ...BOTH, hasMongodb: false }, /\/mongodb|MongodbQuery|Document|id_type"/],
  ])('is not described: %s', (_name, api, pattern) => {
    const { paths, components, tags } = createOpenApiDocument(api);
    const names = [paths, components.schemas, components.parameters, tags].flatMap(Object.keys);
    expect(names.filter((name) => pattern.test(name))).toEqual([]);
    expect(JSON.stringify(paths['/query']?.post?.requestBody)).not.toMatch(pattern);
    expect(JSON.stringify(createOpenApiDocument(BOTH))).toMatch(pattern);
  });
});

/** Every example of JSON with the names of the schemas that it has to be of. */
function examplesIn(place: string, content: Content = {}): [string, string[], unknown][] {
  return Object.values(content).flatMap(({ schema, examples = {} }) =>
    Object.entries(examples).map(([name, { value }]): [string, string[], unknown] => [
      `${place}, ${name}`,
      referencesIn(schema).map(nameOf),
      value,
    ]),
  );
}

function isOf(names: readonly string[], value: unknown): boolean {
  const schemas = new Map<string, z.ZodType>(Object.entries(API_SCHEMAS));
  return names.some((name) => schemas.get(name)?.safeParse(value).success);
}

describe('examples', () => {
  const bodies = operationsOf(whole.paths).flatMap(({ operation }) =>
    examplesIn(`the body of ${operation.operationId}`, operation.requestBody?.content),
  );
  const answers = operationsOf(whole.paths).flatMap(({ operation }) =>
    responsesOf(whole, operation).flatMap(({ status, response }) =>
      examplesIn(`${status} of ${operation.operationId}`, response.content),
    ),
  );

  it('are there for every body', () => {
    const withBody = operationsOf(whole.paths).filter(({ operation }) => operation.requestBody);
    expect(withBody.map(({ operation }) => operation.operationId)).toHaveLength(16);
    for (const { operation } of withBody) {
      const name = `the body of ${operation.operationId}, `;
      expect(bodies.some(([place]) => place.startsWith(name))).toBe(true);
    }
  });

  test.each([...bodies, ...answers])(
    'are accepted by the zod schema: %s',
    (_place, names, value) => {
      expect(names).not.toEqual([]);
      expect(isOf(names, value)).toBe(true);
      expect(isOf(names, 7)).toBe(false);
    },
  );

  test.each(bodies.filter(([place]) => place.includes('runQuery')))(
    'are taken by POST /query: %s',
    (_place, _names, value) => {
      expect(parseQuery(value)).toEqual(value);
    },
  );
});

/** Bodies of queries, and whether they are taken. */
const QUERIES: readonly (readonly [boolean, unknown])[] = [
  [true, { backend: 'postgres', sql: '' }],
  [true, { backend: 'postgres', sql: 'select $1', params: [1, null, 'a', [{}]] }],
  [true, { backend: 'postgres', sql: 'select 1', rowMode: 'array', onLimit: 'error' }],
  [true, { backend: 'postgres', sql: 'select 1', maxRows: 1, maxBytes: 1, timeoutMs: 1 }],
  [true, { backend: 'mongodb', command: 'show dbs', database: 'app' }],
  [true, { backend: 'mongodb', command: { ping: 1 } }],
  [false, { backend: 'postgres' }],
  [false, { backend: 'postgres', command: 'show dbs' }],
  [false, { backend: 'postgres', sql: 1 }],
  [false, { backend: 'postgres', sql: 'select 1', params: { a: 1 } }],
  [false, { backend: 'postgres', sql: 'select 1', rowMode: 'rows' }],
  [false, { backend: 'postgres', sql: 'select 1', maxRows: 0 }],
  [false, { backend: 'postgres', sql: 'select 1', maxRows: 1.5 }],
  [false, { backend: 'postgres', sql: 'select 1', timeoutMs: '5' }],
  [false, { backend: 'postgres', sql: 'select 1', onLimit: 'cut' }],
  [false, { backend: 'postgres', sql: 'select 1', database: 'app' }],
  [false, { backend: 'postgres', sql: 'select 1', more: true }],
  [false, { backend: 'mongodb', command: 1 }],
  [false, { backend: 'mongodb', command: ['ping'] }],
  [false, { backend: 'mongodb', command: null }],
  [false, { backend: 'mysql', sql: 'select 1' }],
  [false, {}],
];

describe('the described body of POST /query', () => {
  const media = whole.paths['/query']?.post?.requestBody?.content['application/json'];
  const described = checkerOf(whole, media?.schema ?? {});

  test.each(QUERIES)('is judged as the route judges it: %s for %j', (isTaken, body) => {
    expect(described.safeParse(body).success).toBe(isTaken);
    const parse = (): unknown => parseQuery(body);
    if (isTaken) {
      expect(parse()).toEqual(body);
    } else {
      expect(parse).toThrow();
    }
  });
});
