// With access = read-only nothing is written, not even for a superuser, whatever the text.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runPsql } from '../support/psql.ts';
import { BYPASS_CORPUS, STARTUP_ESCAPES } from '../support/read-only-corpus.ts';
import { HARMLESS_CORPUS, READ_ONLY_COMMANDS } from '../support/read-only-harmless.ts';
import { createReadOnlyStage } from '../support/read-only-stage.ts';
import type { ReadOnlyStage } from '../support/read-only-stage.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  queryFrame,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

let stage: ReadOnlyStage;
let gate: Gate;

beforeAll(async () => {
  stage = await createReadOnlyStage();
  gate = await startGate({ dsn: stage.database.url, rules: { access: 'read-only' } });
});

afterAll(async () => {
  await gate.stop();
  await stage.close();
});

describe('Read-only access', () => {
  it.each(BYPASS_CORPUS.map((queries) => [queries]))('is not bypassed by %j', async (queries) => {
    const before = await stage.state();
    const client = await WireClient.login(gate.port);
    const answers = [];
    for (const query of queries) {
      answers.push(typesOf(await client.query(query)));
    }
    expect(answers.join()).toContain('E');
    expect(await stage.state()).toEqual(before);
    client.destroy();
  });
});

describe('Read-only access is the same for every client', () => {
  it.each([...STARTUP_ESCAPES])('that comes with %j', async (parameters) => {
    const before = await stage.state();
    const client = await WireClient.open(gate.port);
    client.send(
      startupPacket({ user: 'tester', ...parameters }),
      queryFrame('select writes()'),
      frontendFrame('X', ''),
    );
    const words = (await client.closed()).toString('latin1');
    expect(words).toMatch(/C25006\0|SFATAL\0/);
    expect(await stage.state()).toEqual(before);
  });
});

describe('Settings that change how a text is read do not hide a write', () => {
  const insert = Buffer.from('; insert into canary values (9); --');

  it.each([
    { name: 'SET', setting: 'set standard_conforming_strings = off', startup: {} },
    {
      name: 'the startup packet',
      setting: 'select 1',
      startup: { options: '-c standard_conforming_strings=off' },
    },
  ])('in a string with a backslash: by $name', async ({ setting, startup }) => {
    const client = await WireClient.login(gate.port, startup);
    expect(typesOf(await client.query(setting))).toMatch(/CZ$|CSZ$/);
    const before = await stage.state();
    const frames = await client.query(String.raw`select '\'${insert.toString()}'`);
    expect(firstReport(frames)).toMatchObject({ S: 'ERROR', C: '0A000' });
    expect(await stage.state()).toEqual(before);
    client.destroy();
  });

  it.each([
    { encoding: 'SJIS', letter: [0x81, 0x5c] },
    { encoding: 'GBK', letter: [0x81, 0x5c] },
    { encoding: 'BIG5', letter: [0xa1, 0x5c] },
    { encoding: 'UHC', letter: [0x81, 0x5c] },
    { encoding: 'GB18030', letter: [0x81, 0x5c] },
    { encoding: 'LATIN1', letter: [0xe9, 0x27] },
  ])('in a letter of $encoding', async ({ encoding, letter }) => {
    const startup = { client_encoding: encoding };
    const [set, asked] = [
      await WireClient.login(gate.port),
      await WireClient.login(gate.port, startup),
    ];
    await set.query(`set client_encoding = '${encoding}'`);
    const before = await stage.state();
    const hidden = Buffer.concat([
      Buffer.from(`select E'`),
      Buffer.from(letter),
      Buffer.from(`'`),
      insert,
      Buffer.from(`'\0`),
    ]);
    for (const client of [set, asked]) {
      client.send(frontendFrame('Q', hidden));
      expect(firstReport(await client.untilReady())).toMatchObject({ S: 'ERROR', C: '0A000' });
      expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
      client.destroy();
    }
    expect(await stage.state()).toEqual(before);
  });
});

describe('Read-only access lets through', () => {
  it.each(HARMLESS_CORPUS)('%s', async (query) => {
    const client = await WireClient.login(gate.port);
    const frames = await client.query(query);
    expect(firstReport(frames)).toEqual({});
    client.destroy();
  });

  it.each([...READ_ONLY_COMMANDS])(
    'psql %s, with the same answer as on a direct connection',
    async (command) => {
      const args = ['-c', command];
      const through = await runPsql({ url: `${gate.url}&dbname=${stage.database.name}`, args });
      expect(through).toEqual(await runPsql({ url: stage.database.url, args }));
    },
  );
});
