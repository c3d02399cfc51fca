import { describe, expect, it } from '@jest/globals';
import { judgeValues, readJudgement } from '../../../../src/backends/postgres/crud-judgement.ts';
import { createColumn, createTable } from '../../../support/crud-columns.ts';

const id = createColumn('id', 'int4');
const odd = createColumn('o"dd', 'text');
const table = createTable([id, odd], ['id'], { schema: `s' or true` });

describe('judgeValues', () => {
  const statement = judgeValues(table, [
    { column: id, value: '1' },
    { column: odd, value: `{"\\}` },
  ]);

  it('has names and values as parameters only', () => {
    expect(statement.parameters).toEqual([
      String.raw`{"id","o\"dd"}`,
      String.raw`{"1","{\"\\}"}`,
      `s' or true`,
      't',
    ]);
    expect(statement.text).not.toMatch(/or true|dd|\{/);
  });

  it('is no plain read: the rules of domains may be functions of users', () => {
    expect(statement).toMatchObject({ isOwn: true, isPlainRead: false });
  });
});

describe('readJudgement', () => {
  it('says which of the values it is, and what the server says of it', () => {
    const row = ['2', 'value too long'].map((text) => Buffer.from(text));
    expect(readJudgement(row)).toEqual({ index: 1, message: 'value too long' });
  });
});
