import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../../../src/errors.ts';
import { PSQL_QUERIES } from '../../../support/psql-queries.ts';
import { createSqlStage } from '../../../support/sql-stage.ts';

const RUNS = { numRuns: 400, seed: 20_260_402 };

async function expectAnswerOrServiceError(text: string): Promise<void> {
  const outcome: unknown = await createSqlStage()
    .answer(text)
    .catch((thrown: unknown) => thrown);
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(ServiceError);
  }
}

describe('answerSql', () => {
  test.each([
    "INSERT INTO people VALUES ('x')",
    'UPDATE people SET a = 1',
    'DELETE FROM people',
    'CREATE TABLE people (a int)',
    'DROP TABLE people',
    'SELECT * FROM people',
    'WITH x AS (SELECT 1) SELECT * FROM x',
    'EXPLAIN SELECT 1',
    'VALUES (1)',
    'TABLE people',
    'COPY people FROM STDIN',
    'LISTEN x',
    'DEALLOCATE ALL',
    'PREPARE x AS SELECT 1',
    'VACUUM',
    '"select" 1',
    '',
    ';',
  ])('refuses %j and says what the port speaks', async (text) => {
    const stage = createSqlStage();
    await expect(stage.answer(text)).rejects.toMatchObject({
      name: 'ServiceError',
      sqlState: '42601',
      message: 'This port speaks the language of the MongoDB shell, not SQL',
      hint: expect.stringContaining('db.people.find({})'),
    });
    expect(stage.sent).toEqual([]);
  });

  test.each([
    ['  INSERT INTO x', 3],
    ['SELECT * FROM people', 8],
    ['SELECT 1 +1', 10],
    ['SET application_name = a b', 26],
    ['-- why\nUPDATE x', 8],
  ])('points into %j at character %i', async (text, position) => {
    await expect(createSqlStage().answer(text)).rejects.toMatchObject({ position });
  });

  test.each([
    'SELECT * FROM pg_catalog.pg_proc',
    'SELECT oid FROM pg_type',
    'SELECT * FROM information_schema.tables',
    "SELECT 'people'::pg_catalog.regclass",
    'SELECT pg_catalog.pg_sleep(1)',
    'SELECT * FROM pg_catalog.pg_class',
    'SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c',
    'SELECT a.attname FROM pg_catalog.pg_attribute a',
    "SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = '16384'",
    'SELECT pg_catalog.version() FROM pg_catalog.pg_class',
  ])('has no answer to %s, and names what has one', async (text) => {
    const stage = createSqlStage();
    await expect(stage.answer(text)).rejects.toMatchObject({
      sqlState: '0A000',
      hint: expect.stringContaining(String.raw`\dt`),
    });
    expect(stage.sent).toEqual([]);
  });

  test('refuses a text longer than any that a client sends by itself', async () => {
    const text = `SELECT 1 /* ${'x'.repeat(32_768)} */`;
    await expect(createSqlStage().answer(text)).rejects.toMatchObject({ sqlState: '42601' });
  });

  test('throws nothing but ServiceErrors for any text', async () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ maxLength: 60 }).map((text) => `SELECT ${text}`),
      fc.string({ maxLength: 60 }).map((text) => `SET ${text}`),
    );
    await fc.assert(fc.asyncProperty(texts, expectAnswerOrServiceError), RUNS);
  });

  test('throws nothing but ServiceErrors for words of SQL in any order', async () => {
    const words = fc.constantFrom(
      ...['SELECT', 'FROM', 'pg_catalog', 'pg_class', 'c', 'relname', '~', "'^(x)$'", "'('", '('],
      ...[')', ',', '.', 'AS', '"Name"', 'SET', 'TO', '=', 'SHOW', 'ALL', 'BEGIN', 'READ', 'ONLY'],
      ...['OPERATOR', 'relkind', 'IN', "'r'", "'16384'", 'current_setting', '1', '-', ';'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 20 }), async (parts) => {
        await expectAnswerOrServiceError(parts.join(' '));
      }),
      RUNS,
    );
  });

  test('throws nothing but ServiceErrors for a query of psql cut anywhere', async () => {
    const queries = fc.constantFrom(...PSQL_QUERIES.flatMap((entry) => entry.queries));
    await fc.assert(
      fc.asyncProperty(queries, fc.nat(3000), async (query, length) => {
        await expectAnswerOrServiceError(query.slice(0, length));
      }),
      RUNS,
    );
  });
});
