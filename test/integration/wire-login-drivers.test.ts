// Drivers of other languages log in as psql does: those that this machine has.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import { createTestMongodbDatabase } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';

/** The interpreter that has the drivers. */
const PYTHON = process.env['PYTHON'] ?? 'python3';
const SCRIPT = path.join(import.meta.dirname, '../support/drivers/log_in.py');
const TIMEOUT_MS = 20_000;

const PASSWORD = 'Größe 日本';
const WRONG = /28P01|password authentication failed for user/;
const DISABLED = /28000|account "disabled" is disabled/;

function hasModule(name: string): boolean {
  try {
    execFileSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write(`SKIPPED: logging in with ${name}, which ${PYTHON} does not have\n`);
    return false;
  }
}

/** What each shows of one row of a simple query. */
const DRIVERS = [
  { driver: 'psycopg', isTagOnly: false },
  { driver: 'psycopg2', isTagOnly: false },
  { driver: 'asyncpg', isTagOnly: true },
  { driver: 'pg8000', isTagOnly: false },
] as const;

describe.each(DRIVERS)('$driver of Python', ({ driver, isTagOnly }) => {
  const here = hasModule(driver) ? describe : describe.skip;
  let database: TestDatabase;
  let gate: Gate;
  let mongodb: TestMongodbDatabase | undefined;
  let mongodbGate: Gate | undefined;

  beforeAll(async () => {
    const accounts = await createMemoryAccounts([
      { name: 'alice', password: PASSWORD, scope: 'read' },
      { name: 'disabled', password: PASSWORD, isDisabled: true },
    ]);
    database = await createTestDatabase();
    gate = await startGate({ dsn: database.url, accounts });
    if (process.env['TEST_MONGODB_URI'] !== undefined) {
      mongodb = await createTestMongodbDatabase();
      mongodbGate = await startMongodbGate({ uri: mongodb.uri, accounts });
    }
  });

  afterAll(async () => {
    await Promise.all([gate.stop(), mongodbGate?.stop()]);
    await Promise.all([database.drop(), mongodb?.drop()]);
  });

  async function ask(
    { port }: Gate,
    { user = 'alice', password = PASSWORD, name = database.name, sql = '' },
  ): Promise<string> {
    const place = ['127.0.0.1', `${port}`, user, password, name];
    const { stdout } = await execa(PYTHON, [SCRIPT, driver, ...place, sql], {
      timeout: TIMEOUT_MS,
      env: { PYTHONIOENCODING: 'utf-8', PYTHONUTF8: '1' },
    });
    return stdout;
  }

  here('logs in', () => {
    it('to PostgreSQL, where its account is seen', async () => {
      const sql = `select current_setting('application_name')`;
      expect(await ask(gate, { sql })).toMatch(
        isTagOnly ? /^SELECT 1$/ : /^gatepost\/alice\/.*@127\.0\.0\.1$/,
      );
    });

    it('to MongoDB', async () => {
      if (mongodb !== undefined && mongodbGate !== undefined) {
        await mongodb.client.db(mongodb.name).collection('seen').insertOne({ n: 1 });
        const answer = await ask(mongodbGate, {
          name: mongodb.name,
          sql: 'db.seen.countDocuments({})',
        });
        expect(answer).toBe(isTagOnly ? 'SELECT 1' : '1');
      }
    });

    it('and hears what is wrong', async () => {
      const sql = 'select 1';
      expect(await ask(gate, { password: 'wrong', sql })).toMatch(WRONG);
      expect(await ask(gate, { user: 'nobody', sql })).toMatch(WRONG);
      expect(await ask(gate, { user: 'disabled', sql })).toMatch(DISABLED);
    });
  });
});
