// A fault in one session ends that session with XX000 and nothing about the inside, is reported to
// the operator, and never reaches another session.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Backend, BackendSession } from '../../src/backends/backend.ts';
import { createPostgresBackend } from '../../src/backends/postgres/postgres-backend.ts';
import { frameTypes, splitFrames } from '../support/backend-frames.ts';
import { cancel } from '../support/cancels.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { gatepostSessions, runningStatements, untilFact, untilTrue } from '../support/facts.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import {
  frontendFrame,
  keyOf,
  queryFrame,
  reportFields,
  startupPacket,
  typesOf,
  WireClient,
} from '../support/wire-client.ts';

const SECRET = 'the inside of Gatepost';

const INTERNAL = {
  S: 'FATAL',
  C: 'XX000',
  M: 'Internal error in Gatepost',
  D: expect.stringMatching(/^Session [0-9a-f-]{36}$/),
};

let database: TestDatabase;
let real: Backend;
let gate: Gate;

beforeAll(async () => {
  database = await createTestDatabase();
  real = createPostgresBackend({
    name: 'postgres',
    dsn: database.url,
    guardrails: {
      limits: { rowsMax: 100, bytesMax: 10_000, queryTimeoutMs: 10_000, onLimit: 'error' },
      idleTimeoutMs: 60_000,
      access: 'read-write',
    },
  });
});

afterEach(async () => {
  await gate.stop();
  await untilTrue(database.url, gatepostSessions(0));
});

afterAll(async () => {
  await database.drop();
});

type Faults = Partial<Pick<BackendSession, 'execute' | 'cancel' | 'close'>>;

/** Starts a gate at which the sessions of the user `unlucky` have faults. */
async function startFaulty(
  faultsOf: (session: BackendSession) => Faults,
  open: Backend['open'] = async (...startup) => await real.open(...startup),
): Promise<void> {
  gate = await startGate({
    dsn: database.url,
    connectionsMax: 2,
    backend: {
      ...real,
      open: async (startup, frontend, signal) => {
        if (startup.user !== 'unlucky') {
          return await real.open(startup, frontend, signal);
        }
        const session = await open(startup, frontend, signal);
        const faults = faultsOf(session);
        return {
          cancelKey: session.cancelKey,
          parameters: session.parameters,
          notices: session.notices,
          execute: faults.execute ?? ((exchange) => session.execute(exchange)),
          cancel: faults.cancel ?? (async () => await session.cancel()),
          close: faults.close ?? (async () => await session.close()),
        };
      },
    },
  });
}

function fail(): never {
  throw new Error(SECRET);
}

/** Everything that an unlucky client is sent which asks this, until it is closed. */
async function wordsOfUnlucky(query: string): Promise<Buffer> {
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'unlucky' }), queryFrame(query));
  const words = await client.closed();
  expect(words.toString()).not.toContain(SECRET);
  return words;
}

/** The fields of the ErrorResponse that these bytes end with. */
function lastError(words: Buffer): Readonly<Record<string, string>> {
  const frame = splitFrames(words).at(-1) ?? Buffer.alloc(0);
  return reportFields({ type: frame.toString('latin1', 0, 1), bytes: frame });
}

/** Connections that came to nothing. */
function rejections(): unknown[] {
  return gate.observations.filter(({ kind }) => kind === 'connection-rejected');
}

/** Faults that the operator was told of. */
function faults(): unknown[] {
  return gate.observations.flatMap((one) => (one.kind === 'fault' ? [one.error] : []));
}

describe('A fault in one session', () => {
  it.each<{ name: string; faults: (session: BackendSession) => Faults; types: RegExp }>([
    {
      name: 'when a statement is given to the backend',
      faults: () => ({ execute: fail }),
      types: /ZE$/,
    },
    {
      name: 'before the first event',
      faults: () => ({
        execute: () => ({
          [Symbol.asyncIterator]: () => ({
            next: async () => await Promise.reject(new Error(SECRET)),
          }),
        }),
      }),
      types: /ZE$/,
    },
    {
      name: 'in the middle of an answer',
      faults: (session) => ({
        execute: async function* broken(exchange) {
          for await (const event of session.execute(exchange)) {
            yield event;
            fail();
          }
        },
      }),
      types: /ZTDCZE$/,
    },
  ])('ends it with XX000 and goes no further: $name', async ({ faults: faultsOf, types }) => {
    await startFaulty(faultsOf);
    const lucky = await WireClient.login(gate.port, { user: 'lucky' });
    await lucky.query('begin');
    const words = await wordsOfUnlucky('select 1');
    expect(frameTypes(words)).toMatch(types);
    expect(lastError(words)).toMatchObject(INTERNAL);
    expect(faults()).toMatchObject([{ message: SECRET }]);
    expect(gate.statements().at(-1)).toMatchObject({
      text: 'select 1',
      outcome: 'aborted',
      sqlState: 'XX000',
    });
    expect(typesOf(await lucky.query('select 1; commit'))).toBe('TDCCZ');
    await gate.observed((one) => one.kind === 'session-closed');
    expect(typesOf(await (await WireClient.login(gate.port)).query('select 1'))).toBe('TDCZ');
  });

  it('ends it with XX000 when it cannot even be opened', async () => {
    await startFaulty(() => ({}), fail);
    const lucky = await WireClient.login(gate.port, { user: 'lucky' });
    for (let round = 0; round < 3; round += 1) {
      expect(lastError(await wordsOfUnlucky('select 1'))).toMatchObject(INTERNAL);
      await untilFact(() => rejections().length > round, 'the place to be free');
    }
    expect(faults()).toMatchObject(Array.from({ length: 3 }, () => ({ message: SECRET })));
    expect(typesOf(await lucky.query('select 1'))).toBe('TDCZ');
  });

  it('leaves its place free when it cannot even be closed', async () => {
    await startFaulty((session) => ({
      close: async () => {
        await session.close();
        fail();
      },
    }));
    for (let round = 0; round < 3; round += 1) {
      const client = await WireClient.login(gate.port, { user: 'unlucky' });
      client.send(frontendFrame('X', ''));
      await client.closed();
      await untilFact(() => faults().length > round, 'the place to be free');
    }
    const lucky = [await WireClient.login(gate.port), await WireClient.login(gate.port)];
    expect(lucky).toHaveLength(2);
  });

  it('of its cancel closes the cancel, and nothing else', async () => {
    await startFaulty(() => ({ cancel: fail }));
    const client = await WireClient.open(gate.port);
    client.send(startupPacket({ user: 'unlucky' }));
    const key = keyOf(await client.untilReady());
    client.send(queryFrame('select pg_sleep(0.2)'));
    await untilTrue(database.url, runningStatements('select pg_sleep(0.2)', 1));
    expect(await cancel(gate.port, key)).toHaveLength(0);
    expect(typesOf(await client.untilReady())).toBe('TDCZ');
    expect(faults()).toMatchObject([{ message: SECRET }]);
  });
});

describe('A fault in an observer', () => {
  it('is nothing that a session notices', async () => {
    gate = await startGate({ dsn: database.url, observer: { observe: fail } });
    const client = await WireClient.login(gate.port);
    expect(typesOf(await client.query('select 1'))).toBe('TDCZ');
    expect(typesOf(await client.query('selekt 1'))).toBe('EZ');
    client.destroy();
    await gate.observed((one) => one.kind === 'session-closed');
    expect(faults()).not.toEqual([]);
  });
});
