// POST /query: statements for PostgreSQL over HTTP, in every shape of answer.
import { describe, expect, it, test } from '@jest/globals';
import { parseJsonLines } from '../support/observations.ts';
import { postQuery } from '../support/query-client.ts';
import type { QueryAnswer } from '../support/query-client.ts';
import { servePeople } from '../support/served-people.ts';

const NDJSON = 'application/x-ndjson';

const { stage, query, canary } = servePeople();

/** What is left of an answer without how long it took. */
function timeless({ body }: QueryAnswer): unknown {
  const { durationMs, ...rest } = body as Readonly<Record<string, unknown>>;
  expect(durationMs).toEqual(expect.any(Number));
  return rest;
}

describe('an answer in JSON', () => {
  it('has columns, rows, counts and how long it took', async () => {
    const response = await query('select id, name, age from people order by id');
    expect(response.status).toBe(200);
    expect(response.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(Number(response.get('Content-Length'))).toBe(Buffer.byteLength(response.text));
    expect(timeless(response)).toEqual({
      columns: [
        { name: 'id', type: 'int4', oid: 23 },
        { name: 'name', type: 'text', oid: 25 },
        { name: 'age', type: 'int4', oid: 23 },
      ],
      rows: [
        { id: 1, name: 'Ann', age: 30 },
        { id: 2, name: 'Bob', age: null },
      ],
      rowCount: 2,
      commandTag: 'SELECT 2',
      truncated: false,
    });
  });

  it('has rows as arrays where that is asked for', async () => {
    const { body } = await query('select 1 as a, 2 as a', { rowMode: 'array' });
    expect(body).toMatchObject({
      columns: [{ name: 'a' }, { name: 'a', key: 'a_2' }],
      rows: [[1, 2]],
    });
  });

  it('has each value exactly', async () => {
    const { body } = await query(
      `select 9223372036854775807 as big, 1.10 as exact, 'NaN'::float8 as nan,
         '\\x00ff'::bytea as bytes, date '2026-01-31' as day, 'größe "x"' as word, true as yes,
         timestamptz '2026-01-31 12:00:00.5+00' at time zone 'UTC' as at,
         '{"a":\n1.00}'::json as doc, array[1, null]::int8[] as list`,
    );
    expect(body).toMatchObject({
      rows: [
        {
          big: '9223372036854775807',
          exact: '1.10',
          nan: 'NaN',
          bytes: 'AP8=',
          at: '2026-01-31T12:00:00.5',
          doc: { a: 1 },
          list: ['1', null],
          word: 'größe "x"',
          yes: true,
          day: '2026-01-31',
        },
      ],
    });
  });

  test.each([
    ['no rows', 'select 1 as a where false', { rows: [], rowCount: 0, commandTag: 'SELECT 0' }],
    ['no columns', 'select', { columns: [], rows: [{}], rowCount: 1 }],
    ['no statement', ' ; -- nothing', { columns: [], rows: [], rowCount: 0, commandTag: '' }],
    ['no result', 'update people set age = 31 where id = 1', { rows: [], rowCount: 1 }],
    ['no result of a setting', "set work_mem = '4MB'", { rowCount: 0, commandTag: 'SET' }],
    ['a returning', 'update people set age = 30 where id = 1 returning age', { rowCount: 1 }],
  ])('of %s', async (_name, sql, expected) => {
    const response = await query(sql);
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject(expected);
  });

  it('of several statements has a list of results', async () => {
    const response = await query(
      "select 1 as a; set work_mem = '4MB'; select 'x' as b where false",
    );
    expect(timeless(response)).toEqual({
      results: [
        {
          columns: [{ name: 'a', type: 'int4', oid: 23 }],
          rows: [{ a: 1 }],
          rowCount: 1,
          commandTag: 'SELECT 1',
          truncated: false,
        },
        { columns: [], rows: [], rowCount: 0, commandTag: 'SET', truncated: false },
        {
          columns: [{ name: 'b', type: 'text', oid: 25 }],
          rows: [],
          rowCount: 0,
          commandTag: 'SELECT 0',
          truncated: false,
        },
      ],
    });
  });

  it('has the notices', async () => {
    const { body } = await query("do $$ begin raise notice 'careful' using hint = 'x'; end $$");
    expect(body).toMatchObject({
      notices: [{ severity: 'NOTICE', message: 'careful', hint: 'x' }],
    });
  });

  it('says when a limit cut it', async () => {
    const { body } = await query('select generate_series(1, 5) as n', { maxRows: 2 });
    expect(body).toMatchObject({ rows: [{ n: 1 }, { n: 2 }], rowCount: 2, truncated: true });
  });

  it('runs what cannot be in a transaction', async () => {
    const { status, body } = await query('vacuum people');
    expect([status, body]).toMatchObject([200, { commandTag: 'VACUUM' }]);
  });
});

describe('params', () => {
  it('are values of any JSON type, with each digit', async () => {
    const body =
      '{"backend":"postgres","sql":"select $1::numeric as a, $2::text as b, $3::bool as c, ' +
      '$4::jsonb as d, $5::jsonb as e",' +
      '"params":[12345678901234567890.10,null,true,{"x":1.50},[1]]}';
    const response = await postQuery(stage().url, body);
    expect(response.text).toContain(
      '"rows":[{"a":"12345678901234567890.10","b":null,"c":true,"d":{"x": 1.50},"e":[1]}]',
    );
  });

  test.each(["'; drop table canary; --", "' or '1'='1", '$1', '\\', '"; delete from canary'])(
    'are only values: %j',
    async (value) => {
      const { body } = await query('select $1 as v', { params: [value] });
      expect(body).toMatchObject({ rows: [{ v: value }] });
      expect(await canary()).toEqual([{ n: 1 }]);
    },
  );

  it('allow one statement only', async () => {
    const response = await query('select $1; delete from canary', { params: ['x'] });
    expect([response.status, response.body]).toMatchObject([400, { sqlState: '42601' }]);
    expect(await canary()).toEqual([{ n: 1 }]);
  });
});

describe('an answer in lines', () => {
  it('has a row a line, and a last one that counts them', async () => {
    const response = await query('select id, name from people order by id', {}, { accept: NDJSON });
    expect(response.get('Content-Type')).toBe('application/x-ndjson; charset=utf-8');
    const [first, second, meta, ...none] = parseJsonLines(response.text);
    expect([first, second, none]).toEqual([{ id: 1, name: 'Ann' }, { id: 2, name: 'Bob' }, []]);
    const rowsLength = response.text.indexOf('{"$meta"');
    expect(meta).toEqual({
      $meta: {
        rows: 2,
        bytes: rowsLength,
        truncated: false,
        commandTag: 'SELECT 2',
        columns: expect.any(Array),
        durationMs: expect.any(Number),
      },
    });
  });

  it('ends each result, and says which one is the last', async () => {
    const { text } = await query('select 1 as a; select 2 as b', {}, { accept: NDJSON });
    expect(parseJsonLines(text)).toMatchObject([
      { a: 1 },
      { $meta: { rows: 1, more: true } },
      { b: 2 },
      { $meta: { rows: 1, durationMs: expect.any(Number) } },
    ]);
    expect(parseJsonLines(text).at(-1)).not.toHaveProperty('$meta.more');
  });

  it('keeps a json of several lines in one', async () => {
    const { text } = await query(`select '{\n"a":\r\n1}'::json as j`, {}, { accept: NDJSON });
    expect(parseJsonLines(text)[0]).toEqual({ j: { a: 1 } });
  });

  it('says in the last one that it was cut, or that nothing was there', async () => {
    const cut = await query('select generate_series(1, 5)', { maxRows: 2 }, { accept: NDJSON });
    expect(parseJsonLines(cut.text).at(-1)).toMatchObject({ $meta: { rows: 2, truncated: true } });
    const none = await query('', {}, { accept: NDJSON });
    expect(parseJsonLines(none.text)).toMatchObject([{ $meta: { rows: 0, bytes: 0 } }]);
  });
});

describe('an answer in CSV', () => {
  it('has a header line and RFC 4180 values', async () => {
    const response = await query(
      `select 1 as "a,b", null as n, '' as empty, 'x "y", z' as q, E'two\\nlines' as l,
         E'\\rx' as r, true as t`,
      {},
      { accept: 'text/csv' },
    );
    expect(response.get('Content-Type')).toBe('text/csv; charset=utf-8; header=present');
    expect(response.text).toBe(
      '"a,b",n,empty,q,l,r,t\r\n1,,"","x ""y"", z","two\nlines","\'\rx",true\r\n',
    );
  });

  it('lets no text become a formula, and no number a text', async () => {
    const { text } = await query(
      `select '=1+1' as a, '@x' as b, '-2+3' as c, -5 as d, -1.5 as e, '+4' as "=f"`,
      {},
      { accept: 'text/csv' },
    );
    expect(text).toBe("a,b,c,d,e,'=f\r\n'=1+1,'@x,'-2+3,-5,-1.5,'+4\r\n");
    const ends = await query(`select E'\\n=1' as a, E'\\t=1' as b`, {}, { accept: 'text/csv' });
    expect(ends.text).toBe('a,b\r\n"\'\n=1",\'\t=1\r\n');
  });

  test.each([
    ['several statements', 'select 1; select 2', {}, 400],
    ['a result that would be cut', 'select generate_series(1, 5)', { maxRows: 2 }, undefined],
  ])('has no place for %s', async (_name, sql, more, status) => {
    const sent = query(sql, more, { accept: 'text/csv' });
    if (status === undefined) {
      const outcome = await sent.then(
        (response) => response.status,
        (error: unknown) => String(error),
      );
      expect(String(outcome)).toMatch(/413|aborted|hang up/);
    } else {
      expect((await sent).status).toBe(status);
    }
  });
});
