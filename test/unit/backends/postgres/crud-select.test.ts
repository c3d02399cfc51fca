import { describe, expect, it } from '@jest/globals';
import { listRelations, readRelation } from '../../../../src/backends/postgres/crud-relations.ts';
import {
  countRows,
  estimateRows,
  selectPage,
  selectRow,
} from '../../../../src/backends/postgres/crud-select.ts';
import { createColumn, createTable } from '../../../support/crud-columns.ts';
import type { Condition } from '../../../../src/backends/postgres/crud-conditions.ts';

const id = createColumn('id', 'int4', { isNullable: false });
const name = createColumn('name', 'text');
const isOld = createColumn('old', 'bool');
const table = createTable([id, name, isOld], ['id'], { schema: 'my "schema"' });
const keyless = createTable([id, name], [], { kind: 'view', isVersioned: false });

const page = { select: [id], conditions: [], order: [], behind: undefined, rowsMax: 11 };

describe('selectPage', () => {
  it('selects in the order of the key', () => {
    expect(selectPage(table, page)).toEqual({
      statement: {
        text: 'SELECT "id" FROM ONLY "my ""schema"""."t" ORDER BY "id" ASC NULLS LAST LIMIT 11',
        parameters: [],
        isOwn: true,
        isPlainRead: true,
      },
      position: [0],
    });
  });

  it('has what a cursor needs behind the selected columns', () => {
    const order = [{ column: isOld, direction: 'desc' }] as const;
    const { statement, position } = selectPage(table, { ...page, select: [name], order });
    expect(statement.text).toMatch(/^SELECT "name", "old", "id" FROM/);
    expect(position).toEqual([1, 2]);
  });

  it('orders a table without a key by what is asked for, and tells no position', () => {
    const order = [{ column: name, direction: 'asc' }] as const;
    const { statement, position } = selectPage(keyless, { ...page, order });
    expect(statement.text).toBe(
      'SELECT "id" FROM "public"."t" ORDER BY "name" ASC NULLS LAST LIMIT 11',
    );
    expect(position).toEqual([]);
    expect(selectPage(keyless, page).statement.text).not.toContain('ORDER BY');
  });

  it('has all conditions and the place to go on from, as parameters', () => {
    const conditions: Condition[] = [
      { column: name, op: 'ilike', value: "%'%" },
      { column: id, op: 'in', values: ['1', '2'] },
      { column: isOld, op: 'is', test: 'false' },
    ];
    const { statement } = selectPage(table, { ...page, conditions, behind: ['7'] });
    expect(statement).toMatchObject({
      text:
        'SELECT "id" FROM ONLY "my ""schema"""."t" WHERE "name" ILIKE $1::pg_catalog.text ' +
        'AND "id" IN ($2::pg_catalog.int4, $3::pg_catalog.int4) AND "old" IS FALSE ' +
        'AND ("id") > ($4::pg_catalog.int4) ORDER BY "id" ASC NULLS LAST LIMIT 11',
      parameters: ["%'%", '1', '2', '7'],
    });
  });
});

describe('a condition', () => {
  it.each([
    ['eq', '='],
    ['neq', '<>'],
    ['gt', '>'],
    ['gte', '>='],
    ['lt', '<'],
    ['lte', '<='],
  ] as const)('%s is %s with the type of the column', (op, operator) => {
    const { text } = countRows(keyless, [{ column: id, op, value: '1' }]);
    expect(text).toBe(
      `SELECT pg_catalog.count(*) FROM "public"."t" WHERE "id" ${operator} $1::pg_catalog.int4`,
    );
  });

  it('compares in the collation of the column, which a parameter has not', () => {
    const word = createColumn('word', 'text', {
      comparedAs: 'pg_catalog.text COLLATE s.de',
      isNullable: false,
    });
    const words = createTable([word], ['word']);
    const conditions: Condition[] = [
      { column: word, op: 'lt', value: 'z' },
      { column: word, op: 'in', values: ['a', 'b'] },
    ];
    const query = { ...page, select: [word], conditions, behind: ['a'] };
    expect(selectPage(words, query).statement.text).toContain(
      'WHERE "word" < $1::pg_catalog.text COLLATE s.de AND "word" IN ' +
        '($2::pg_catalog.text COLLATE s.de, $3::pg_catalog.text COLLATE s.de) ' +
        'AND ("word") > ($4::pg_catalog.text COLLATE s.de) ORDER BY',
    );
  });

  it.each([
    ['null', 'IS NULL'],
    ['not_null', 'IS NOT NULL'],
    ['true', 'IS TRUE'],
    ['false', 'IS FALSE'],
  ] as const)('is.%s is %s', (test, sql) => {
    const statement = estimateRows(keyless, [{ column: isOld, op: 'is', test }]);
    expect(statement.text).toBe(
      `EXPLAIN (FORMAT JSON) SELECT 1 FROM "public"."t" WHERE "old" ${sql}`,
    );
  });
});

describe('selectRow', () => {
  it('selects by all columns of the key, with the version where there is one', () => {
    const composite = createTable([id, name], ['name', 'id']);
    expect(selectRow(composite, [id], ['a', '1'])).toEqual({
      text:
        'SELECT "id", xmin::text FROM ONLY "public"."t" WHERE "name" = $1::pg_catalog.text ' +
        'AND "id" = $2::pg_catalog.int4',
      parameters: ['a', '1'],
      isOwn: true,
      isPlainRead: true,
    });
    const unversioned = createTable([id], ['id'], { isVersioned: false });
    expect(selectRow(unversioned, [id], ['1']).text).not.toContain('xmin');
  });
});

describe('listRelations', () => {
  it('asks for one schema by a parameter', () => {
    expect(listRelations().parameters).toEqual([]);
    const { text, parameters } = listRelations("x' or true");
    expect(text).toContain('n.nspname = $1::pg_catalog.text');
    expect(parameters).toEqual(["x' or true"]);
  });

  it('is read by readRelation', () => {
    const row = ['s', 'ü', 'm'].map((text) => Buffer.from(text));
    expect(readRelation(row)).toEqual({ schema: 's', table: 'ü', kind: 'materialized-view' });
  });
});
