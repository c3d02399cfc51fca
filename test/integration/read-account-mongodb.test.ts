// An account of scope `read` writes nothing to MongoDB, on a listener where others write.
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import { MONGO_BYPASS_CORPUS, MONGO_HARMLESS_CORPUS } from '../support/mongo-read-only-corpus.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, typesOf, valueOf } from '../support/wire-client.ts';
import type { WireClient } from '../support/wire-client.ts';
import { logIn } from '../support/wire-login.ts';

const PASSWORD = 'correct horse';

let database: TestMongodbDatabase;
let gate: Gate;
const clients: WireClient[] = [];

/** What the database looks like, past Gatepost. */
async function state(): Promise<unknown> {
  const db = database.client.db(database.name);
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  // The rest of the reply is the time of a server that others use as well.
  const profile = Object.entries(await db.command({ profile: -1 }));
  return {
    collections: collections.map(({ name }) => name).sort(),
    canary: await db.collection('canary').find().sort({ _id: 1 }).toArray(),
    indexes: await db.collection('canary').indexes(),
    profile: profile.filter(([name]) => ['was', 'slowms', 'sampleRate'].includes(name)),
    users: (await db.command({ usersInfo: 1 }))['users'] as unknown,
    elsewhere: await database.client.db('elsewhere').listCollections().toArray(),
  };
}

async function clientOf(user: string): Promise<WireClient> {
  const { client, frames } = await logIn(gate.port, { user, password: PASSWORD });
  expect(typesOf(frames)).toMatch(/Z$/);
  clients.push(client);
  return client;
}

describeMongodb('A read account on MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    await database.client
      .db(database.name)
      .collection<{ _id: number; name: string }>('canary')
      .insertMany([
        { _id: 1, name: 'ann' },
        { _id: 2, name: 'bob' },
      ]);
    const accounts = await createMemoryAccounts([
      { name: 'reader', password: PASSWORD, scope: 'read' },
      { name: 'writer', password: PASSWORD, scope: 'write' },
    ]);
    gate = await startMongodbGate({ uri: database.uri, accounts });
  });

  afterEach(() => {
    for (const client of clients.splice(0)) {
      client.destroy();
    }
  });

  afterAll(async () => {
    await gate.stop();
    await database.drop();
  });

  it.each(MONGO_BYPASS_CORPUS)('changes nothing by %s', async (text) => {
    const before = await state();
    const client = await clientOf('reader');
    const frames = await client.query(text.replaceAll('x.', `${database.name}.`));
    expect(typesOf(frames)).toMatch(/^EZ$/);
    expect(firstReport(frames)['C']).toMatch(/^(25006|42501|42601|0A000)$/);
    expect(await state()).toEqual(before);
  });

  it.each(MONGO_HARMLESS_CORPUS)('may %s', async (text) => {
    expect(firstReport(await (await clientOf('reader')).query(text))).toEqual({});
  });

  it('is told that it is the account that cannot, and what its session is', async () => {
    const client = await clientOf('reader');
    expect(firstReport(await client.query('db.canary.drop()'))).toMatchObject({
      C: '25006',
      H: 'Set by WIRE_ACCESS or access of the listener, or by the scope of the account',
    });
    expect(valueOf(await client.query('show default_transaction_read_only'))).toBe('on');
  });

  it('is not in the way of one who may write, on the same listener at the same time', async () => {
    const reader = await clientOf('reader');
    const writer = await clientOf('writer');
    for (const text of ['db.canary.insertOne({_id: 9})', 'db.canary.deleteOne({_id: 9})']) {
      expect(firstReport(await writer.query(text))).toEqual({});
      expect(firstReport(await reader.query(text))).toMatchObject({ C: '25006' });
    }
    expect(valueOf(await writer.query('show default_transaction_read_only'))).toBe('off');
  });
});
