// An account that is restricted to some databases of PostgreSQL reaches no other, and nobody
// reaches Gatepost's own.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { accountsFor, PASSWORD, useAccountSessions } from '../support/account-sessions.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, valueOf } from '../support/wire-client.ts';

const GUARDRAILS = {
  limits: { rowsMax: 100, bytesMax: 1e6, queryTimeoutMs: 10_000, onLimit: 'error' },
  idleTimeoutMs: 60_000,
  access: 'read-write',
} as const;

const { clientOf, refusalOf } = useAccountSessions();

describe('On PostgreSQL, restricted to databases', () => {
  let database: TestDatabase;
  let other: TestDatabase;
  let gate: Gate;

  beforeAll(async () => {
    database = await createTestDatabase();
    other = await createTestDatabase();
    gate = await startGate({
      dsn: database.url,
      accounts: await createMemoryAccounts([
        ...accountsFor([database.name]),
        { name: other.name, password: PASSWORD, databases: [database.name, other.name] },
        { name: 'away', password: PASSWORD, databases: [other.name, 'elsewhere'] },
        { name: 'postgres', password: PASSWORD },
      ]),
      backend: createPostgresBackend({
        name: 'postgres',
        dsn: database.url,
        guardrails: GUARDRAILS,
        hiddenDatabase: 'gatepost',
        hiddenSchema: 'gatepost',
      }),
      rules: { hiddenSchema: 'gatepost' },
    });
    await runDirectly(
      database.url,
      `create schema gatepost;
       create table gatepost.accounts (name text);
       insert into gatepost.accounts values ('secret');`,
    );
  });

  afterAll(async () => {
    await gate.stop();
    await other.drop();
    await database.drop();
  });

  it.each(['clerk', 'reader', 'everybody'])('%s is in the database that is his', async (user) => {
    for (const parameters of [{}, { database: database.name }]) {
      const client = await clientOf(gate, user, parameters);
      expect(valueOf(await client.query('select current_database()'))).toBe(database.name);
    }
  });

  it('no other is dialled for a restricted account, named or not', async () => {
    expect(await refusalOf(gate, 'clerk', { database: other.name })).toMatchObject({
      S: 'FATAL',
      C: '28000',
      M: `account "clerk" is not allowed to use database "${other.name}"`,
      H: `Its databases are ${database.name}`,
    });
    for (const name of ['postgres', 'template1', database.name.toUpperCase()]) {
      expect(await refusalOf(gate, 'clerk', { database: name })).toMatchObject({ C: '28000' });
    }
    // His own is not there; the connection string's is, and is not his.
    expect(await refusalOf(gate, 'stranger', {})).toMatchObject({
      S: 'FATAL',
      C: '3D000',
      M: 'database "elsewhere" does not exist',
    });
    const free = await clientOf(gate, 'everybody', { database: other.name });
    expect(valueOf(await free.query('select current_database()'))).toBe(other.name);
  });

  it('an account of the name of a database that it may use is in that one', async () => {
    const name = other.name;
    for (const [user, parameters] of [
      [name, { database: name }],
      [name, {}],
      [name.toUpperCase(), { database: name.toUpperCase() }],
      [name.toUpperCase(), { database: name }],
    ] as const) {
      const client = await clientOf(gate, user, parameters);
      expect(valueOf(await client.query('select current_database()'))).toBe(name);
    }
    const elsewhere = await clientOf(gate, name, { database: database.name });
    expect(valueOf(await elsewhere.query('select current_database()'))).toBe(database.name);
    const opened = gate.observations.filter(({ kind }) => kind === 'session-opened');
    expect(opened.at(-2)).toMatchObject({ session: { database: name } });
  });

  it.each([
    { what: 'an account that may use all, in the one of everybody', user: 'postgres', own: true },
    { what: 'one that may not use that, in the first of its own', user: 'away', own: false },
  ])('psql that is told no database lets $what', async ({ user, own }) => {
    const { stdout, stderr } = await runPsql({
      url: `host=127.0.0.1 port=${gate.port} user=${user} sslmode=disable`,
      args: ['-At', '-c', 'select current_database()'],
      environment: { PGPASSWORD: PASSWORD, PGPASSFILE: '/dev/null' },
    });
    expect({ stdout, stderr }).toEqual({ stdout: (own ? database : other).name, stderr: '' });
  });

  it("Gatepost's own is for nobody, and neither is a path to its schema", async () => {
    for (const user of ['everybody', 'hider']) {
      expect(await refusalOf(gate, user, { database: 'gatepost' })).toMatchObject({
        S: 'FATAL',
        C: '3D000',
        M: `database "gatepost" is Gatepost's own`,
      });
    }
    for (const parameters of [
      { search_path: 'gatepost' },
      { options: '-c search_path=public,gatepost' },
      { options: '-cSearch_Path="gatepost"' },
      { search_path: '"$user", public' },
    ]) {
      expect(await refusalOf(gate, 'everybody', parameters)).toMatchObject({
        S: 'FATAL',
        C: '42501',
      });
    }
  });

  it('a name that folds to another is another to PostgreSQL, which does not fold it', async () => {
    expect(await refusalOf(gate, 'everybody', { database: 'Gatepost' })).toMatchObject({
      C: '3D000',
      M: 'database "Gatepost" does not exist',
    });
  });

  it('its schema is seen in the catalog and read by nobody', async () => {
    const client = await clientOf(gate, 'everybody');
    for (const query of [
      'table gatepost.accounts',
      'set search_path = gatepost',
      `select query_to_xml('table gatepost.accounts', true, true, '')`,
    ]) {
      expect(firstReport(await client.query(query))).toMatchObject({ C: '42501' });
    }
    const seen = await client.query(
      `select nspname from pg_namespace where nspname operator(pg_catalog.~) '^(gatepost)$'`,
    );
    expect(valueOf(seen)).toBe('gatepost');
    expect(firstReport(await client.query('table accounts'))).toMatchObject({ C: '42P01' });
  });

  it('a role of the name of the schema does not find it by its own name', async () => {
    const role = `gatepost_${randomBytes(6).toString('hex')}`;
    await runDirectly(
      database.url,
      `create role ${role} superuser login password 'x'; create schema ${role};
       create table ${role}.verifiers as select 'secret' as name`,
    );
    const dsn = new URL(database.url);
    dsn.username = role;
    dsn.password = 'x';
    const backend = { name: 'postgres', dsn: dsn.href, guardrails: GUARDRAILS };
    const accounts = await createMemoryAccounts(accountsFor([database.name]));
    const open = await startGate({
      dsn: dsn.href,
      accounts,
      backend: createPostgresBackend(backend),
    });
    const guarded = await startGate({
      dsn: dsn.href,
      accounts,
      backend: createPostgresBackend({ ...backend, hiddenSchema: role }),
      rules: { hiddenSchema: role },
    });
    const unguarded = await clientOf(open, 'everybody');
    expect(valueOf(await unguarded.query('table verifiers'))).toBe('secret');
    const client = await clientOf(guarded, 'everybody');
    for (const query of ['table verifiers', 'reset search_path; table verifiers']) {
      expect(firstReport(await client.query(query))).toMatchObject({ C: '42P01' });
    }
    const back = await client.query('set search_path = "$user", public; table verifiers');
    expect(firstReport(back)).toMatchObject({ C: '42501' });
    await Promise.all([open.stop(), guarded.stop()]);
    await runDirectly(database.url, `drop owned by ${role} cascade; drop role ${role}`);
  });

  it('the server shows the account of each session', async () => {
    const client = await clientOf(gate, 'clerk', { application_name: 'psql' });
    const sql = 'select application_name from pg_stat_activity where pid = pg_backend_pid()';
    expect(valueOf(await client.query(sql))).toBe('gatepost/clerk/psql@127.0.0.1');
  });
});
