// Accounts in the very database that is queried: nobody reads a verifier or a key through a door,
// by whatever name.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { accountsFor, PASSWORD, useAccountSessions } from '../support/account-sessions.ts';
import { createAccountsStage } from '../support/accounts-store-stage.ts';
import type { AccountsStage } from '../support/accounts-store-stage.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport } from '../support/wire-client.ts';

const GUARDRAILS = {
  limits: { rowsMax: 1000, bytesMax: 1e7, queryTimeoutMs: 10_000, onLimit: 'error' },
  idleTimeoutMs: 60_000,
  access: 'read-write',
} as const;

const { clientOf } = useAccountSessions();

let stage: AccountsStage;
let gate: Gate;
/** What nobody may see: verifiers, hashes of tokens and keys. */
let canaries: readonly string[];
let oid: string;

beforeAll(async () => {
  stage = await createAccountsStage();
  const store = await stage.open();
  const admin = store.administration('root');
  await admin.create({
    name: 'victim',
    secret: { password: 'a long enough one' },
    scope: 'admin',
  });
  await admin.createToken('victim', { name: 'one', scope: 'admin', expiresAt: undefined });
  const secrets = await stage.query(
    `select verifier as secret from gatepost.accounts union all
     select sha256 from gatepost.api_tokens union all select value from gatepost.secrets`,
  );
  canaries = secrets.map(({ secret }) => String(secret));
  const [found] = await stage.query(`select 'gatepost.secrets'::regclass::oid::text as oid`);
  oid = String(found?.['oid']);
  await stage.query(
    `create extension if not exists pageinspect;
     create table public.orders (id int primary key, note text);
     insert into public.orders values (1, 'seen'); analyze`,
  );
  const accounts = await createMemoryAccounts(accountsFor([new URL(stage.url).pathname.slice(1)]));
  gate = await startGate({
    dsn: stage.url,
    accounts,
    backend: createPostgresBackend({
      name: 'postgres',
      dsn: stage.url,
      guardrails: GUARDRAILS,
      hiddenSchema: 'gatepost',
    }),
    rules: { hiddenSchema: 'gatepost' },
  });
});

afterAll(async () => {
  await gate.stop();
  await stage.remove();
});

/** Each is a session of its own; its last query is the one that would show a secret. */
const READS: readonly (readonly string[])[] = [
  ['table gatepost.secrets'],
  [
    `select table_to_xml(c.oid::regclass, true, false, '') from pg_class c
     where relname = 'secrets'`,
  ],
  [`select schema_to_xml(nspname, true, false, '') from pg_namespace where nspname like 'gate%'`],
  [`select table_to_xml(('gate' || 'post.accounts')::regclass, true, false, '')`],
  [`select table_to_xml({oid}, true, false, '')`],
  [`select table_to_xml('{oid}', true, false, '')`],
  ["prepare p (regclass) as select table_to_xml($1, true, false, '')", 'execute p({oid})'],
  [`select database_to_xml(true, false, '')`],
  [`select query_to_xml('table gate' || 'post.secrets', true, false, '')`],
  [
    'set bytea_output = escape',
    String.raw`select table_to_xml('\x67617465706f73742e73656372657473'::bytea::text::regclass,
      true, false, '')`,
  ],
  [`set search_path = 'gate'\n'post'`, 'table secrets'],
  [
    'set bytea_output = escape',
    String.raw`select set_config('search_path', '\x67617465706f7374'::bytea::text, false)`,
    'table secrets',
  ],
  [`select * from pg_stats where schemaname like 'gate%'`],
  ['table pg_statistic'],
  ['select * from pg_catalog.pg_stats_ext'],
  [`select convert_from(get_raw_page('gate' || 'post.secrets', 0), 'SQL_ASCII')`],
  [
    `select t_data from heap_page_items(get_raw_page('gate'
     'post.secrets', 0))`,
  ],
];

const HARMLESS: readonly string[] = [
  `select table_to_xml('public.orders', true, false, '')`,
  `select schema_to_xml('public', true, false, '')`,
  'select pid, query from pg_stat_activity',
  'select relname, n_live_tup from pg_stat_user_tables',
  `select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace`,
];

describe('With the accounts in the queried database', () => {
  it('there are secrets to be read, for whoever comes past Gatepost', async () => {
    expect(canaries.length).toBeGreaterThanOrEqual(4);
    const [row] = await stage.query(
      `select table_to_xml(c.oid::regclass, true, false, '')::text as xml from pg_class c
       where c.oid = ${oid}`,
    );
    expect(canaries.some((canary) => String(row?.['xml']).includes(canary))).toBe(true);
  });

  describe.each(['reader', 'clerk'])('%s', (user) => {
    it.each(READS.map((queries) => [queries]))('sees no secret by %j', async (queries) => {
      const client = await clientOf(gate, user);
      const answers = [];
      for (const query of queries) {
        answers.push(await client.query(query.replaceAll('{oid}', oid)));
      }
      const shown = answers.flat().map(({ bytes }) => bytes.toString('latin1'));
      expect(answers.some((frames) => /^(42501|25006)$/.test(firstReport(frames)['C'] ?? ''))).toBe(
        true,
      );
      expect(canaries.filter((canary) => shown.join('').includes(canary))).toEqual([]);
      expect(firstReport(answers.at(-1) ?? [])['S']).toBe('ERROR');
    });

    it.each(HARMLESS)('may %s', async (query) => {
      const frames = await (await clientOf(gate, user)).query(query);
      expect(firstReport(frames)).toEqual({});
    });

    // Other tests make and drop databases meanwhile: \l is asked for those that stay.
    it.each(['\\dt', '\\d orders', '\\d+ orders', '\\dn', '\\dX', '\\l template*'])(
      'has the answer of the server for psql %s',
      async (command) => {
        const args = ['-c', command];
        const { pathname } = new URL(stage.url);
        const credentials = `${user}:${encodeURIComponent(PASSWORD)}`;
        const url = `postgresql://${credentials}@127.0.0.1:${gate.port}${pathname}`;
        expect(await runPsql({ url, args })).toEqual(await runPsql({ url: stage.url, args }));
      },
    );
  });

  it('nobody finds the schema by "$user" either', async () => {
    const client = await clientOf(gate, 'reader');
    const frames = await client.query('set search_path = "$user", public');
    expect(firstReport(frames)).toMatchObject({ C: '42501' });
  });

  it('ANALYZE leaves no values of secrets in pg_stats', async () => {
    await stage.query('analyze gatepost.accounts, gatepost.api_tokens, gatepost.secrets');
    const columns = await stage.query(
      `select attname from pg_stats where schemaname = 'gatepost' order by attname`,
    );
    const names = columns.map(({ attname }) => attname);
    expect(names).toContain('scope');
    for (const secret of ['verifier', 'sha256', 'value']) {
      expect(names).not.toContain(secret);
    }
  });
});
