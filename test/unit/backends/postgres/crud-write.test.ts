import { describe, expect, it } from '@jest/globals';
import {
  deleteRow,
  deleteRows,
  insertRows,
  updateRow,
  updateRows,
} from '../../../../src/backends/postgres/crud-write.ts';
import { createColumn, createTable } from '../../../support/crud-columns.ts';

const id = createColumn('id', 'int4', { isNullable: false, identity: 'always' });
const name = createColumn('na"me', 'text');
const age = createColumn('age', 'int4');
const table = createTable([id, name, age], ['id']);
const RETURNING = ' RETURNING "id", "na""me", "age", xmin::text';

describe('insertRows', () => {
  it('names the columns that are given, and defaults where one row has none', () => {
    const statement = insertRows(table, [
      [{ column: name, value: "a'b" }],
      [{ column: age, value: null }],
    ]);
    expect(statement).toEqual({
      text:
        'INSERT INTO "public"."t" ("na""me", "age") VALUES ($1::pg_catalog.text, DEFAULT), ' +
        `(DEFAULT, $2::pg_catalog.int4)${RETURNING}`,
      parameters: ["a'b", null],
      isOwn: true,
      isPlainRead: false,
    });
  });

  it('creates rows of defaults alone', () => {
    expect(insertRows(table, [[]]).text).toBe(
      `INSERT INTO "public"."t" DEFAULT VALUES${RETURNING}`,
    );
    expect(insertRows(table, [[], []]).text).toBe(
      `INSERT INTO "public"."t" SELECT FROM pg_catalog.generate_series(1, 2)${RETURNING}`,
    );
  });

  it.each([
    [true, 'xmin::text'],
    [false, 'NULL'],
  ])('creates rows without columns, with versions: %s', (isVersioned, returned) => {
    expect(insertRows(createTable([], [], { isVersioned }), [[]]).text).toBe(
      `INSERT INTO "public"."t" DEFAULT VALUES RETURNING ${returned}`,
    );
  });
});

describe('updateRow', () => {
  const assignments = [
    { column: name, value: 'x' },
    { column: age, value: undefined },
  ];

  it('sets values and defaults in the row with this key', () => {
    expect(updateRow(table, { key: ['5'], versions: undefined }, assignments)).toEqual({
      text:
        'UPDATE ONLY "public"."t" SET "na""me" = $1::pg_catalog.text, "age" = DEFAULT ' +
        `WHERE "id" = $2::pg_catalog.int4${RETURNING}`,
      parameters: ['x', '5'],
      isOwn: true,
      isPlainRead: false,
    });
  });

  it('asks for one of the versions in the same statement', () => {
    const { text, parameters } = updateRow(
      table,
      { key: ['5'], versions: ['7', "8' or true"] },
      assignments,
    );
    expect(text).toContain(
      'WHERE "id" = $2::pg_catalog.int4 AND xmin::text IN ($3::pg_catalog.text, $4::',
    );
    expect(parameters).toEqual(['x', '5', '7', "8' or true"]);
  });
});

describe('a column of a domain', () => {
  const word = createColumn('word', 'text', {
    sqlType: 'public.word',
    comparedAs: 'pg_catalog.text COLLATE "public"."de"',
  });
  const words = createTable([word], ['word'], { isVersioned: false });

  it('is given values of its own type, and compared by the one below', () => {
    const target = { key: ['a'], versions: undefined };
    expect(updateRow(words, target, [{ column: word, value: 'b' }]).text).toBe(
      'UPDATE ONLY "public"."t" SET "word" = $1::public.word ' +
        'WHERE "word" = $2::pg_catalog.text COLLATE "public"."de" RETURNING "word"',
    );
  });
});

describe('deleteRow', () => {
  it('deletes one row, and none where no version will do', () => {
    expect(deleteRow(table, { key: ['5'], versions: undefined }).text).toBe(
      'DELETE FROM ONLY "public"."t" WHERE "id" = $1::pg_catalog.int4',
    );
    expect(deleteRow(table, { key: ['5'], versions: [] }).text).toMatch(/ AND false$/);
  });
});

describe('many rows', () => {
  it('are updated and deleted where all conditions hold, without coming back', () => {
    const conditions = [
      { column: age, op: 'gt', value: '1' },
      { column: age, op: 'is', test: 'not_null' },
    ] as const;
    expect(updateRows(table, conditions, [{ column: name, value: null }])).toMatchObject({
      text:
        'UPDATE ONLY "public"."t" SET "na""me" = $1::pg_catalog.text ' +
        'WHERE "age" > $2::pg_catalog.int4 AND "age" IS NOT NULL',
      parameters: [null, '1'],
    });
    expect(deleteRows(table, conditions).text).toBe(
      'DELETE FROM ONLY "public"."t" WHERE "age" > $1::pg_catalog.int4 AND "age" IS NOT NULL',
    );
  });
});
