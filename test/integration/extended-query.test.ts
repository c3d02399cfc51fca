// The extended query protocol is refused with one error, and the session goes on behind Sync.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { testPostgresUrl } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  firstReport,
  frontendFrame,
  queryFrame,
  statusOf,
  typesOf,
  valueOf,
  WireClient,
} from '../support/wire-client.ts';

const PARSE = frontendFrame('P', '\0select 1\0\0\0');
const BIND = frontendFrame('B', '\0\0\0\0\0\0\0\0');
const DESCRIBE = frontendFrame('D', 'P\0');
const EXECUTE = frontendFrame('E', '\0\0\0\0\0');
const CLOSE = frontendFrame('C', 'P\0');
const FLUSH = frontendFrame('H', '');
const SYNC = frontendFrame('S', '');

let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
});

afterAll(async () => {
  await gate.stop();
});

beforeEach(async () => {
  client = await WireClient.login(gate.port);
});

afterEach(() => {
  client.destroy();
});

async function expectUsable(): Promise<void> {
  expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
}

describe('A message of the extended query protocol', () => {
  it.each([
    { name: 'Parse', frame: PARSE },
    { name: 'Bind', frame: BIND },
    { name: 'Describe', frame: DESCRIBE },
    { name: 'Execute', frame: EXECUTE },
    { name: 'Close', frame: CLOSE },
    { name: 'Flush', frame: FLUSH },
    { name: 'Parse with nonsense in it', frame: frontendFrame('P', Buffer.from([1, 2, 3])) },
  ])('($name) is answered with one error that says what to do', async ({ frame }) => {
    client.send(frame, SYNC);
    const frames = await client.untilReady();
    expect(typesOf(frames)).toBe('EZ');
    expect(statusOf(frames)).toBe('I');
    expect(firstReport(frames)).toMatchObject({
      S: 'ERROR',
      C: '0A000',
      M: 'The extended query protocol is not supported through Gatepost',
      H: expect.stringMatching(/^Send statements without parameters, or /),
    });
    await expectUsable();
  });

  it('is answered at once, before any Sync', async () => {
    client.send(PARSE);
    expect((await client.frame()).type).toBe('E');
  });

  it('with all the others of a round gets one error and one ReadyForQuery', async () => {
    client.send(PARSE, BIND, DESCRIBE, EXECUTE, CLOSE, FLUSH, SYNC);
    expect(typesOf(await client.untilReady())).toBe('EZ');
    client.send(PARSE, DESCRIBE, FLUSH, BIND, EXECUTE, SYNC);
    expect(typesOf(await client.untilReady())).toBe('EZ');
    await expectUsable();
  });

  it('makes a Query before Sync stay unanswered and unrun', async () => {
    client.send(PARSE, queryFrame('create table if_this_ran ()'), queryFrame('select 2'), SYNC);
    expect(typesOf(await client.untilReady())).toBe('EZ');
    expect(valueOf(await client.query(`select to_regclass('if_this_ran') is null`))).toBe('t');
    const texts = gate.statements().map(({ text }) => text);
    expect(texts).not.toContain('create table if_this_ran ()');
  });

  it('gets one error a round, whatever the number of rounds sent at once', async () => {
    const rounds = 100;
    for (let round = 0; round < rounds; round += 1) {
      client.send(PARSE, BIND, EXECUTE, SYNC, queryFrame(`select ${round}`));
    }
    for (let round = 0; round < rounds; round += 1) {
      expect(typesOf(await client.untilReady())).toBe('EZ');
      expect(valueOf(await client.untilReady())).toBe(`${round}`);
    }
  });

  it('leaves a transaction as it was', async () => {
    await client.query('begin; create temporary table kept (n int); insert into kept values (7)');
    client.send(PARSE, BIND, EXECUTE, SYNC);
    const frames = await client.untilReady();
    expect(typesOf(frames)).toBe('EZ');
    expect(statusOf(frames)).toBe('T');
    expect(statusOf(await client.query('commit'))).toBe('I');
    expect(valueOf(await client.query('select n from kept'))).toBe('7');
  });

  it('leaves a failed transaction failed', async () => {
    await client.query('begin; select 1/0');
    client.send(PARSE, SYNC);
    expect(statusOf(await client.untilReady())).toBe('E');
    expect(statusOf(await client.query('rollback'))).toBe('I');
  });

  it('does not keep a client from leaving', async () => {
    client.send(PARSE, frontendFrame('X', ''));
    await client.until('E');
    await client.closed();
  });

  it('is observed as refused', async () => {
    const before = gate.statements().length;
    client.send(PARSE, BIND, SYNC);
    await client.untilReady();
    expect(gate.statements().slice(before)).toMatchObject([
      { outcome: 'refused', sqlState: '0A000', rows: 0 },
    ]);
  });
});

describe('Sync', () => {
  it('alone is answered with ReadyForQuery alone', async () => {
    client.send(SYNC);
    expect(typesOf(await client.untilReady())).toBe('Z');
    client.send(SYNC, SYNC);
    expect(typesOf([...(await client.untilReady()), ...(await client.untilReady())])).toBe('ZZ');
    await expectUsable();
  });

  it('tells the transaction status', async () => {
    await client.query('begin');
    client.send(SYNC);
    expect(statusOf(await client.untilReady())).toBe('T');
  });
});

describe('FunctionCall', () => {
  it.each(['select 1', 'begin', 'begin; select 1/0'])(
    'is answered with one error and the true status (after %s)',
    async (before) => {
      const status = statusOf(await client.query(before));
      client.send(frontendFrame('F', Buffer.from('000004d200000000000000', 'hex')));
      const frames = await client.untilReady();
      expect(typesOf(frames)).toBe('EZ');
      expect(firstReport(frames)).toMatchObject({
        S: 'ERROR',
        C: '0A000',
        H: expect.stringContaining('SELECT'),
      });
      expect(statusOf(frames)).toBe(status);
      expect(statusOf(await client.query('rollback'))).toBe('I');
    },
  );
});

describe('Clients that speak it', () => {
  it('(node pg with parameters) are refused and go on', async () => {
    const driver = new pg.Client(`postgresql://tester@127.0.0.1:${gate.port}/postgres`);
    await driver.connect();
    const refused = driver.query('select $1::int as n', [1]);
    await expect(refused).rejects.toMatchObject({ code: '0A000' });
    expect((await driver.query('select 2 as n')).rows).toEqual([{ n: 2 }]);
    await driver.query('begin');
    const named = driver.query({ name: 'named', text: 'select $1::int as n', values: [1] });
    await expect(named).rejects.toMatchObject({
      code: '0A000',
      hint: expect.stringContaining('simple query mode'),
    });
    expect((await driver.query('select 3 as n')).rows).toEqual([{ n: 3 }]);
    await driver.query('commit');
    await driver.end();
  });

  it(String.raw`(psql \gdesc) are refused and go on`, async () => {
    const url = `postgresql://tester@127.0.0.1:${gate.port}/postgres`;
    const input = 'select 1 as n \\gdesc\nselect 40 + 2;\n';
    const { stdout, stderr, exitCode } = await runPsql({ url, args: ['-At'], input });
    expect(stderr).toMatch(/ERROR: {2}The extended query protocol is not supported.*HINT: /s);
    expect(stdout).toBe('42');
    expect(exitCode).toBe(0);
  });
});
