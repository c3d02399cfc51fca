import { describe, expect, it } from '@jest/globals';
import {
  KIND_SYNONYMS,
  listStatementKinds,
  parseRuleWords,
  wordsCovering,
} from '../../../src/guardrails/sql-rules.ts';

describe('wordsCovering', () => {
  it.each([
    ['SELECT', ['SELECT']],
    ['SELECT FOR UPDATE', ['SELECT FOR UPDATE', 'SELECT']],
    ['DROP TABLE', ['DROP TABLE', 'DROP']],
    ['ALTER TEXT SEARCH PARSER', ['ALTER TEXT SEARCH PARSER', 'ALTER']],
    ['CREATE OPERATOR CLASS', ['CREATE OPERATOR CLASS', 'CREATE']],
    ['COPY PROGRAM', ['COPY PROGRAM', 'COPY']],
    ['SET TRANSACTION', ['SET TRANSACTION', 'SET']],
    ['CREATE TABLE AS', ['CREATE TABLE AS', 'CREATE TABLE', 'CREATE']],
    ['SELECT INTO', ['SELECT INTO', 'CREATE TABLE AS', 'CREATE TABLE', 'CREATE']],
    ['PREPARE TRANSACTION', ['PREPARE TRANSACTION']],
    ['COMMIT PREPARED', ['COMMIT PREPARED']],
    ['ROLLBACK PREPARED', ['ROLLBACK PREPARED']],
  ])('%s is covered by %j', (kind, words) => {
    expect(wordsCovering(kind)).toEqual(words);
  });
});

describe('parseRuleWords', () => {
  it.each([
    [['DROP'], ['DROP']],
    [[' drop\t table '], ['DROP TABLE']],
    [['Alter'], ['ALTER']],
    [['values', 'table', 'select'], ['SELECT']],
    [
      ['START TRANSACTION', 'end', 'abort'],
      ['BEGIN', 'COMMIT', 'ROLLBACK'],
    ],
    [
      ['drop user', 'create group'],
      ['DROP ROLE', 'CREATE ROLE'],
    ],
    [[], []],
  ])('reads %j as %j', (words, kinds) => {
    expect([...parseRuleWords('WIRE_DENY', words)]).toEqual(kinds);
  });

  it.each([
    ['DROPTABLE', 'DROP TABLE'],
    ['DELTE', 'DELETE'],
    ['TRUNCAT', 'TRUNCATE'],
    ['crate table', 'CREATE TABLE'],
    ['COPY PROGRAMS', 'COPY PROGRAM'],
    ['VALUE', 'VALUES'],
  ])('refuses %j and offers %s', (word, nearest) => {
    expect(() => parseRuleWords('WIRE_ALLOW', ['SELECT', word])).toThrow(
      expect.objectContaining({
        sqlState: '22023',
        message: `WIRE_ALLOW names ${JSON.stringify(word)}, which is no kind of statement`,
        hint: `The nearest is ${nearest}; wire/README.md lists all kinds`,
      }),
    );
  });

  it.each(['', ' ', '*', 'ALL', 'SELECT;', 'DROP TABLE t', 'CREATE TEXT', 'ALTER CAST', 'TEXT'])(
    'refuses %j',
    (word) => {
      expect(() => parseRuleWords('WIRE_DENY', [word])).toThrow('which is no kind of statement');
    },
  );
});

describe('listStatementKinds', () => {
  it('has a row for each kind, with what covers it and whether read-only admits it', () => {
    const rows = listStatementKinds();

    expect(rows.length).toBeGreaterThan(150);
    expect(rows.find(({ kind }) => kind === 'DROP TABLE')).toEqual({
      kind: 'DROP TABLE',
      coveredBy: ['DROP TABLE', 'DROP'],
      isReadOnly: false,
    });
    expect(rows.filter(({ isReadOnly }) => isReadOnly).map(({ kind }) => kind)).toEqual([
      ...['BEGIN', 'CLOSE', 'COMMIT', 'COPY TO', 'DEALLOCATE', 'DECLARE', 'DISCARD', 'EXECUTE'],
      ...['EXPLAIN', 'FETCH', 'MOVE', 'PREPARE', 'RELEASE', 'RESET', 'ROLLBACK', 'SAVEPOINT'],
      ...['SELECT', 'SET', 'SET CONSTRAINTS', 'SET SESSION CHARACTERISTICS', 'SET TRANSACTION'],
      ...['SHOW', 'UNLISTEN'],
    ]);
  });

  it('knows what every synonym stands for, and no synonym is a kind', () => {
    const kinds = new Set(listStatementKinds().map(({ kind }) => kind));

    for (const [synonym, kind] of KIND_SYNONYMS) {
      expect(kinds).toContain(kind);
      expect(kinds).not.toContain(synonym);
    }
  });
});
