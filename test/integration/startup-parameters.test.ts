// What a client asks for when it connects reaches the upstream, and what the upstream says about
// itself reaches the client.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, runDirectly, testPostgresUrl } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { destroyDirectClients, essentialFields, loginDirectly } from '../support/direct-client.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  keyOf,
  reportFields,
  startupPacket,
  typesOf,
  valueOf,
  WireClient,
} from '../support/wire-client.ts';
import type { ReceivedFrame } from '../support/wire-client.ts';

type Parameters = Readonly<Record<string, string>>;

let gate: Gate;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
});

afterAll(async () => {
  destroyDirectClients();
  await gate.stop();
});

/** The client and all frames up to ReadyForQuery or the refusal. */
async function logIn(
  parameters: Parameters,
): Promise<{ client: WireClient; frames: ReceivedFrame[] }> {
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'postgres', ...parameters }));
  const frames = [await client.frame()];
  while (!['Z', 'E'].includes(frames.at(-1)?.type ?? '')) {
    frames.push(await client.frame());
  }
  return { client, frames };
}

/** ParameterStatus values by name. */
function statusesOf(frames: readonly ReceivedFrame[]): Record<string, string> {
  const pairs = frames
    .filter(({ type }) => type === 'S')
    .map(({ bytes }) => bytes.toString('utf8', 5).split('\0'));
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]));
}

describe('A run-time setting of the startup packet', () => {
  it.each([
    { name: 'DateStyle', value: 'SQL, DMY' },
    { name: 'TimeZone', value: 'America/St_Johns' },
    { name: 'search_path', value: '"a b", public' },
    { name: 'extra_float_digits', value: '0' },
    { name: 'IntervalStyle', value: 'iso_8601' },
    { name: 'statement_timeout', value: '7s' },
    { name: 'work_mem', value: '5MB' },
    { name: 'my.own', value: String.raw`back\slash and  blanks` },
    { name: 'my.quotes', value: `it's "here"` },
    { name: 'my.empty', value: '' },
    { name: 'my.line', value: 'two\nlines\tand a tab' },
    { name: 'my.text', value: 'żółw 🐢' },
  ])('reaches the upstream: $name = $value', async ({ name, value }) => {
    const { client } = await logIn({ [name]: value });
    const { client: direct } = await loginDirectly(testPostgresUrl(), { [name]: value });
    const shown = await client.query(`show ${name}`);
    expect(shown).toEqual(await direct.query(`show ${name}`));
    expect(valueOf(shown)).toBe(value);
    client.destroy();
    direct.destroy();
  });

  it.each([
    { options: '-c search_path=a,b -c work_mem=5MB', show: 'search_path', value: 'a,b' },
    { options: '-c search_path=a,b -c work_mem=5MB', show: 'work_mem', value: '5MB' },
    { options: '-cwork_mem=6MB', show: 'work_mem', value: '6MB' },
    { options: '--work-mem=7MB', show: 'work_mem', value: '7MB' },
    { options: String.raw`-c my.text=a\ b\\c`, show: 'my.text', value: String.raw`a b\c` },
    { options: '  -c   work_mem=8MB  ', show: 'work_mem', value: '8MB' },
    { options: '-c work_mem=1MB -c work_mem=9MB', show: 'work_mem', value: '9MB' },
  ])('reaches the upstream through options: $options', async ({ options, show, value }) => {
    const { client } = await logIn({ options });
    const { client: direct } = await loginDirectly(testPostgresUrl(), { options });
    const shown = await client.query(`show ${show}`);
    expect(shown).toEqual(await direct.query(`show ${show}`));
    expect(valueOf(shown)).toBe(value);
    client.destroy();
    direct.destroy();
  });

  it('wins over options, as in PostgreSQL', async () => {
    const { client } = await logIn({ work_mem: '5MB', options: '-c work_mem=6MB' });
    expect(valueOf(await client.query('show work_mem'))).toBe('5MB');
    client.destroy();
  });

  it('is what RESET goes back to', async () => {
    const { client } = await logIn({ search_path: 'mine' });
    await client.query('set search_path = other; reset search_path');
    expect(valueOf(await client.query('show search_path'))).toBe('mine');
    client.destroy();
  });

  it.each<{ parameters: Parameters; sqlState: string }>([
    { parameters: { nosuch: '1' }, sqlState: '42704' },
    { parameters: { options: '-c nosuch=1' }, sqlState: '42704' },
    { parameters: { 'we"ird': '1' }, sqlState: '42704' },
    { parameters: { TimeZone: 'Mars/Olympus' }, sqlState: '22023' },
    { parameters: { TimeZone: '' }, sqlState: '22023' },
    { parameters: { work_mem: 'lots' }, sqlState: '22023' },
    { parameters: { client_encoding: 'nosuch' }, sqlState: '22023' },
    { parameters: { search_path: 'a b' }, sqlState: '22023' },
    { parameters: { shared_buffers: '1GB' }, sqlState: '55P02' },
    { parameters: { options: '-y' }, sqlState: '42601' },
    { parameters: { options: 'words' }, sqlState: '42601' },
    { parameters: { database: 'nosuch' }, sqlState: '3D000' },
  ])('that is wrong is refused as by PostgreSQL: $parameters', async ({ parameters, sqlState }) => {
    const { client, frames } = await logIn(parameters);
    const { client: direct, frames: refusal } = await loginDirectly(testPostgresUrl(), parameters);
    const fields = firstReport(frames);
    expect(essentialFields(fields)).toEqual(essentialFields(firstReport(refusal)));
    expect(fields).toMatchObject({ S: 'FATAL', C: sqlState });
    await client.closed();
    direct.destroy();
  });

  it('keeps the DETAIL of the refusal, with the session behind it', async () => {
    const { client, frames } = await logIn({ search_path: 'a b' });
    expect(firstReport(frames)['D']).toMatch(/^List syntax is invalid\. Session [0-9a-f-]{36}$/);
    client.destroy();
  });
});

