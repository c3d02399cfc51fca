import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  completeOrder,
  writeBehind,
  writeOrder,
} from '../../../../src/backends/postgres/crud-keyset.ts';
import { SqlParameters } from '../../../../src/backends/postgres/crud-parameters.ts';
import { createColumn, createTable } from '../../../support/crud-columns.ts';

const id = createColumn('id', 'int4', { isNullable: false });
const sub = createColumn('sub', 'int4', { isNullable: false });
const age = createColumn('age', 'int4');
const name = createColumn('na"me', 'text', { isNullable: false });
const odd = createColumn('odd', 'int4', {
  isNullable: false,
  operatorSchema: 'ext',
  behind: { asc: '#>#', desc: '#<#' },
});
const table = createTable([id, sub, age, name], ['sub', 'id']);

const asc = <T>(column: T) => ({ column, direction: 'asc' as const });
const desc = <T>(column: T) => ({ column, direction: 'desc' as const });

describe('completeOrder', () => {
  it('is the key where nothing is asked for', () => {
    expect(completeOrder(table, [])).toEqual([asc(sub), asc(id)]);
  });

  it('has the key behind what is asked for, in the direction of the last', () => {
    expect(completeOrder(table, [desc(age)])).toEqual([desc(age), desc(sub), desc(id)]);
    expect(completeOrder(table, [desc(age), asc(id)])).toEqual([desc(age), asc(id), asc(sub)]);
  });
});

describe('writeOrder', () => {
  it('says where NULLs are, and quotes names', () => {
    expect(writeOrder([desc(age), asc(name)])).toBe(
      ' ORDER BY "age" DESC NULLS FIRST, "na""me" ASC NULLS LAST',
    );
    expect(writeOrder([])).toBe('');
  });
});

describe('writeBehind', () => {
  function behind(
    order: Parameters<typeof writeBehind>[0],
    position: readonly (string | null)[],
  ): { sql: string; values: readonly (string | null)[] } {
    const parameters = new SqlParameters();
    const sql = writeBehind(order, position, parameters).replaceAll('::pg_catalog.int4', '');
    return { sql, values: parameters.toStatement('').parameters };
  }

  it('compares rows where no value can be NULL and all go one way', () => {
    expect(behind([asc(sub), asc(id)], ['1', '2'])).toEqual({
      sql: '("sub", "id") > ($1, $2)',
      values: ['1', '2'],
    });
    expect(behind([desc(id)], ['2']).sql).toBe('("id") < ($1)');
  });

  it.each([
    [
      'a value, ascending',
      [asc(age), asc(id)],
      ['5', '2'],
      '((("age" > $1 OR "age" IS NULL)) OR ("age" = $3 AND "id" > $2))',
    ],
    [
      'NULL, ascending: nothing is behind but its equals',
      [asc(age), asc(id)],
      [null, '2'],
      '(("age" IS NULL AND "id" > $1))',
    ],
    [
      'a value, descending',
      [desc(age), desc(id)],
      ['5', '2'],
      '(("age" < $1) OR ("age" = $3 AND "id" < $2))',
    ],
    [
      'NULL, descending: all values are behind',
      [desc(age), desc(id)],
      [null, '2'],
      '(("age" IS NOT NULL) OR ("age" IS NULL AND "id" < $1))',
    ],
    [
      'two directions',
      [desc(sub), asc(id)],
      ['1', '2'],
      '(("sub" < $1) OR ("sub" = $3 AND "id" > $2))',
    ],
    [
      'a value of a type with operators of its own',
      [asc(odd), desc(odd)],
      ['a', 'b'],
      '(("odd" OPERATOR("ext".#>#) $1) OR ("odd" OPERATOR("ext".=) $3 AND ' +
        '"odd" OPERATOR("ext".#<#) $2))',
    ],
    ['what cannot be: NULL as the last', [asc(age)], [null], 'false'],
  ])('goes on behind %s', (_what, order, position, sql) => {
    expect(behind(order, position).sql).toBe(sql);
  });

  it('lets the rows behind through and no others, as a comparison by hand says', () => {
    const value = fc.option(fc.integer({ min: 0, max: 3 }));
    const row = fc.record({ age: value, sub: fc.integer({ min: 0, max: 3 }), id: fc.nat(3) });
    const direction = fc.constantFrom('asc' as const, 'desc' as const);
    fc.assert(
      fc.property(row, row, direction, direction, direction, (last, next, ...directions) => {
        const order = [age, sub, id].map((column, index) => ({
          column,
          direction: directions[index] ?? 'asc',
        }));
        const position = [last.age, last.sub, last.id].map((one) => one?.toString() ?? null);
        const { sql, values } = behind(order, position);
        expect(evaluate(sql, values, next)).toBe(compareRows(last, next, directions) < 0);
      }),
      { numRuns: 2000 },
    );
  });
});

interface NumberRow {
  readonly age: number | null;
  readonly sub: number;
  readonly id: number;
}

/** The order of PostgreSQL: NULL is larger than everything. */
function compareRows(a: NumberRow, b: NumberRow, directions: readonly string[]): number {
  const differences = (['age', 'sub', 'id'] as const).map((key) => (a[key] ?? 99) - (b[key] ?? 99));
  const first = differences.findIndex((difference) => difference !== 0);
  return (differences[first] ?? 0) * (directions[first] === 'desc' ? -1 : 1);
}

type ValueOf = (text: string) => number | null;

/** The few forms of SQL that are written here, with the comparisons of SQL. */
function evaluate(sql: string, values: readonly (string | null)[], row: NumberRow): boolean {
  const valueOf: ValueOf = (text) => {
    const parameter = /^\$(\d+)$/.exec(text)?.[1];
    if (parameter !== undefined) {
      const value = values[Number(parameter) - 1] ?? null;
      return value === null ? null : Number(value);
    }
    return text === '"age"' ? row.age : text === '"sub"' ? row.sub : row.id;
  };
  const rows = /^\(([^()]*)\) ([<>]) \(([^()]*)\)$/.exec(sql);
  return rows === null ? evaluateFormula(sql, valueOf) : compareLists(rows, valueOf);
}

function compareLists([, left = '', operator, right = '']: RegExpExecArray, valueOf: ValueOf) {
  const [a, b] = [left.split(', ').map(valueOf), right.split(', ').map(valueOf)];
  const index = a.findIndex((one, at) => one !== b[at]);
  const difference = index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
  return operator === '<' ? difference < 0 : difference > 0;
}

/** Leaves become 1 or 0; then only AND, OR and parentheses are left to be taken away. */
function evaluateFormula(sql: string, valueOf: ValueOf): boolean {
  const bit = (holds: boolean | undefined): string => (holds === true ? '1' : '0');
  let formula = sql.replaceAll(
    /("\w+") (?:(IS NOT NULL|IS NULL)|([<>=]) (\$\d+))/g,
    (_, ...groups: string[]) => {
      const [column = '', test, operator = '', parameter = ''] = groups;
      const value = valueOf(column);
      if (test !== undefined) {
        return bit((test === 'IS NULL') === (value === null));
      }
      const other = valueOf(parameter);
      return value === null || other === null
        ? '0'
        : bit({ '<': value < other, '>': value > other, '=': value === other }[operator]);
    },
  );
  for (let before = ''; before !== formula;) {
    before = formula;
    formula = formula
      .replaceAll(/\(([01])\)/g, '$1')
      .replaceAll(/([01]) AND ([01])/g, (all) => bit(!all.includes('0')))
      .replaceAll(/\(([01])(?: OR ([01]))+\)/g, (all) => bit(all.includes('1')));
  }
  return formula === '1';
}
