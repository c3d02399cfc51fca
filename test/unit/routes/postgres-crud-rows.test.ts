import express from 'express';
import supertest from 'supertest';
import { describe, expect, it } from '@jest/globals';
import { rowUrl, sendItems, sendRow, tableUrl } from '../../../routes/postgres-crud-rows.ts';
import { createColumn, createTable } from '../../support/crud-columns.ts';
import type { Response } from 'express';

const columns = [
  { name: 'id', typeOid: 20 },
  { name: 'nä"me', typeOid: 25 },
  { name: 'xmin', typeOid: 25 },
];
const shown = [createColumn('id', 'int8'), createColumn('nä"me', 'text')];
const row = (...values: readonly (string | null)[]): readonly (Buffer | null)[] =>
  values.map((value) => (value === null ? null : Buffer.from(value)));
const rows = [row('1', 'ü', '742'), row('2', null, '743')];

async function textOf(send: (response: Response) => void): Promise<unknown> {
  const app = express();
  app.get('/', (_request, response) => send(response));
  const { text, headers } = await supertest(app).get('/');
  expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
  return text;
}

describe('sendItems', () => {
  it.each([
    [{}, ''],
    [{ next: null }, ',"next":null'],
    [{ next: '/t?after="', count: 5 }, ',"next":"/t?after=\\"","count":5'],
    [{ next: undefined, count: 0 }, ',"count":0'],
  ])('ends with %j', async (end, text) => {
    const sent = await textOf((response) =>
      sendItems(response, { columns, rows }, { shown, ...end }),
    );
    expect(sent).toBe(`{"items":[{"id":"1","nä\\"me":"ü"},{"id":"2","nä\\"me":null}]${text}}`);
  });

  it('may have no items', async () => {
    const sent = await textOf((response) =>
      sendItems(response, { columns, rows: [] }, { shown, next: null }),
    );
    expect(sent).toBe('{"items":[],"next":null}');
  });
});

describe('sendRow', () => {
  it('shows the columns that were asked for', async () => {
    const [first = []] = rows;
    const sent = await textOf((response) => sendRow(response, { columns }, { row: first, shown }));
    expect(sent).toBe('{"id":"1","nä\\"me":"ü"}');
  });

  it('shows arrays by what the catalog says is in them', async () => {
    const flags = createColumn('flags', 'bool[]', { base: { oid: 50_001, category: 'A' } });
    const sent = await textOf((response) =>
      sendRow(
        response,
        { columns: [{ name: 'flags', typeOid: 50_001 }] },
        { row: row('{t,f}'), shown: [flags] },
      ),
    );
    expect(sent).toBe('{"flags":[true,false]}');
  });

  it('shows a row without columns', async () => {
    const sent = await textOf((response) =>
      sendRow(response, { columns: columns.slice(2) }, { row: row('742'), shown: [] }),
    );
    expect(sent).toBe('{}');
  });
});

describe('addresses', () => {
  const id = createColumn('id', 'int4');
  const name = createColumn('name', 'text');
  const bytes = createColumn('bytes', 'bytea');

  it('of tables are percent-encoded', () => {
    expect(tableUrl({ schema: 'a/b', table: 'c?ü"' })).toBe('/api/postgres/a%2Fb/c%3F%C3%BC%22');
  });

  it('of rows have the key in its own order', () => {
    const table = createTable([id, name, bytes], ['bytes', 'name']);
    expect(rowUrl(table, row('1', 'a/b c', '\\xfbff'))).toBe(
      '/api/postgres/public/t/%2B%2F8%3D/a%2Fb%20c',
    );
  });

  it('are not there for rows without a key', () => {
    expect(rowUrl(createTable([id], []), row('1'))).toBeUndefined();
  });
});