describe('client_encoding', () => {
  it('is the one that the client asked for, in both directions', async () => {
    const { client, frames } = await logIn({ client_encoding: 'LATIN1' });
    expect(statusesOf(frames)).toMatchObject({
      client_encoding: 'LATIN1',
      server_encoding: 'UTF8',
    });
    expect(valueOf(await client.query('show client_encoding'))).toBe('LATIN1');
    expect(valueOf(await client.query(`select U&'caf\\00e9'`), 'latin1')).toBe('café');
    client.send(
      frontendFrame('Q', Buffer.from(`select length('é'), octet_length('é')\0`, 'latin1')),
    );
    const [, row] = await client.untilReady();
    // One character, which the server keeps in two bytes.
    expect(row?.bytes.toString('latin1', 7)).toBe('\0\0\0\x011\0\0\0\x012');
    client.destroy();
  });

  it.each(['UTF8', 'utf-8', "'utf-8'", 'unicode', 'SQL_ASCII', 'EUC_JP'])(
    'may be %s, as on a direct connection',
    async (encoding) => {
      const { client, frames } = await logIn({ client_encoding: encoding });
      const direct = await loginDirectly(testPostgresUrl(), { client_encoding: encoding });
      expect(firstReport(frames)['M']).toBe(firstReport(direct.frames)['M']);
      expect(statusesOf(frames)['client_encoding']).toBe(
        statusesOf(direct.frames)['client_encoding'],
      );
      client.destroy();
      direct.client.destroy();
    },
  );
});

describe('A replication connection', () => {
  it.each(['true', 'database', 'on', '1', 'yes', 'tru', 'Database', 'nonsense'])(
    'is refused: replication=%s',
    async (value) => {
      const { client, frames } = await logIn({ replication: value });
      expect(typesOf(frames)).toBe('E');
      expect(firstReport(frames)).toMatchObject({
        S: 'FATAL',
        C: '0A000',
        H: expect.stringContaining('directly'),
      });
      await client.closed();
    },
  );

  it.each(['false', 'off', '0', 'no'])('is not meant by replication=%s', async (value) => {
    const { client, frames } = await logIn({ replication: value });
    expect(typesOf(frames)).toMatch(/Z$/);
    client.destroy();
  });
});

describe('What the upstream says at the login', () => {
  it('has every ParameterStatus of a direct connection, application_name apart', async () => {
    const parameters = { DateStyle: 'SQL, DMY', TimeZone: 'Asia/Kathmandu' };
    const { client, frames } = await logIn(parameters);
    const direct = await loginDirectly(testPostgresUrl(), parameters);
    expect(statusesOf(frames)).toEqual({
      ...statusesOf(direct.frames),
      application_name: 'gatepost/@127.0.0.1',
    });
    expect(statusesOf(frames)).toMatchObject(parameters);
    client.destroy();
    direct.client.destroy();
  });

  it("has the upstream's own BackendKeyData", async () => {
    const { client, frames } = await logIn({ application_name: 'key-owner' });
    const { processId } = keyOf(frames);
    expect(valueOf(await client.query('select pg_backend_pid()'))).toBe(`${processId}`);
    const rows = await runDirectly(
      testPostgresUrl(),
      `select application_name from pg_stat_activity where pid = ${processId}`,
    );
    expect(rows).toEqual([{ application_name: 'gatepost/key-owner@127.0.0.1' }]);
    client.destroy();
  });
});

describe('The database', () => {
  let other: TestDatabase;

  beforeAll(async () => {
    other = await createTestDatabase();
  });

  afterAll(async () => {
    await other.drop();
  });

  it('is the one that the client names', async () => {
    const { client } = await logIn({ database: other.name });
    expect(valueOf(await client.query('select current_database()'))).toBe(other.name);
    client.destroy();
  });

  it.each<{ name: string; parameters: Parameters }>([
    { name: 'names none', parameters: { user: 'somebody' } },
    {
      name: 'names the user, as psql does',
      parameters: { user: 'somebody', database: 'somebody' },
    },
    { name: 'names an empty one', parameters: { database: '' } },
  ])("is the upstream's where the client $name", async ({ parameters }) => {
    const { client } = await logIn(parameters);
    const expected = new URL(testPostgresUrl()).pathname.slice(1);
    expect(valueOf(await client.query('select current_database()'))).toBe(expected);
    client.destroy();
  });

  it('that does not exist is an error without the upstream and its user', async () => {
    const { client, frames } = await logIn({ database: 'nosuch' });
    const text = JSON.stringify(reportFields(frames[0]));
    expect(text).toContain('database \\"nosuch\\" does not exist');
    expect(text).not.toContain(new URL(testPostgresUrl()).port);
    await client.closed();
  });
});
