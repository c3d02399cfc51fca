// The same accounts log in to MongoDB: psql, the same password, what the account may do.
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import type { MemoryAccounts } from '../support/memory-accounts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { runPsql } from '../support/psql.ts';
import type { PsqlResult } from '../support/psql.ts';
import type { Gate } from '../support/start-gate.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import { firstReport, queryFrame } from '../support/wire-client.ts';
import { logIn } from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

describeMongodb('On MongoDB', () => {
  let database: TestMongodbDatabase;
  let accounts: MemoryAccounts;
  let gate: Gate;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    accounts = await createMemoryAccounts([
      { name: 'writer', password: PASSWORD, scope: 'write' },
      { name: 'reader', password: PASSWORD, scope: 'read' },
      { name: 'sql-only', password: PASSWORD, backends: ['postgres'] },
      { name: 'elsewhere', password: PASSWORD, databases: ['some_other'] },
    ]);
    gate = await startMongodbGate({ uri: database.uri, accounts });
  });

  afterEach(async () => {
    await documents().deleteMany({});
  });

  afterAll(async () => {
    await gate.stop();
    await database.drop();
  });

  const documents = (): ReturnType<ReturnType<typeof database.client.db>['collection']> =>
    database.client.db(database.name).collection('canary');

  async function psql(user: string, statement: string, password = PASSWORD): Promise<PsqlResult> {
    return await runPsql({
      url: `host=127.0.0.1 port=${gate.port} user=${user} dbname=${database.name} sslmode=disable`,
      args: ['-At', '-c', statement],
      environment: { PGPASSWORD: password, PGPASSFILE: '/dev/null' },
    });
  }

  it('an account that may write does', async () => {
    const { stderr, exitCode } = await psql('writer', 'db.canary.insertOne({_id: 1})');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(await documents().countDocuments()).toBe(1);
  });

  it('an account that may read does that, and writes nothing', async () => {
    await psql('writer', 'db.canary.insertOne({_id: 1})');
    expect((await psql('reader', 'db.canary.find()')).stdout).toBe('{"_id":1}');
    for (const statement of [
      'db.canary.insertOne({_id: 2})',
      'db.canary.deleteMany({})',
      'db.canary.drop()',
      'db.canary.aggregate([{$out: "other"}])',
    ]) {
      expect((await psql('reader', statement)).stderr).toMatch(/^ERROR: /);
    }
    expect(await documents().countDocuments()).toBe(1);
  });

  it.each(['sql-only', 'elsewhere'])(
    'an account that may not come in hears it: %s',
    async (user) => {
      const { stderr, exitCode } = await psql(user, 'db.canary.find()');
      expect(stderr).toMatch(/FATAL: {2}account "[a-z-]+" is not allowed to use /);
      expect(exitCode).toBe(2);
      expect(accounts.presenceCount(user)).toBe(0);
    },
  );

  it('a wrong password is refused', async () => {
    const { stderr } = await psql('writer', 'db.canary.find()', 'wrong');
    expect(stderr).toContain('FATAL:  password authentication failed for user "writer"');
  });

  it('an account that is revoked loses its session, and what runs in it', async () => {
    await psql('writer', 'db.canary.insertOne({_id: 1})');
    const { client } = await logIn(gate.port, { user: 'reader', password: PASSWORD });
    client.send(queryFrame('db.canary.find()'));
    await client.untilReady();
    accounts.revoke('reader');
    expect(firstReport(await client.until('E'))).toMatchObject({ S: 'FATAL', C: '57P01' });
    expect(await client.closed()).toHaveLength(0);
    expect(accounts.presenceCount('reader')).toBe(0);
  });
});
