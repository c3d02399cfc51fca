// An account of scope `read` writes nothing, on a listener where others write, whatever the text.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import { runPsql } from '../support/psql.ts';
import { BYPASS_CORPUS, STARTUP_ESCAPES } from '../support/read-only-corpus.ts';
import { HARMLESS_CORPUS, READ_ONLY_COMMANDS } from '../support/read-only-harmless.ts';
import { createReadOnlyStage } from '../support/read-only-stage.ts';
import type { ReadOnlyStage } from '../support/read-only-stage.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, typesOf, valueOf } from '../support/wire-client.ts';
import type { WireClient } from '../support/wire-client.ts';
import { logIn } from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

let stage: ReadOnlyStage;
let gate: Gate;
const clients: WireClient[] = [];

beforeAll(async () => {
  stage = await createReadOnlyStage();
  const accounts = await createMemoryAccounts([
    { name: 'reader', password: PASSWORD, scope: 'read' },
    { name: 'writer', password: PASSWORD, scope: 'write' },
    { name: 'admin', password: PASSWORD, scope: 'admin' },
  ]);
  gate = await startGate({ dsn: stage.database.url, accounts });
});

afterEach(() => {
  for (const client of clients.splice(0)) {
    client.destroy();
  }
});

afterAll(async () => {
  await gate.stop();
  await stage.close();
});

async function clientOf(user: string): Promise<WireClient> {
  const { client, frames } = await logIn(gate.port, { user, password: PASSWORD });
  expect(typesOf(frames)).toMatch(/Z$/);
  clients.push(client);
  return client;
}

describe('A read account', () => {
  it.each(BYPASS_CORPUS.map((queries) => [queries]))('changes nothing by %j', async (queries) => {
    const before = await stage.state();
    const client = await clientOf('reader');
    const answers = [];
    for (const query of queries) {
      answers.push(typesOf(await client.query(query)));
    }
    expect(answers.join()).toContain('E');
    expect(await stage.state()).toEqual(before);
  });

  it.each([...STARTUP_ESCAPES])('changes nothing when it comes with %j', async (parameters) => {
    const before = await stage.state();
    const login = { user: 'reader', password: PASSWORD };
    const { client, frames } = await logIn(gate.port, login, parameters);
    clients.push(client);
    if (frames.at(-1)?.type === 'Z') {
      expect(firstReport(await client.query('select writes()'))).toMatchObject({ C: '25006' });
    } else {
      expect(firstReport(frames)).toMatchObject({ S: 'FATAL' });
    }
    expect(await stage.state()).toEqual(before);
  });

  it.each(HARMLESS_CORPUS)('may %s', async (query) => {
    expect(firstReport(await (await clientOf('reader')).query(query))).toEqual({});
  });

  it.each(READ_ONLY_COMMANDS)('has the answer of the server for psql %s', async (command) => {
    const args = ['-c', command];
    const { port } = gate;
    const url = `postgresql://reader:correct%20horse@127.0.0.1:${port}/${stage.database.name}`;
    expect(await runPsql({ url, args })).toEqual(await runPsql({ url: stage.database.url, args }));
  });

  it('is told that it is the account that cannot, in the server and in front of it', async () => {
    const client = await clientOf('reader');
    expect(firstReport(await client.query('insert into canary values (9)'))).toMatchObject({
      C: '25006',
      H: 'Set by WIRE_ACCESS or access of the listener, or by the scope of the account',
    });
    const frames = await client.query('show default_transaction_read_only');
    expect(valueOf(frames)).toBe('on');
  });
});

describe('Beside a read account', () => {
  it.each(['writer', 'admin'])(
    '%s may write, on the same listener at the same time',
    async (user) => {
      const reader = await clientOf('reader');
      const client = await clientOf(user);
      for (const query of ['insert into canary values (9)', 'delete from canary where id = 9']) {
        expect(firstReport(await client.query(query))).toEqual({});
        expect(firstReport(await reader.query(query))).toMatchObject({ C: '25006' });
      }
      expect(valueOf(await client.query('show default_transaction_read_only'))).toBe('off');
    },
  );

  it('nobody writes where the listener is read-only, whatever the scope', async () => {
    const accounts = await createMemoryAccounts([
      { name: 'admin', password: PASSWORD, scope: 'admin' },
    ]);
    const strict = await startGate({
      dsn: stage.database.url,
      accounts,
      rules: { access: 'read-only' },
    });
    const { client } = await logIn(strict.port, { user: 'admin', password: PASSWORD });
    clients.push(client);
    for (const query of ['select writes()', 'insert into canary values (9)']) {
      expect(firstReport(await client.query(query))).toMatchObject({ C: '25006' });
    }
    await strict.stop();
  });
});
