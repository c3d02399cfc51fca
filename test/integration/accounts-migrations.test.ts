import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { readdir } from 'node:fs/promises';
import pg from 'pg';
import { createAccountsStage, failureOf } from '../support/accounts-store-stage.ts';
import type { AccountsStage } from '../support/accounts-store-stage.ts';
import { runDirectly, testPostgresUrl, withDatabase } from '../support/databases.ts';
import { untilTrue } from '../support/facts.ts';

const MIGRATIONS = path.resolve(import.meta.dirname, '../../src/accounts/migrations');

let stage: AccountsStage;

beforeEach(async () => {
  stage = await createAccountsStage();
});

afterEach(async () => {
  await stage.remove();
});

/** What the operator has read. */
function reports(): string[] {
  return stage.observations.flatMap((one) =>
    one.kind === 'component-reported' ? [one.message] : [],
  );
}

/** A role that may log in, and nothing else; removed with the database's rights. */
async function withRole(work: (role: string, url: string) => Promise<void>): Promise<void> {
  const role = `gatepost_test_${randomBytes(6).toString('hex')}`;
  await stage.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  const url = new URL(stage.url);
  url.username = role;
  url.password = 'secret';
  try {
    await work(role, url.href);
  } finally {
    await stage.stopStores();
    await stage.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  }
}

describe('The schema of the accounts', () => {
  test('is made at the first start, and left alone at the second', async () => {
    await stage.open();
    expect(reports()).toEqual(['Schema gatepost is at 0001 (1 applied)']);
    await stage.open();
    expect(reports()).toHaveLength(1);
    expect(await stage.query('select name from gatepost.migrations order by id')).toEqual(
      (await migrationNames()).map((name) => ({ name })),
    );
  });

  test('is made once by ten processes that start at once', async () => {
    const stores = await Promise.all(Array.from({ length: 10 }, async () => await stage.open()));
    expect(await stage.query('select count(*)::int as n from gatepost.migrations')).toEqual([
      { n: (await migrationNames()).length },
    ]);
    // One of them has made the keys, and all have the same.
    const secrets = await Promise.all(stores.map(async (store) => await store.sessionSecrets()));
    expect(new Set(secrets.flat()).size).toBe(1);
    expect(reports()).toEqual(['Schema gatepost is at 0001 (1 applied)']);
  });

  test('is waited for while somebody else migrates', async () => {
    const other = new pg.Client({ connectionString: stage.url });
    await other.connect();
    await other.query('select pg_advisory_lock(1734440037, 1886352244)');
    let isOpen = false;
    const opening = stage.open().then(() => {
      isOpen = true;
    });
    await untilWaiting();
    expect(isOpen).toBe(false);
    await other.end();
    await opening;
    expect(reports()).toEqual(['Schema gatepost is at 0001 (1 applied)']);
  });

  test('has each of its files in the list of what is known', async () => {
    await stage.open();
    const names = await migrationNames();
    expect(names[0]).toBe('0001-accounts');
    expect(await stage.query('select name from gatepost.migrations order by name')).toEqual(
      names.map((name) => ({ name })),
    );
  });

  test('opens nothing to others, whatever is granted to them by default', async () => {
    await withRole(async (role) => {
      await stage.query(`ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${role};
        ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO ${role};
        ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC`);
      await stage.open();
      const rights = await stage.query(`
        SELECT c.relname FROM pg_class c, LATERAL aclexplode(c.relacl) a
          WHERE c.relnamespace = 'gatepost'::regnamespace AND a.grantee <> c.relowner
        UNION ALL
        SELECT n.nspname FROM pg_namespace n, LATERAL aclexplode(n.nspacl) a
          WHERE n.nspname = 'gatepost' AND a.grantee = 0`);
      expect(rights).toEqual([]);
    });
  });

  test('keeps what cannot be out of its tables', async () => {
    await stage.open();
    const insert = (columns: string, values: string): Promise<unknown> =>
      stage.query(`INSERT INTO gatepost.accounts (id, verifier, ${columns})
        VALUES (gen_random_uuid(), 'SCRAM-SHA-256$x', ${values})`);
    for (const [columns, values] of [
      ['name, name_folded, scope', `'two words', 'two words', 'read'`],
      ['name, name_folded, scope', `'Alice', 'Alice', 'read'`],
      ['name, name_folded, scope', `'alice', 'bob', 'read'`],
      ['name, name_folded, scope', `'alice', 'alice', 'root'`],
      ['name, name_folded, scope, rows_max', `'alice', 'alice', 'read', 0`],
      ['name, name_folded, scope, bytes_max', `'alice', 'alice', 'read', 9007199254740992`],
      ['name, name_folded, scope, backends', `'alice', 'alice', 'read', '{}'`],
      ['name, name_folded, scope, databases', `'alice', 'alice', 'read', '{a,NULL}'`],
    ] as const) {
      await expect(insert(columns, values)).rejects.toThrow(/violates check constraint/);
    }
    await insert('name, name_folded, scope', `'Alice', 'alice', 'read'`);
    await expect(insert('name, name_folded, scope', `'ALICE', 'alice', 'read'`)).rejects.toThrow(
      /duplicate key/,
    );
  });
});

