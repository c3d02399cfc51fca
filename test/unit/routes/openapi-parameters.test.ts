import { describe, expect, it, test } from '@jest/globals';
import { parseListParameters } from '../../../routes/list-parameters.ts';
import type { ListParameters } from '../../../routes/list-parameters.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import { PARAMETERS } from '../../../routes/openapi-parameters.ts';
import { parseId } from '../../../src/backends/mongodb/crud-scalars.ts';
import { checkerOf } from '../../support/openapi.ts';

const document = createOpenApiDocument({ version: '1', hasPostgres: true, hasMongodb: true });

/** Parses a query string as the lists do, by the bounds that the description tells. */
function parse(query: Readonly<Record<string, string>>): ListParameters {
  const { default: limitDefault, maximum: limitMax } = PARAMETERS.Limit.schema;
  return parseListParameters(new URLSearchParams(query), { limitDefault, limitMax });
}

/** Query strings of one filter, and whether they are one. */
const FILTERS = [
  ['eq', 'age', 'eq.5', true],
  ['neq', 'age', 'neq.5', true],
  ['gt', 'age', 'gt.5', true],
  ['gte', 'age', 'gte.5', true],
  ['lt', 'age', 'lt.5', true],
  ['lte', 'age', 'lte.5', true],
  ['like', 'name', 'like.A%', true],
  ['ilike', 'name', 'ilike.a%', true],
  ['in', 'age', 'in.(1,2)', true],
  ['is', 'age', 'is.null', true],
  ['no operator', 'age', '5', false],
  ['another operator', 'age', 'regex.5', false],
  ['an operator without its dot', 'age', 'eq', false],
  ['an operator of MongoDB', 'age', '$gt.5', false],
] as const;

describe('filters', () => {
  const described = checkerOf(document, PARAMETERS.Filter.schema);

  test.each(FILTERS)('are described as lists take them: %s', (_name, field, text, isTaken) => {
    expect(described.safeParse({ [field]: text }).success).toBe(isTaken);
    if (isTaken) {
      expect(parse({ [field]: text }).filters).toHaveLength(1);
    } else {
      expect(() => parse({ [field]: text })).toThrow();
    }
  });

  it('name each operator and each value of is', () => {
    for (const [name] of FILTERS.slice(0, 10)) {
      expect(PARAMETERS.Filter.description).toContain(`\`${name}\``);
    }
    for (const value of ['null', 'true', 'false', 'not_null']) {
      expect(PARAMETERS.Filter.description).toContain(`\`${value}\``);
      expect(parse({ age: `is.${value}` }).filters).toHaveLength(1);
    }
    expect(() => parse({ age: 'is.5' })).toThrow();
  });

  test.each(['select', 'order', 'limit', 'after', 'count', 'id_type'])(
    'have another name than %s, unless it is quoted',
    (name) => {
      expect(described.safeParse({ [name]: 'eq.5' }).success).toBe(false);
      expect(described.safeParse({ [`"${name}"`]: 'eq.5' }).success).toBe(true);
      expect(parse({ [`"${name}"`]: 'eq.5' }).filters).toEqual([
        { field: name, op: 'eq', value: '5' },
      ]);
      expect(PARAMETERS.Filter.description).toContain(`\`${name}\``);
    },
  );

  it('are needed where many are written to', () => {
    const required = checkerOf(document, PARAMETERS.RequiredFilter.schema);
    expect(required.safeParse({}).success).toBe(false);
    expect(required.safeParse(PARAMETERS.RequiredFilter.example).success).toBe(true);
    expect(described.safeParse({}).success).toBe(true);
  });
});

describe('the other parameters of lists', () => {
  it('are those that a list has', () => {
    const names = ['select', 'order', 'limit', 'after', 'count'];
    for (const path of ['/api/postgres/{schema}/{table}', '/api/mongodb/{database}/{collection}']) {
      const parameters = document.paths[path]?.get?.parameters ?? [];
      const pointed = parameters.map((one) => ('$ref' in one ? one.$ref : '').toLowerCase());
      expect(names.filter((name) => !pointed.some((ref) => ref.endsWith(`/${name}`)))).toEqual([]);
    }
  });

  it('have examples that are taken', () => {
    const { Filter, Select, Order, Limit, Count } = PARAMETERS;
    const query = {
      ...Filter.example,
      select: Select.example,
      order: Order.example,
      limit: String(Limit.example),
      count: Count.example,
    };
    expect(parse(query)).toEqual({
      filters: [{ field: 'age', op: 'gte', value: '18' }],
      select: ['name', 'age'],
      order: [{ field: 'age', direction: 'desc' }],
      limit: 20,
      after: undefined,
      count: 'exact',
    });
  });

  test.each([
    ['limit', '1', true],
    ['limit', '1000', true],
    ['limit', '0', false],
    ['limit', '1001', false],
    ['limit', '1.5', false],
    ['count', 'exact', true],
    ['count', 'estimated', true],
    ['count', 'planned', false],
  ] as const)('are described as they are taken: %s=%s', (name, text, isTaken) => {
    const schema = name === 'limit' ? PARAMETERS.Limit.schema : PARAMETERS.Count.schema;
    const value = name === 'limit' ? Number(text) : text;
    expect(checkerOf(document, schema).safeParse(value).success).toBe(isTaken);
    if (isTaken) {
      expect(parse({ [name]: text })).toHaveProperty(name, value);
    } else {
      expect(() => parse({ [name]: text })).toThrow();
    }
  });

  it('say how long a page is where nothing is said', () => {
    expect(parse({}).limit).toBe(PARAMETERS.Limit.schema.default);
  });
});

describe('types of ids', () => {
  const texts = [
    '66a1f0c2e4b0a1b2c3d4e5f6',
    '1',
    'true',
    '2026-01-01T00:00:00Z',
    '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  ];

  test.each(PARAMETERS.IdType.schema.enum)('are those that an id can have: %s', (idType) => {
    expect(texts.some((text) => 'value' in parseId(text, idType))).toBe(true);
  });

  it('are no others', () => {
    expect(PARAMETERS.IdType.schema.enum).not.toContain('binary');
    expect(parseId('1', 'binary')).toHaveProperty('problem');
  });
});
