import pg from 'pg';
import { describe, expect, it, test } from '@jest/globals';
import { JsonText } from '../../../../src/backends/json-text.ts';
import {
  columnEncoderOf,
  createJsonRowEncoder,
  describeColumns,
} from '../../../../src/backends/postgres/json-rows.ts';
import type { RowMode } from '../../../../src/backends/postgres/json-rows.ts';

const { builtins } = pg.types;

/** A row with one value for each column: name, type and text. */
type Cell = readonly [name: string, typeOid: number, value: string | null];

function encode(cells: readonly Cell[], rowMode: RowMode): string {
  const columns = cells.map(([name, typeOid]) => ({ name, typeOid }));
  const row = cells.map(([, , value]) => (value === null ? null : Buffer.from(value)));
  const text = new JsonText();
  createJsonRowEncoder(columns, rowMode)(text, row);
  return text.take().toString('utf8');
}

describe('a row in JSON', () => {
  const CELLS: readonly Cell[] = [
    ['id', builtins.INT4, '7'],
    ['größe "x"', builtins.TEXT, 'a'],
    ['gone', builtins.BOOL, null],
  ];

  it('is an object by column name', () => {
    expect(encode(CELLS, 'object')).toBe(String.raw`{"id":7,"größe \"x\"":"a","gone":null}`);
  });

  it('is an array in the order of the columns', () => {
    expect(encode(CELLS, 'array')).toBe('[7,"a",null]');
  });

  test.each([
    ['object', '{}'],
    ['array', '[]'],
  ] as const)('of no columns is an empty %s', (rowMode, json) => {
    expect(encode([], rowMode)).toBe(json);
  });

  test.each([
    ['bool', builtins.BOOL, 't', 'true'],
    ['int2', builtins.INT2, '-1', '-1'],
    ['int4', builtins.INT4, '2147483647', '2147483647'],
    ['oid', builtins.OID, '4294967295', '4294967295'],
    ['int8', builtins.INT8, '9223372036854775807', '"9223372036854775807"'],
    ['a small int8, which is of one type with the others', builtins.INT8, '1', '"1"'],
    ['numeric', builtins.NUMERIC, '1.10', '"1.10"'],
    ['numeric NaN', builtins.NUMERIC, 'NaN', '"NaN"'],
    ['float4', builtins.FLOAT4, '1.5', '1.5'],
    ['float8', builtins.FLOAT8, '1e-05', '1e-05'],
    ['json', builtins.JSON, '{"b":1,\n"a":2}', '{"b":1, "a":2}'],
    ['jsonb', builtins.JSONB, '{"n": 1.00000000000000000001}', '{"n": 1.00000000000000000001}'],
    ['bytea', builtins.BYTEA, '\\x00ff', '"AP8="'],
    ['timestamp', builtins.TIMESTAMP, '2026-01-31 23:59:59', '"2026-01-31T23:59:59"'],
    ['timestamptz', builtins.TIMESTAMPTZ, '2026-01-31 23:59:59+01', '"2026-01-31T23:59:59+01:00"'],
    ['date', builtins.DATE, '2026-01-31', '"2026-01-31"'],
    [
      'uuid',
      builtins.UUID,
      '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
      '"6f9619ff-8b86-4d01-b42d-00cf4fc964ff"',
    ],
    ['interval', builtins.INTERVAL, '-1 days', '"-1 days"'],
    ['money', builtins.MONEY, '$1,000.00', '"$1,000.00"'],
    ['int4[]', 1007, '{1,NULL}', '[1,null]'],
    ['int8[]', 1016, '{1}', '["1"]'],
    ['bool[]', 1000, '{t,f}', '[true,false]'],
    ['bytea[]', 1001, String.raw`{"\\x00ff"}`, '["AP8="]'],
    ['timestamptz[]', 1185, '{"2026-01-31 23:59:59+00"}', '["2026-01-31T23:59:59+00:00"]'],
    ['jsonb[]', 3807, String.raw`{"{\"a\": 1}"}`, '[{"a": 1}]'],
    ["a type of the database's own", 99_999, '(1,"x")', String.raw`"(1,\"x\")"`],
  ] as const)('has %s', (_name, typeOid, value, json) => {
    expect(encode([['v', typeOid, value]], 'array')).toBe(`[${json}]`);
  });
});

describe('columns', () => {
  test.each([
    [
      ['a', 'a', 'a'],
      ['a', 'a_2', 'a_3'],
    ],
    [
      ['a', 'a_2', 'a'],
      ['a', 'a_2', 'a_3'],
    ],
    [
      ['a', 'a', 'a_2'],
      ['a', 'a_3', 'a_2'],
    ],
    [
      ['a_2', 'a', 'a', 'a_2'],
      ['a_2', 'a', 'a_3', 'a_2_2'],
    ],
    [
      ['__proto__', '__proto__'],
      ['__proto__', '__proto___2'],
    ],
  ])('of the names %j have the keys %j', (names, keys) => {
    const columns = names.map((name) => ({ name, typeOid: builtins.TEXT }));
    expect(describeColumns(columns).map(({ name, key = name }) => key)).toEqual(keys);
    const row = encode(
      names.map((name) => [name, builtins.TEXT, 'x']),
      'object',
    );
    expect(Object.keys(JSON.parse(row) as object)).toEqual(keys);
  });

  it('have the name of their type where it is built in', () => {
    const types = [builtins.INT4, builtins.TIMESTAMPTZ, 19, 1231, 99_999];
    const columns = types.map((typeOid) => ({ name: 'v', typeOid }));
    expect(describeColumns(columns)).toEqual([
      { name: 'v', type: 'int4', oid: 23 },
      { name: 'v', key: 'v_2', type: 'timestamptz', oid: 1184 },
      { name: 'v', key: 'v_3', type: 'name', oid: 19 },
      { name: 'v', key: 'v_4', type: 'numeric[]', oid: 1231 },
      { name: 'v', key: 'v_5', oid: 99_999 },
    ]);
  });
});

describe('a column that the catalog knows', () => {
  const BOOLEAN = { oid: builtins.BOOL, category: 'B', delimiter: ',' };
  const INTEGERS = { oid: 1007, category: 'A', delimiter: ',' };
  const BOX = { oid: 603, category: 'G', delimiter: ';' };
  const LIST_OID = 50_001;

  function encodeAs(typeOid: number, element: typeof BOOLEAN | undefined, value: string): string {
    const column = { base: { oid: LIST_OID, category: 'A' }, element };
    const text = new JsonText();
    columnEncoderOf(typeOid, column)(text, Buffer.from(value));
    return text.take().toString('utf8');
  }

  test.each([
    ['of the database, by their elements', BOOLEAN, '{t,NULL,f}', '[true,null,false]'],
    ['within domains, as texts', INTEGERS, '{"{1,2}"}', '["{1,2}"]'],
    ['with a delimiter of their own, as text', BOX, '{(1,1);(0,0)}', '"{(1,1);(0,0)}"'],
  ])('has arrays %s', (_what, element, value, json) => {
    expect(encodeAs(LIST_OID, element, value)).toBe(json);
  });

  it('is written as what came, where the table has been changed since', () => {
    expect(encodeAs(builtins.TEXT, BOOLEAN, '{t}')).toBe('"{t}"');
    expect(encodeAs(builtins.BOOL, undefined, 't')).toBe('true');
  });
});
