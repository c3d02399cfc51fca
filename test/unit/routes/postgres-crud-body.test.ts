import { describe, expect, it } from '@jest/globals';
import { parse } from 'lossless-json';
import {
  readChanges,
  readNewRows,
  readReplacement,
  readRestatedKey,
} from '../../../routes/postgres-crud-body.ts';
import { RequestError } from '../../../routes/request-error.ts';
import { createColumn, createTable } from '../../support/crud-columns.ts';

const id = createColumn('id', 'int4', { isNullable: false, hasDefault: true, identity: 'always' });
const name = createColumn('name', 'text', { isNullable: false });
const age = createColumn('age', 'int4');
const state = createColumn('state', 'text', { isNullable: false, hasDefault: true });
const twice = createColumn('twice', 'int4', { isGenerated: true, hasDefault: true });
const serial = createColumn('serial', 'int4', { hasDefault: true, identity: 'by-default' });
const table = createTable([id, name, age, state, twice, serial], ['id']);

/** Status and fields of a refusal. */
function refusalOf(read: () => unknown): unknown {
  try {
    read();
  } catch (error) {
    if (error instanceof RequestError) {
      return [error.status, ...error.fields.map(({ field }) => field)];
    }
    throw error;
  }
  return undefined;
}

describe('readNewRows', () => {
  it('reads one row from an object and many from an array', () => {
    expect(readNewRows(parse('{"name":"a","age":5}'), table)).toEqual({
      isMany: false,
      rows: [
        [
          { column: name, value: 'a' },
          { column: age, value: '5' },
        ],
      ],
    });
    const many = readNewRows(parse('[{"name":"a"},{"age":null,"name":"b","serial":7}]'), table);
    expect(many.isMany).toBe(true);
    expect(many.rows[1]).toEqual([
      { column: age, value: null },
      { column: name, value: 'b' },
      { column: serial, value: '7' },
    ]);
  });

  it.each([
    ['{}', [422, 'name']],
    ['{"name":null}', [422, 'name']],
    ['{"name":"a","id":1,"twice":2}', [422, 'id', 'twice']],
    ['{"name":"a","age":"old","none":1}', [422, 'age', 'none']],
    ['{"name":"a","__proto__":{"age":1}}', [422, '__proto__']],
    ['{"name":"a","toString":1}', [422, 'toString']],
    ['[{"name":"a"},{"nane":"b"}]', [422, '[1].nane', '[1].name']],
    ['[{"name":"a"},5]', [422, '']],
    ['5', [422, '']],
    ['"name"', [422, '']],
    ['null', [422, '']],
    ['[]', [422]],
    ['[[]]', [422, '']],
  ])('refuses %s', (json, refusal) => {
    expect(refusalOf(() => readNewRows(parse(json), table))).toEqual(refusal);
  });

  it('bounds rows, values and what it tells of them', () => {
    const rows = (count: number, row: object): object[] => Array.from({ length: count }, () => row);
    expect(readNewRows(rows(1000, { name: 'a' }), table).rows).toHaveLength(1000);
    expect(refusalOf(() => readNewRows(rows(1001, { name: 'a' }), table))).toEqual([413]);
    expect(refusalOf(() => readNewRows(rows(1000, {}), table))).toHaveLength(101);
    const wide = createTable(
      Array.from({ length: 70 }, (_, index) => createColumn(`c${index}`, 'text')),
      [],
    );
    const row = Object.fromEntries([...wide.columns.keys()].map((column) => [column, '']));
    expect(readNewRows(rows(936, row), wide).rows).toHaveLength(936);
    expect(refusalOf(() => readNewRows(rows(937, row), wide))).toEqual([413]);
  });
});

describe('readChanges', () => {
  it('reads the columns that are given', () => {
    expect(readChanges(parse('{"age":null,"name":""}'), table)).toEqual([
      { column: age, value: null },
      { column: name, value: '' },
    ]);
  });

  it.each([
    ['{}', [422]],
    ['[{"age":1}]', [422, '']],
    ['{"id":1}', [422, 'id']],
    ['{"name":null}', [422, 'name']],
  ])('refuses %s', (json, refusal) => {
    expect(refusalOf(() => readChanges(parse(json), table))).toEqual(refusal);
  });
});

describe('readRestatedKey', () => {
  it('asks the database whether a key in other words is the same', () => {
    expect(readRestatedKey(parse('{"id":5,"name":"a"}'), table, ['5'])).toEqual([]);
    expect(readRestatedKey(parse('{"name":"a"}'), table, ['5'])).toEqual([]);
    const column = table.key[0];
    expect(readRestatedKey(parse('{"id":6,"name":"a"}'), table, ['5'])).toEqual([
      { column, op: 'eq', value: '6' },
    ]);
  });
});

describe('readReplacement', () => {
  it('sets every column but the key, what is generated and numbers of its own', () => {
    expect(readReplacement(parse('{"name":"a"}'), table, ['5'])).toEqual([
      { column: name, value: 'a' },
      { column: age, value: undefined },
      { column: state, value: undefined },
    ]);
    const given = readReplacement(parse('{"serial":3,"name":"a"}'), table, ['5']);
    expect(given.at(-1)).toEqual({ column: serial, value: '3' });
  });

  it('leaves the key as the path has it', () => {
    expect(readReplacement(parse('{"id":5,"name":"a"}'), table, ['5'])).toHaveLength(3);
    const nothing = (): unknown => readReplacement(parse('{"id":null,"name":"a"}'), table, ['5']);
    expect(refusalOf(nothing)).toEqual([422, 'id']);
  });

  it.each([
    ['{}', [422, 'name']],
    ['{"name":"a","twice":1}', [422, 'twice']],
    ['5', [422, '']],
  ])('refuses %s', (json, refusal) => {
    expect(refusalOf(() => readReplacement(parse(json), table, ['5']))).toEqual(refusal);
  });

  it('writes the key again where there is nothing else', () => {
    const keys = createTable([createColumn('a', 'int4'), createColumn('b', 'int4')], ['b', 'a']);
    expect(readReplacement({}, keys, ['2', '1'])).toEqual([
      { column: keys.columns.get('b'), value: '2' },
      { column: keys.columns.get('a'), value: '1' },
    ]);
  });
});
