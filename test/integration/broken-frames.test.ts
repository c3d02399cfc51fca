// Frames that are wrong after the login: what ends the session, and what costs one statement.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Observation } from '../../src/observation.ts';
import { createTestDatabase, runDirectly } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { destroyDirectClients, essentialFields, loginDirectly } from '../support/direct-client.ts';
import { gatepostSessions, untilTrue } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  framesOf,
  frontendFrame,
  int32,
  queryFrame,
  statusOf,
  typesOf,
  valueOf,
  WireClient,
} from '../support/wire-client.ts';

/** The longest frame that is read, type byte and length word included. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

let database: TestDatabase;
let gate: Gate;

beforeAll(async () => {
  database = await createTestDatabase();
  await runDirectly(database.url, 'create table item (id int)');
  gate = await startGate({ dsn: database.url });
});

afterAll(async () => {
  destroyDirectClients();
  await gate.stop();
  await database.drop();
});

function header(type: string, lengthWord: number): Buffer {
  return Buffer.concat([Buffer.from(type), int32(lengthWord)]);
}

describe('A frame that is not the protocol', () => {
  it.each([
    { name: 'an unknown type', frame: frontendFrame('z', '') },
    { name: 'a password after the login', frame: frontendFrame('p', 'secret\0') },
    { name: 'the type of a backend', frame: frontendFrame('T', '\0\0') },
    { name: 'a zero', frame: Buffer.alloc(5) },
  ])('($name) ends the session as on PostgreSQL', async ({ frame }) => {
    const client = await WireClient.login(gate.port);
    const { client: direct } = await loginDirectly(database.url);
    client.send(queryFrame('select 1'), frame, queryFrame('select 2'));
    direct.send(queryFrame('select 1'), frame, queryFrame('select 2'));
    const frames = framesOf(await client.closed());
    expect(typesOf(frames)).toBe('TDCZE');
    const fields = firstReport(frames);
    expect(fields).toMatchObject({ S: 'FATAL', C: '08P01' });
    expect(essentialFields(fields)).toEqual(
      essentialFields(firstReport(framesOf(await direct.closed()))),
    );
  });

  it.each([
    { name: 'a length of 0', frame: header('Q', 0) },
    { name: 'a length of 3', frame: header('Q', 3) },
    { name: 'a byte over 16 MiB', frame: header('Q', FRAME_BYTES_MAX) },
    { name: 'a byte over 16 MiB in another message', frame: header('d', FRAME_BYTES_MAX) },
    { name: 'a length of 2 GiB', frame: header('Q', 0x7fffffff) },
    { name: 'a length below zero', frame: header('Q', 0xffffffff) },
    { name: 'the smallest length below zero', frame: header('P', 0x80000000) },
  ])('($name) is refused on its header, before the body', async ({ frame }) => {
    const client = await WireClient.login(gate.port);
    client.send(frame);
    const frames = framesOf(await client.closed());
    expect(typesOf(frames)).toBe('E');
    expect(firstReport(frames)).toMatchObject({ S: 'FATAL', C: '08P01' });
  });

  it('is read to its end, so that the error reaches a client that goes on sending', async () => {
    const client = await WireClient.login(gate.port);
    client.send(header('Q', FRAME_BYTES_MAX), Buffer.alloc(1024 * 1024, 'x'));
    expect(firstReport(framesOf(await client.closed()))).toMatchObject({ C: '08P01' });
  });

  it('leaves no session at the upstream', async () => {
    await untilTrue(database.url, gatepostSessions(0));
  });
});

describe('A Query', () => {
  it('of exactly 16 MiB is run', async () => {
    const client = await WireClient.login(gate.port);
    const text = `select 42 --`.padEnd(FRAME_BYTES_MAX - 6, 'x');
    expect(queryFrame(text)).toHaveLength(FRAME_BYTES_MAX);
    expect(valueOf(await client.query(text))).toBe('42');
    client.destroy();
  });

  it.each([
    { name: 'without a terminator', body: 'insert into item values (1)' },
    { name: 'without a body', body: '' },
    { name: 'that goes on behind a NUL', body: 'insert into item values (1)\0; drop table item\0' },
    { name: 'with two terminators', body: 'insert into item values (1)\0\0' },
    { name: 'that is one NUL too long', body: '\0insert into item values (1)\0' },
  ])('$name is refused as by PostgreSQL, and nothing of it runs', async ({ body }) => {
    const client = await WireClient.login(gate.port);
    const { client: direct } = await loginDirectly(database.url);
    for (const before of ['select 1', 'begin']) {
      const status = statusOf(await client.query(before));
      await direct.query(before);
      client.send(frontendFrame('Q', body));
      direct.send(frontendFrame('Q', body));
      const frames = await client.untilReady();
      expect(typesOf(frames)).toBe('EZ');
      expect(essentialFields(firstReport(frames))).toEqual(
        essentialFields(firstReport(await direct.untilReady())),
      );
      expect(firstReport(frames)).toMatchObject({ S: 'ERROR', C: '08P01' });
      expect(statusOf(frames)).toBe(status);
    }
    expect(valueOf(await client.query('select count(*) from item'))).toBe('0');
    client.destroy();
    direct.destroy();
  });

  it('that hides text behind a NUL shows it all to the observers', async () => {
    const client = await WireClient.login(gate.port);
    client.send(frontendFrame('Q', 'select 1\0; drop table item\0'));
    await client.untilReady();
    const refused = gate.statements().at(-1);
    expect(refused).toMatchObject({ outcome: 'refused', sqlState: '08P01' });
    expect(refused?.text).toContain('drop table item');
    client.destroy();
  });
});

describe('A client that leaves', () => {
  async function closingOf(name: string): Promise<unknown> {
    const closed = await gate.observed(
      (one): one is SessionClosed =>
        one.kind === 'session-closed' && one.session.applicationName === name,
    );
    return closed.error;
  }

  it('without Terminate is no error', async () => {
    const client = await WireClient.login(gate.port, { application_name: 'silent' });
    client.end();
    expect(await client.closed()).toHaveLength(0);
    expect(await closingOf('silent')).toBeUndefined();
    await untilTrue(database.url, gatepostSessions(0));
  });

  it('with Terminate is no error, and what it sent before is answered', async () => {
    const client = await WireClient.login(gate.port, { application_name: 'polite' });
    client.send(queryFrame('select 1'), frontendFrame('X', ''), queryFrame('select 2'));
    expect(typesOf(framesOf(await client.closed()))).toBe('TDCZ');
    expect(await closingOf('polite')).toBeUndefined();
  });

  it('in the middle of a frame leaves nothing behind', async () => {
    const client = await WireClient.login(gate.port, { application_name: 'cut off' });
    client.send(queryFrame('select 1').subarray(0, 9));
    client.end();
    await client.closed();
    await closingOf('cut off');
    await untilTrue(database.url, gatepostSessions(0));
  });

  it('with open work has it rolled back', async () => {
    const client = await WireClient.login(gate.port, { application_name: 'unfinished' });
    await client.query('begin; insert into item values (1)');
    client.destroy();
    await closingOf('unfinished');
    await untilTrue(database.url, gatepostSessions(0));
    expect(await runDirectly(database.url, 'select * from item')).toEqual([]);
  });
});

type SessionClosed = Extract<Observation, { kind: 'session-closed' }>;
