import { describe, expect, test } from '@jest/globals';
import { PEOPLE } from '../../../support/catalog-server.ts';
import { PSQL_QUERIES, psqlQueries } from '../../../support/psql-queries.ts';
import { createSqlStage, namedRows } from '../../../support/sql-stage.ts';
import type { SqlStage } from '../../../support/sql-stage.ts';

type Rows = Record<string, string | null>[];

/** Sends the queries one after another, as psql does, with the oid that the first one gave. */
async function describeRelation(queries: readonly string[], stage: SqlStage): Promise<Rows[]> {
  const answers: Rows[] = [];
  for (const query of queries) {
    const oid = answers[0]?.[0]?.['oid'] ?? '';
    answers.push(namedRows(await stage.answer(query.replaceAll('{oid}', oid))));
  }
  return answers;
}

/** The lookup of `\d people`, for another name. */
function lookup(pattern: string, schema?: string): string {
  const query = psqlQueries(String.raw`\d people`)[0]?.[1][0] ?? '';
  const named = query.replace('^(people)$', () => pattern);
  return schema === undefined
    ? named
    : named.replace(
        'AND pg_catalog.pg_table_is_visible(c.oid)',
        () => `AND n.nspname OPERATOR(pg_catalog.~) '${schema}' COLLATE pg_catalog.default`,
      );
}

async function foundBy(query: string, stage = createSqlStage()): Promise<unknown[]> {
  return namedRows(await stage.answer(query)).map((row) => row['relname']);
}

describe('the lookup of a name', () => {
  test.each([
    ['^(people)$', undefined, ['people']],
    ['^(pe.*)$', undefined, ['people']],
    ['^(.*s)$', undefined, ['adults', 'fs.files', 'system.views', 'temps', 'userEvents']],
    ['^(userEvents)$', undefined, ['userEvents']],
    ['^(nosuch)$', undefined, []],
    ['^(people)$', '^(test)$', ['people']],
    ['^(people)$', '^(other)$', []],
    ['^(people)$', '^(public)$', []],
    ['^(files)$', '^(fs)$', ['fs.files']],
    ['^(fi.*)$', '^(f.*)$', ['fs.files']],
    ['^(nosuch)$', '^(fs)$', []],
    ['^(.*)$', '^(fs)$', ['fs.files']],
  ])('finds %s of %s', async (pattern, schema, names) => {
    expect(await foundBy(lookup(pattern, schema))).toEqual(names);
  });

  test('finds in any case what psql has folded, unless there is such a name', async () => {
    expect(await foundBy(lookup('^(userevents)$'))).toEqual(['userEvents']);
    expect(await foundBy(lookup('^(USEREVENTS)$'))).toEqual([]);
    const both = [
      { name: 'userEvents', type: 'collection' },
      { name: 'userevents', type: 'collection' },
    ];
    const stage = createSqlStage({ ...PEOPLE, collections: both });
    expect(await foundBy(lookup('^(userevents)$'), stage)).toEqual(['userevents']);
  });

  test('gives a name the same oid each time, and another one in another database', async () => {
    const stage = createSqlStage();
    const oidOf = async () => namedRows(await stage.answer(lookup('^(people)$')))[0]?.['oid'];
    const first = await oidOf();
    expect(await oidOf()).toBe(first);
    stage.use('other');
    expect(await oidOf()).not.toBe(first);
  });

  test.each(psqlQueries(String.raw`\d "we.ird"`))(
    'takes quoted signs for %s',
    async (_, queries) => {
      const collections = [
        { name: 'we.ird', type: 'collection' },
        { name: 'weXird', type: 'collection' },
      ];
      const stage = createSqlStage({ collections });
      expect(await foundBy(queries[0] ?? '', stage)).toEqual(['we.ird']);
    },
  );

  test('refuses a pattern that it cannot match', async () => {
    await expect(createSqlStage().answer(lookup('^(p{2})$'))).rejects.toMatchObject({
      sqlState: '2201B',
    });
  });
});