describe('A schema that this program cannot use', () => {
  test('keeps it from starting where a newer program has made it', async () => {
    await stage.open();
    await stage.query(`INSERT INTO gatepost.migrations (name, run_on)
      VALUES ('9001-from-the-future', now())`);
    const error = await failureOf(stage.open());
    expect(error).toMatchObject({ name: 'ServiceError', sqlState: '0A000' });
    expect(String(error)).toContain(
      'Schema gatepost is at 9001, and this Gatepost knows it up to 0001: a newer Gatepost has ' +
        'changed it; run that version, or set ACCOUNTS_DATABASE_URL to another database',
    );
  });

  test('keeps it from starting where the role may not make one', async () => {
    await withRole(async (role, url) => {
      const error = await failureOf(stage.open({ databaseUrl: () => url }));
      const database = new URL(url).pathname.slice(1);
      expect(error).toMatchObject({ name: 'ServiceError', sqlState: '42501' });
      expect(String(error)).toContain(`GRANT CREATE ON DATABASE ${database} TO ${role}`);
      expect(String(error)).toContain('ACCOUNTS_DATABASE_URL');

      await stage.query(`GRANT CREATE ON DATABASE ${database} TO ${role}`);
      const store = await stage.open({ databaseUrl: () => url });
      expect(await store.accounts.hasAny()).toBe(false);
      await stage.query(`REVOKE CREATE ON DATABASE ${database} FROM ${role}`);
      // From then on it needs no right to make anything.
      await stage.open({ databaseUrl: () => url });
    });
  });

  test("keeps it from starting where the schema is somebody else's", async () => {
    await withRole(async (role, url) => {
      await stage.query('CREATE SCHEMA gatepost');
      const error = await failureOf(stage.open({ databaseUrl: () => url }));
      expect(error).toMatchObject({ name: 'ServiceError', sqlState: '42501' });
      expect(String(error)).toContain(`it belongs to postgres, and role ${role} may not create`);
      expect(String(error)).toContain(`ALTER SCHEMA gatepost OWNER TO ${role}`);
    });
  });

  test('keeps it from starting where its tables may not be read', async () => {
    await stage.open();
    await withRole(async (_role, url) => {
      const error = await failureOf(stage.open({ databaseUrl: () => url }));
      expect(error).toMatchObject({ name: 'ServiceError', sqlState: '42501' });
      expect(String(error)).toContain('GRANT USAGE ON SCHEMA gatepost');
    });
  });

  test('keeps it from starting where tables of that name are in the way', async () => {
    await stage.query('CREATE SCHEMA gatepost; CREATE TABLE gatepost.api_tokens (id int)');
    const error = await failureOf(stage.open());
    expect(error).toMatchObject({ name: 'ServiceError', sqlState: '55000' });
    expect(String(error)).toContain('relation "api_tokens" already exists');
    expect(await stage.query(`select to_regclass('gatepost.accounts') as made`)).toEqual([
      { made: null },
    ]);
  });
});

describe("The embedded PostgreSQL's own database", () => {
  test('is made by whoever comes first, for the accounts alone', async () => {
    const name = 'gatepost';
    const server = testPostgresUrl();
    await runDirectly(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    try {
      const owned = { databaseUrl: () => server, ownsDatabase: true };
      const stores = await Promise.all([1, 2, 3].map(async () => await stage.open(owned)));
      expect(await stores[0]?.accounts.hasAny()).toBe(false);
      const own = withDatabase(server, name);
      expect(await runDirectly(own, 'select count(*)::int as n from gatepost.accounts')).toEqual([
        { n: 0 },
      ]);
      expect(await runDirectly(server, `select to_regnamespace('gatepost') as there`)).toEqual([
        { there: null },
      ]);
      expect(
        await runDirectly(server, `select has_database_privilege('public', '${name}', 'CONNECT')`),
      ).toEqual([{ has_database_privilege: false }]);
    } finally {
      await stage.stopStores();
      await runDirectly(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  });
});

async function migrationNames(): Promise<string[]> {
  const files = await readdir(MIGRATIONS);
  return files.map((file) => path.basename(file, '.ts')).sort();
}

async function untilWaiting(): Promise<void> {
  await untilTrue(
    stage.url,
    `exists (select from pg_stat_activity where datname = current_database()
       and application_name = 'gatepost/accounts' and wait_event = 'advisory')`,
  );
}
