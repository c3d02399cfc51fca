import { describe, expect, test } from '@jest/globals';
import { psqlQueries } from '../../../support/psql-queries.ts';
import { createSqlStage } from '../../../support/sql-stage.ts';

const ANSWERED = [
  ...['l', 'l+', 'l pe*', 'd', 'd+', 'dt', 'dt+', 'dt people', 'dt pe*', 'dt public.people'],
  ...['dtS', 'dv', 'di', 'di+', 'di people_pkey', 'dm', 'dn', 'dn+', 'dn public', 'du', 'du+'],
  ...['du postgres', 'd "we.ird"'],
];

const REFUSED = ['df', 'dx', 'dp', 'db', 'dT', 'dconfig', 'drds', 'sv adults'];

describe('the commands of psql', () => {
  test.each(ANSWERED)('\\%s has an answer in every version', async (command) => {
    const versions = psqlQueries(`\\${command}`);
    expect(versions.length).toBeGreaterThan(0);
    for (const [, queries] of versions) {
      const answer = await createSqlStage().answer(queries[0] ?? '');
      expect(answer.commandTag).toBe(`SELECT ${answer.rows?.length ?? ''}`);
      expect(answer.rows?.every((row) => row.length === answer.columns?.length)).toBe(true);
    }
  });

  test.each(REFUSED)('\\%s has none, and says which have', async (command) => {
    const versions = psqlQueries(`\\${command}`);
    expect(versions.length).toBeGreaterThan(0);
    for (const [, queries] of versions) {
      const stage = createSqlStage();
      await expect(stage.answer(queries[0] ?? '')).rejects.toMatchObject({
        name: 'ServiceError',
        sqlState: '0A000',
        hint: expect.stringContaining(String.raw`\l, \d, \dt, \dv, \di, \dn and \du`),
      });
      expect(stage.sent).toEqual([]);
    }
  });

  test('end with the signal', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    for (const command of ['l', 'dt', 'du', 'di', 'd people']) {
      const [[, queries] = ['', []]] = psqlQueries(`\\${command}`);
      await expect(createSqlStage().answer(queries[0] ?? '', signal)).rejects.toThrow('stopped');
    }
  });
});