describe.each(psqlQueries(String.raw`\d people`))('\\d people of %s', (_, queries) => {
  test('describes a table', async () => {
    const [, properties] = await describeRelation(queries, createSqlStage());
    expect(properties).toEqual([
      expect.objectContaining({
        relchecks: '0',
        relkind: 'r',
        relhasindex: 't',
        relhastriggers: 'f',
        relhasoids: 'f',
        relpersistence: 'p',
        reltablespace: '0',
        amname: null,
      }),
    ]);
  });

  test('shows the fields of a sample, in their order', async () => {
    const [, , fields] = await describeRelation(queries, createSqlStage());
    expect(fields?.map((row) => [row['attname'], row['format_type'], row['attnotnull']])).toEqual([
      ['_id', 'int|objectId', 't'],
      ['name', 'string', 't'],
      ['age', 'int|null', 'f'],
      ['tags', 'array', 'f'],
    ]);
  });

  test('shows the indexes, the one of _id first', async () => {
    const [, , , indexes] = await describeRelation(queries, createSqlStage());
    expect(
      indexes?.map((row) => [
        row['relname'],
        row['indisprimary'],
        row['indisunique'],
        row['indisvalid'],
        row['pg_get_indexdef'],
      ]),
    ).toEqual([
      ['_id_', 't', 't', 't', '{"_id":1}'],
      ['age_-1_name_1', 'f', 'f', 't', '{"age":-1,"name":1}, {"sparse":true}'],
      ['name_1', 'f', 't', 't', '{"name":1}'],
    ]);
  });

  test('has nothing of what MongoDB has not', async () => {
    const [, , , , ...rest] = await describeRelation(queries, createSqlStage());
    expect(rest.length).toBeGreaterThanOrEqual(5);
    expect(rest.flat()).toEqual([]);
  });
});

describe.each(psqlQueries(String.raw`\d+ people`))('\\d+ people of %s', (_, queries) => {
  test('says how many documents of the sample have a field', async () => {
    const [, , fields] = await describeRelation(queries, createSqlStage());
    expect(fields?.map((row) => [row['attname'], row['col_description']])).toEqual([
      ['_id', 'in 3 of 3 documents'],
      ['name', 'in 3 of 3 documents'],
      ['age', 'in 3 of 3 documents'],
      ['tags', 'in 1 of 3 documents'],
    ]);
    expect(fields?.every((row) => row['attstorage'] === 'p')).toBe(true);
  });
});

describe.each(psqlQueries(String.raw`\d+ adults`))('\\d+ adults of %s', (_, queries) => {
  test('describes a view by what it stands for', async () => {
    const stage = createSqlStage();
    const [, properties, fields, definition, rules] = await describeRelation(queries, stage);
    expect(properties).toMatchObject([{ relkind: 'v', relhasindex: 'f', relhasrules: 'f' }]);
    expect(fields).toEqual([]);
    expect(definition).toEqual([
      { pg_get_viewdef: ' db.getCollection("people").aggregate([{"$limit":5}])' },
    ]);
    expect(rules).toEqual([]);
  });

  test('has no definition of a view that is gone meanwhile', async () => {
    const stage = createSqlStage();
    const [found] = await describeRelation(queries.slice(0, 1), stage);
    const gone = createSqlStage({ ...PEOPLE, collections: [] });
    const oid = gone.session.relations.oid({ database: 'test', name: 'adults', isView: true });
    expect(found?.[0]?.['relname']).toBe('adults');
    const query = queries[3]?.replaceAll('{oid}', oid) ?? '';
    expect(namedRows(await gone.answer(query))).toEqual([]);
  });
});

describe('a question about an oid', () => {
  const followUps = PSQL_QUERIES.filter(({ command }) => command === String.raw`\d people`).flatMap(
    ({ queries }) => queries.slice(1),
  );

  test.each(followUps)('is refused where the oid was never given: %s', async (query) => {
    const stage = createSqlStage();
    await expect(stage.answer(query.replaceAll('{oid}', '99999'))).rejects.toMatchObject({
      sqlState: '0A000',
    });
    expect(stage.sent).toEqual([]);
  });

  test.each(followUps)('is refused after use of another database: %s', async (query) => {
    const stage = createSqlStage();
    const [row] = namedRows(await stage.answer(lookup('^(people)$')));
    stage.use('other');
    await expect(stage.answer(query.replaceAll('{oid}', row?.['oid'] ?? ''))).rejects.toMatchObject(
      { sqlState: '0A000' },
    );
  });

  test('is refused where psql asks nothing like it', async () => {
    const stage = createSqlStage();
    const [row] = namedRows(await stage.answer(lookup('^(people)$')));
    const query = `SELECT reltuples FROM pg_catalog.pg_class WHERE oid = '${row?.['oid'] ?? ''}'`;
    await expect(stage.answer(query)).rejects.toMatchObject({ sqlState: '0A000' });
  });
});
