import { describe, expect, test } from '@jest/globals';
import { LISTED_MAX } from '../../../../src/backends/mongodb/catalog-source.ts';
import { PEOPLE } from '../../../support/catalog-server.ts';
import { psqlQueries } from '../../../support/psql-queries.ts';
import { createSqlStage, namedRows } from '../../../support/sql-stage.ts';

/** The rows of psql's list, by its labels. */
async function listOf(queries: readonly string[], stage = createSqlStage()) {
  expect(queries).toHaveLength(1);
  return namedRows(await stage.answer(queries[0] ?? ''));
}

function namesOf(rows: readonly Record<string, string | null>[]): unknown[] {
  return rows.map((row) => row['Name'] ?? row['rolname']);
}

describe('databases', () => {
  test.each(psqlQueries(String.raw`\l`))('are listed for %s', async (_, queries) => {
    const rows = await listOf(queries);
    expect(namesOf(rows)).toEqual(['Orders', 'admin', 'test']);
    expect(rows[0]).toMatchObject({
      Name: 'Orders',
      Encoding: 'UTF8',
      Owner: null,
      Collate: null,
      'Locale Provider': null,
      'Access privileges': null,
    });
  });

  test.each(psqlQueries(String.raw`\l+`))('have their sizes for %s', async (_, queries) => {
    expect((await listOf(queries)).map((row) => [row['Name'], row['Size']])).toEqual([
      ['Orders', '5120 MB'],
      ['admin', '40 kB'],
      ['test', '84 kB'],
    ]);
  });

  test.each(psqlQueries(String.raw`\l pe*`))('are found by name for %s', async (_, queries) => {
    expect(await listOf(queries)).toEqual([]);
    const other = queries.map((query) => query.replace('pe.*', 't.*'));
    expect(namesOf(await listOf(other))).toEqual(['test']);
    const folded = queries.map((query) => query.replace('pe.*', 'ord.*'));
    expect(namesOf(await listOf(folded))).toEqual(['Orders']);
  });

  test('are asked of the server with their sizes', async () => {
    const stage = createSqlStage();
    await listOf(psqlQueries(String.raw`\l`)[0]?.[1] ?? [], stage);
    expect(stage.sent).toEqual([
      { database: 'admin', command: { listDatabases: 1, nameOnly: false } },
    ]);
  });

  test('are listed for a psql that knows less', async () => {
    const query =
      'SELECT d.datname as "Name", pg_catalog.pg_get_userbyid(d.datdba) as "Owner", ' +
      'pg_catalog.pg_encoding_to_char(d.encoding) as "Encoding" FROM pg_catalog.pg_database d ' +
      'ORDER BY 1;';
    const rows = await listOf([query]);
    expect(rows[1]).toEqual({ Name: 'admin', Owner: null, Encoding: 'UTF8' });
  });
});

describe('schemas', () => {
  test.each(psqlQueries(String.raw`\dn`))('are the database for %s', async (_, queries) => {
    const stage = createSqlStage();
    expect(await listOf(queries, stage)).toEqual([{ Name: 'test', Owner: null }]);
    stage.use('orders');
    expect(await listOf(queries, stage)).toEqual([{ Name: 'orders', Owner: null }]);
    expect(stage.sent).toEqual([]);
  });

  test.each(psqlQueries(String.raw`\dn+`))('say what they are for %s', async (_, queries) => {
    expect(await listOf(queries)).toMatchObject([{ Description: 'MongoDB database' }]);
  });

  test.each(psqlQueries(String.raw`\dn public`))('have no other for %s', async (_, queries) => {
    expect(await listOf(queries)).toEqual([]);
  });
});

describe('roles', () => {
  test.each(psqlQueries(String.raw`\du`))('are users for %s', async (_, queries) => {
    const rows = await listOf(queries);
    expect(rows.map((row) => [row['rolname'], row['rolsuper'], row['rolcreaterole']])).toEqual([
      ['admin.root', 't', 't'],
      ['test.ann', 'f', 't'],
      ['test.bo', 'f', 'f'],
    ]);
    // What psql would make words of, if it were otherwise.
    expect(rows.every((row) => row['rolcanlogin'] === 't' && row['rolinherit'] === 't')).toBe(true);
    expect(rows.every((row) => row['rolconnlimit'] === '-1')).toBe(true);
    expect(rows.every((row) => row['rolvaliduntil'] === null)).toBe(true);
  });

  test.each(psqlQueries(String.raw`\du+`))('tell their roles for %s', async (_, queries) => {
    expect((await listOf(queries)).map((row) => row['description'])).toEqual([
      'admin.root',
      'test.read, admin.userAdminAnyDatabase',
      '',
    ]);
  });

  test('tell their roles to a psql that shows memberships', async () => {
    const [[, queries] = ['', []]] = psqlQueries(String.raw`\du`);
    expect((await listOf(queries)).map((row) => row['memberof'])).toEqual([
      '{admin.root}',
      '{test.read,admin.userAdminAnyDatabase}',
      '{}',
    ]);
  });

  test.each(psqlQueries(String.raw`\du postgres`))('are found for %s', async (_, queries) => {
    expect(await listOf(queries)).toEqual([]);
    const other = queries.map((query) => query.replace('^(postgres)$', '^(test.*)$'));
    expect(namesOf(await listOf(other))).toEqual(['test.ann', 'test.bo']);
  });
});

