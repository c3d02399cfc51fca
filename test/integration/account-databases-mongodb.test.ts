// An account that is restricted to some databases of MongoDB reaches no other, and nobody reaches
// Gatepost's own; whoever lists databases sees what is his.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { accountsFor, PASSWORD, texts, useAccountSessions } from '../support/account-sessions.ts';
import { createMemoryAccounts } from '../support/memory-accounts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import type { Gate } from '../support/start-gate.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import { firstReport, typesOf, valueOf } from '../support/wire-client.ts';

const { clientOf, refusalOf } = useAccountSessions();

describeMongodb('On MongoDB, restricted to databases', () => {
  let own: TestMongodbDatabase;
  let second: TestMongodbDatabase;
  let other: TestMongodbDatabase;
  let hidden: TestMongodbDatabase;
  let gate: Gate;

  beforeAll(async () => {
    [own, second, other, hidden] = await Promise.all([
      createTestMongodbDatabase(),
      createTestMongodbDatabase(),
      createTestMongodbDatabase(),
      createTestMongodbDatabase(),
    ]);
    for (const { client, name } of [own, second, other, hidden]) {
      await client.db(name).collection('things').insertOne({ name: 'kept', of: name });
    }
    gate = await startMongodbGate({
      uri: own.uri,
      accounts: await createMemoryAccounts([
        ...accountsFor([own.name, second.name]),
        { name: 'away', password: PASSWORD, databases: [second.name, other.name] },
        { name: other.name, password: PASSWORD, databases: [own.name, other.name] },
        { name: 'nowhere', password: PASSWORD, databases: [] },
      ]),
      rules: { hiddenDatabase: hidden.name },
    });
  });

  afterAll(async () => {
    await gate.stop();
    for (const one of [own, second, other, hidden]) {
      await one.drop();
    }
  });

  it('a session begins in what is its own, or in the first of it', async () => {
    expect(valueOf(await (await clientOf(gate, 'clerk')).query('db.getName()'))).toContain(
      own.name,
    );
    const away = await clientOf(gate, 'away');
    expect(valueOf(await away.query('db.getName()'))).toContain(second.name);
    const namesake = await clientOf(gate, other.name, { database: other.name });
    expect(valueOf(await namesake.query('db.getName()'))).toContain(other.name);
    expect(await refusalOf(gate, 'nowhere', {})).toMatchObject({ S: 'FATAL', C: '28000' });
    expect(await refusalOf(gate, 'clerk', { database: other.name })).toMatchObject({
      S: 'FATAL',
      C: '28000',
    });
    expect(await refusalOf(gate, 'everybody', { database: hidden.name })).toMatchObject({
      S: 'FATAL',
      C: '3D000',
    });
  });

  it('a restricted account uses its databases, whichever way it names them', async () => {
    const client = await clientOf(gate, 'clerk');
    const copy = `db.things.aggregate([{$out: {db: "${second.name}", coll: "copy"}}])`;
    for (const query of [
      'db.things.find()',
      `use ${second.name}; db.things.countDocuments()`,
      `use ${own.name}; ${copy}`,
      'db.things.renameCollection("moved"); db.moved.renameCollection("things")',
      'show collections; db.stats(); db.version(); db.hello()',
      `db.adminCommand({ping: 1})`,
    ]) {
      expect(firstReport(await client.query(query))).toEqual({});
    }
    expect(await second.client.db(second.name).collection('copy').countDocuments()).toBe(1);
  });

  it('reaches no other, reading or writing, in any way', async () => {
    const [found] = await other.client
      .db(other.name)
      .listCollections({}, { nameOnly: false })
      .toArray();
    const uuid = found?.info?.uuid?.toString() ?? '';
    expect(uuid).toMatch(/^[0-9a-f-]{36}$/);
    const statements = (name: string): string[] => [
      `use ${name}; db.things.find()`,
      `use ${name}; db.things.insertOne({a: 1})`,
      `use ${name}; show collections`,
      `use ${name}; db.dropDatabase()`,
      `db.getSiblingDB("${name}").things.find()`,
      `db.things.aggregate([{$out: {db: "${name}", coll: "copy"}}])`,
      `db.things.aggregate([{$merge: {into: {db: "${name}", coll: "copy"}}}])`,
      `db.things.aggregate([{$facet: {a: [{$lookup: {from: {db: "${name}", coll: "things"}}}]}}])`,
      `db.things.explain().aggregate([{$out: {db: "${name}", coll: "copy"}}])`,
      `db.createView("v", "things", [{$unionWith: {db: "${name}", coll: "things"}}])`,
      `db.adminCommand({renameCollection: "${own.name}.things", to: "${name}.things"})`,
      `db.adminCommand({renameCollection: "${name}.things", to: "${own.name}.stolen"})`,
      `db.adminCommand({applyOps: [{op: "i", ns: "${name}.things", o: {_id: 1}}]})`,
      `db.adminCommand({bulkWrite: 1, ops: [], nsInfo: [{ns: "${name}.things"}]})`,
      `{dataSize: "${name}.things"}`,
      `{explain: {find: "things", $db: "${name}"}}`,
    ];
    const clerk = await clientOf(gate, 'clerk');
    const everybody = await clientOf(gate, 'everybody');
    const attempts = [
      ...statements(other.name).map((text) => ({ client: clerk, text })),
      ...statements(hidden.name).map((text) => ({ client: clerk, text })),
      ...statements(hidden.name).map((text) => ({ client: everybody, text })),
    ];
    for (const { client, text } of attempts) {
      const frames = await client.query(text);
      expect(`${text}: ${typesOf(frames)}`).toBe(`${text}: EZ`);
      expect(firstReport(frames)['C']).toMatch(/^(42501|42601)$/);
    }
    const byUuid = await clerk.query(`db.runCommand({find: UUID("${uuid}")})`);
    expect(texts(byUuid)).toEqual([]);
    for (const { client, name } of [other, hidden]) {
      const collections = await client.db(name).listCollections({}, { nameOnly: true }).toArray();
      expect(collections.map((one) => one.name)).toEqual(['things']);
      expect(await client.db(name).collection('things').countDocuments()).toBe(1);
    }
  });

  it('a list of databases shows what may be used', async () => {
    const restricted = await clientOf(gate, 'clerk');
    const free = await clientOf(gate, 'everybody');
    const lists = ['show dbs', String.raw`db.adminCommand({listDatabases: 1, nameOnly: true})`];
    for (const list of lists) {
      const mine = texts(await restricted.query(list)).join(' ');
      expect(mine).toContain(own.name);
      expect(mine).toContain(second.name);
      expect(mine).not.toContain(other.name);
      const all = texts(await free.query(list)).join(' ');
      expect(all).toContain(other.name);
      expect(all).not.toContain(hidden.name);
      expect(mine).not.toContain(hidden.name);
    }
    const [filtered] = texts(
      await free.query(`db.adminCommand({listDatabases: 1, filter: {name: "${own.name}"}})`),
    );
    expect(filtered).toContain(own.name);
    expect(filtered).not.toContain(other.name);
  });

  it('the server shows the account of each session', async () => {
    const client = await clientOf(gate, 'clerk', { application_name: 'psql' });
    await client.query('db.things.findOne()');
    const mine = { appName: 'gatepost/clerk/psql@127.0.0.1' };
    const found = await own.client
      .db('admin')
      .aggregate([{ $currentOp: { idleConnections: true } }, { $match: mine }])
      .toArray();
    expect(found.length).toBeGreaterThan(0);
  });
});
