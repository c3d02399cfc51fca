import { describe, expect, test } from '@jest/globals';
import { parseCatalogQuery } from '../../../../src/backends/mongodb/psql-query.ts';
import type { CatalogQuery } from '../../../../src/backends/mongodb/psql-query.ts';
import { readSqlTokens } from '../../../../src/backends/mongodb/sql-lexer.ts';
import { PSQL_QUERIES } from '../../../support/psql-queries.ts';

function parse(text: string): CatalogQuery {
  return parseCatalogQuery(readSqlTokens(text.replace(/;\s*$/, '')).slice(1, -1));
}

/** The names of the items of the `index`th query of a command, in the newest psql. */
function itemsOf(command: string, index = 0): string[] {
  const entry = PSQL_QUERIES.findLast((candidate) => candidate.command === command);
  return parse(entry?.queries[index] ?? '').items.map(({ name }) => name);
}

describe('parseCatalogQuery', () => {
  test.each([
    ['c.relname', 'relname'],
    ['relname', 'relname'],
    ['pg_catalog.format_type(a.atttypid, a.atttypmod)', 'format_type'],
    ['c.oid::pg_catalog.regclass', 'oid'],
    ['n.nspname as "Schema"', 'Schema'],
    ['n.nspname AS schema', 'schema'],
    ['\'libc\' AS "Locale Provider"', 'Locale Provider'],
    ["CASE c.relkind WHEN 'r' THEN 'table' END as \"Type\"", 'Type'],
    ["CASE WHEN c.x = 0 THEN '' END", 'case'],
    ['(SELECT x FROM y)', ''],
    ['(SELECT x FROM y) AS z', 'z'],
    ['ARRAY(SELECT b.rolname FROM pg_roles b) as memberof', 'memberof'],
    ['NULL', 'null'],
    ["''", ''],
    ['c.coninhcount <> 0', 'coninhcount'],
  ])('names the item %s %j', (text, name) => {
    const { items } = parse(`SELECT ${text}, 1 AS last FROM pg_catalog.pg_class c`);
    expect(items.map((item) => item.name)).toEqual([name, 'last']);
  });

  test.each([
    ["'libc'", 'libc'],
    ["''", ''],
    ['NULL', null],
    ['false', 'f'],
    ['true', 't'],
    ['7', '7'],
    ['-1', undefined],
    ['c.relname', undefined],
    ["'x'::text", undefined],
  ])('knows the constant %s', (text, constant) => {
    expect(parse(`SELECT ${text} AS x FROM y`).items[0]?.constant).toBe(constant);
  });

  test.each([
    ['FROM pg_catalog.pg_class c', ['pg_class']],
    ['FROM pg_class', ['pg_class']],
    [
      'FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i\n' +
        ' LEFT JOIN pg_catalog.pg_constraint con ON (a = b AND c IN (SELECT 1 FROM x))',
      ['pg_class', 'pg_class', 'pg_index', 'pg_constraint'],
    ],
    ['FROM a JOIN b ON a.x = b.x WHERE a.y IN (1, 2)', ['a', 'b']],
    ['FROM a ORDER BY 1, 2', ['a']],
    ['FROM a UNION ALL SELECT 1 FROM b', ['a']],
    ['', []],
    ['FROM', ['']],
  ])('finds the tables of %s', (from, tables) => {
    expect(parse(`SELECT x ${from}`).tables).toEqual(tables);
  });

  test.each([
    ["c.relname OPERATOR(pg_catalog.~) '^(a)$' COLLATE pg_catalog.default", '^(a)$'],
    ["c.relname OPERATOR(pg_catalog.~) E'^(a\\\\.b)$'", String.raw`^(a\.b)$`],
    ["c.relname ~ '^(a)$'", '^(a)$'],
  ])('reads the condition %s', (text, pattern) => {
    expect(parse(`SELECT x FROM y WHERE ${text}`).names).toEqual([{ column: 'relname', pattern }]);
  });

  test.each([
    "relname !~ 'a'",
    'relname ~ b',
    "relname = 'a'",
    "'relname' ~ 'a'",
    "relname LIKE 'a'",
  ])('reads no condition in %s', (text) => {
    expect(parse(`SELECT x FROM y WHERE ${text}`).names).toEqual([]);
  });

  test('reads kinds, oids and what is left out', () => {
    const query = parse(
      "SELECT x FROM y WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' " +
        "AND a = '16384' AND b = 16385 AND c = '12345678901'",
    );
    expect(query).toMatchObject({
      relationKinds: ['r', 'p', ''],
      oids: ['16384'],
      isWithoutSystem: true,
    });
    expect(parse('SELECT x FROM y')).toMatchObject({
      relationKinds: [],
      oids: [],
      isWithoutSystem: false,
    });
  });

  test('reads the columns that psql reads by their place', () => {
    expect(itemsOf(String.raw`\d+ people`, 1)).toEqual([
      ...['relchecks', 'relkind', 'relhasindex', 'relhasrules', 'relhastriggers'],
      ...['relrowsecurity', 'relforcerowsecurity', 'relhasoids', 'relispartition'],
      ...['array_to_string', 'reltablespace', 'case', 'relpersistence', 'relreplident', 'amname'],
    ]);
    expect(itemsOf(String.raw`\d+ people`, 2)).toEqual([
      ...['attname', 'format_type', '', 'attnotnull', 'attcollation', 'attidentity'],
      ...['attgenerated', 'attstorage', 'attstattarget', 'col_description'],
    ]);
    expect(itemsOf(String.raw`\d people`, 3)).toEqual([
      ...['relname', 'indisprimary', 'indisunique', 'indisclustered', 'indisvalid'],
      ...['pg_get_indexdef', 'pg_get_constraintdef', 'contype', 'condeferrable', 'condeferred'],
      ...['indisreplident', 'reltablespace', 'conperiod'],
    ]);
  });

  test.each(PSQL_QUERIES.map((entry) => [entry.command, entry.versions, entry.queries] as const))(
    'finds columns and no stray names in what psql sends for %s, version %j',
    (_, __, queries) => {
      for (const text of queries) {
        const query = parse(text);
        expect(query.items.length).toBeGreaterThan(0);
        expect(query.tables.every((table) => table !== '')).toBe(true);
      }
    },
  );
});