describe('relations', () => {
  test.each(psqlQueries(String.raw`\d`))('are collections and views for %s', async (_, queries) => {
    const rows = await listOf(queries);
    expect(rows.map((row) => [row['Schema'], row['Name'], row['Type'], row['Owner']])).toEqual([
      ['test', 'adults', 'view', null],
      ['test', 'fs.files', 'table', null],
      ['test', 'people', 'table', null],
      ['test', 'temps', 'table', null],
      ['test', 'userEvents', 'table', null],
    ]);
  });

  test.each([
    [String.raw`\dt`, ['fs.files', 'people', 'temps', 'userEvents']],
    [String.raw`\dtS`, ['fs.files', 'people', 'system.views', 'temps', 'userEvents']],
    [String.raw`\dv`, ['adults']],
    [String.raw`\dm`, []],
    [String.raw`\dt people`, ['people']],
    [String.raw`\dt pe*`, ['people']],
    [String.raw`\dt public.people`, []],
  ])('%s lists %j', async (command, names) => {
    const versions = psqlQueries(command);
    expect(versions.length).toBeGreaterThan(0);
    for (const [, queries] of versions) {
      expect(namesOf(await listOf(queries))).toEqual(names);
    }
  });

  test.each(psqlQueries(String.raw`\d+`))('have their sizes for %s', async (_, queries) => {
    const stage = createSqlStage();
    const rows = await listOf(queries, stage);
    expect(rows.map((row) => [row['Name'], row['Size'], row['Description']])).toEqual([
      ['adults', null, null],
      ['fs.files', '4096 bytes', null],
      ['people', '20 kB', null],
      ['temps', '4096 bytes', 'time series'],
      ['userEvents', '4096 bytes', null],
    ]);
    expect(rows[0]).toMatchObject({ Type: 'view', Persistence: null });
    // A view has no storage of its own, and is not asked.
    expect(stage.sent.filter(({ command }) => command['aggregate'] !== undefined)).toHaveLength(4);
  });

  /** A server that answers a question about people with this code. */
  function refusing(code: number) {
    return createSqlStage({
      ...PEOPLE,
      refuse: (command) => {
        if (command['aggregate'] === 'people') {
          throw Object.assign(new Error('refused'), { code });
        }
      },
    });
  }

  test.each([13, 26, 166])('have no size where error %i tells none', async (code) => {
    const queries = psqlQueries(String.raw`\dt+`)[0]?.[1] ?? [];
    const rows = await listOf(queries, refusing(code));
    expect(rows.map((row) => [row['Name'], row['Size']])).toContainEqual(['people', null]);
    expect(rows).toHaveLength(4);
  });

  test('are not listed without sizes where the server took too long', async () => {
    const queries = psqlQueries(String.raw`\dt+`)[0]?.[1] ?? [];
    await expect(listOf(queries, refusing(50))).rejects.toMatchObject({ code: 50 });
  });

  test('are asked without their sizes where none is shown', async () => {
    const stage = createSqlStage();
    await listOf(psqlQueries(String.raw`\dt`)[0]?.[1] ?? [], stage);
    expect(stage.sent).toHaveLength(1);
  });

  test('are listed for a psql that knows less', async () => {
    const query =
      'SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN \'r\' THEN ' +
      "'table' WHEN 's' THEN 'special' END as \"Type\", " +
      'pg_catalog.pg_get_userbyid(c.relowner) as "Owner" FROM pg_catalog.pg_class c LEFT JOIN ' +
      "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r','p','') AND " +
      "n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND c.relname ~ '^(people)$' " +
      'ORDER BY 1,2;';
    expect(await listOf([query])).toEqual([
      { Schema: 'test', Name: 'people', Type: 'table', Owner: null },
    ]);
  });

  test('are cut at a bound, and say so', async () => {
    const collections = Array.from({ length: LISTED_MAX + 5 }, (_, index) => ({
      name: `c${index}`,
      type: 'collection',
    }));
    const stage = createSqlStage({ collections, batchSize: 5000 });
    const [[, queries] = ['', []]] = psqlQueries(String.raw`\dt+`);
    const answer = await stage.answer(queries[0] ?? '');
    expect(answer.rows).toHaveLength(LISTED_MAX);
    expect(answer.notices?.map(({ severity, message }) => [severity, message])).toEqual([
      ['WARNING', 'Indexes and sizes are shown of 1000 collections only'],
      ['WARNING', 'Only 10000 collections are looked at'],
    ]);
    expect(stage.sent.filter(({ command }) => command['aggregate'] !== undefined)).toHaveLength(
      1000,
    );
  });
});

describe('indexes', () => {
  test.each(psqlQueries(String.raw`\di`))('are listed for %s', async (_, queries) => {
    expect((await listOf(queries)).map((row) => [row['Name'], row['Table'], row['Type']])).toEqual([
      ['_id_', 'fs.files', 'index'],
      ['_id_', 'people', 'index'],
      ['_id_', 'userEvents', 'index'],
      ['age_-1_name_1', 'people', 'index'],
      ['name_1', 'people', 'index'],
    ]);
  });

  test.each(psqlQueries(String.raw`\di+`))('have their keys for %s', async (_, queries) => {
    const rows = await listOf(queries);
    expect(rows.at(-2)?.['Description']).toBe('{"age":-1,"name":1}, {"sparse":true}');
  });

  test.each(psqlQueries(String.raw`\di people_pkey`))('are found for %s', async (_, queries) => {
    expect(await listOf(queries)).toEqual([]);
    const other = queries.map((query) => query.replace('people_pkey', 'name_.*'));
    expect(namesOf(await listOf(other))).toEqual(['name_1']);
  });
});
