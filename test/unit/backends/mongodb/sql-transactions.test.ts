import { describe, expect, test } from '@jest/globals';
import { createSqlStage } from '../../../support/sql-stage.ts';

const NONE = { severity: 'WARNING', sqlState: '25P01' };

describe('transactions', () => {
  test.each([
    ['BEGIN', 'BEGIN'],
    ['begin work;', 'BEGIN'],
    ['BEGIN TRANSACTION', 'BEGIN'],
    ['BEGIN READ WRITE', 'BEGIN'],
    ['BEGIN READ WRITE, NOT DEFERRABLE', 'BEGIN'],
    ['START TRANSACTION', 'START TRANSACTION'],
    ['START TRANSACTION READ WRITE DEFERRABLE', 'START TRANSACTION'],
  ])('%s opens one', async (text, commandTag) => {
    const stage = createSqlStage();
    expect(await stage.answer(text)).toEqual({ commandTag, notices: [] });
    expect(stage.session.transactionStatus).toBe('T');
  });

  test.each([
    'SERIALIZABLE',
    'REPEATABLE READ',
    'READ COMMITTED',
    'READ UNCOMMITTED',
    'READ COMMITTED, ISOLATION LEVEL SERIALIZABLE',
  ])('says once that the level %s has no effect', async (level) => {
    const stage = createSqlStage();
    expect(await stage.answer(`BEGIN ISOLATION LEVEL ${level}`)).toMatchObject({
      notices: [{ severity: 'WARNING', sqlState: '01000' }],
    });
    expect(stage.session.transactionStatus).toBe('T');
  });

  test.each([
    ['COMMIT', 'COMMIT'],
    ['COMMIT WORK', 'COMMIT'],
    ['COMMIT AND NO CHAIN', 'COMMIT'],
    ['END', 'COMMIT'],
    ['END TRANSACTION', 'COMMIT'],
  ])('%s closes it', async (text, commandTag) => {
    const stage = createSqlStage();
    await stage.answer('BEGIN');
    expect(await stage.answer(text)).toEqual({ commandTag, notices: [] });
    expect(stage.session.transactionStatus).toBe('I');
  });

  test.each(['ROLLBACK', 'ROLLBACK WORK', 'ABORT', 'ABORT TRANSACTION'])(
    '%s warns that nothing was rolled back',
    async (text) => {
      const stage = createSqlStage();
      await stage.answer('BEGIN');
      expect(await stage.answer(text)).toMatchObject({
        commandTag: 'ROLLBACK',
        notices: [
          {
            severity: 'WARNING',
            sqlState: '01000',
            message: expect.stringContaining('Nothing was rolled back'),
            detail: expect.stringContaining('not part of a transaction'),
          },
        ],
      });
      expect(stage.session.transactionStatus).toBe('I');
    },
  );

  test('ROLLBACK gives settings back, and tells it', async () => {
    const stage = createSqlStage();
    await stage.answer('BEGIN');
    await stage.answer("SET application_name = 'x'");
    expect(await stage.answer('ROLLBACK')).toMatchObject({
      parameters: [['application_name', 'psql']],
    });
  });

  test.each([
    ['COMMIT', 'COMMIT'],
    ['ROLLBACK', 'ROLLBACK'],
  ])('%s without BEGIN warns as PostgreSQL does', async (text, commandTag) => {
    const message = 'there is no transaction in progress';
    expect(await createSqlStage().answer(text)).toEqual({
      commandTag,
      notices: [{ ...NONE, message, detail: undefined }],
    });
  });

  test('BEGIN inside of one warns as PostgreSQL does, and stays inside', async () => {
    const stage = createSqlStage();
    await stage.answer('BEGIN');
    expect(await stage.answer('BEGIN')).toMatchObject({
      notices: [{ sqlState: '25001', message: 'there is already a transaction in progress' }],
    });
    expect(stage.session.transactionStatus).toBe('T');
  });

  test.each([
    ['BEGIN READ ONLY', '0A000'],
    ['START TRANSACTION READ ONLY', '0A000'],
    ['BEGIN x', '42601'],
    ['BEGIN ISOLATION LEVEL', '42601'],
    ['BEGIN ISOLATION LEVEL x', '42601'],
    ['START', '42601'],
    ['START WORK', '42601'],
  ])('refuses %s with %s and opens none', async (text, sqlState) => {
    const stage = createSqlStage();
    await expect(stage.answer(text)).rejects.toMatchObject({ sqlState });
    expect(stage.session.transactionStatus).toBe('I');
  });

  test.each([
    'COMMIT AND CHAIN',
    "COMMIT PREPARED 'x'",
    'ROLLBACK TO SAVEPOINT x',
    'ROLLBACK AND CHAIN',
    'SAVEPOINT x',
    'RELEASE x',
  ])('refuses %s and stays in it', async (text) => {
    const stage = createSqlStage();
    await stage.answer('BEGIN');
    await expect(stage.answer(text)).rejects.toMatchObject({ sqlState: '42601' });
    expect(stage.session.transactionStatus).toBe('T');
  });
});
