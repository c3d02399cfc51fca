// Many sessions at a time, on both databases, and documents of every type as they are stored.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Binary, BSON, BSONRegExp, Code, Decimal128, Double, Int32, Long } from 'mongodb';
import { MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import { CancelRegistry } from '../../wire/cancel-registry.ts';
import { testPostgresUrl } from '../support/databases.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { startupPacket, typesOf, WireClient } from '../support/wire-client.ts';

const SESSIONS = 100;

const EVERY_TYPE = [
  { _id: 'double', v: new Double(1) },
  { _id: 'negative zero', v: new Double(-0) },
  { _id: 'large double', v: new Double(2 ** 63) },
  { _id: 'nan', v: new Double(Number.NaN) },
  { _id: 'string', v: 'a "quoted" \\ \u0001 🐘' },
  { _id: 'document', v: { b: new Int32(1), a: new Int32(2) } },
  { _id: 'array', v: [new Int32(1), [new Int32(2)], {}] },
  { _id: 'binary', v: new Binary(Buffer.from([0, 255]), 0) },
  { _id: 'uuid', v: new Binary(Buffer.alloc(16, 7), 4) },
  { _id: 'objectId', v: new ObjectId('507f1f77bcf86cd799439011') },
  { _id: 'bool', v: true },
  { _id: 'date', v: new Date(-1) },
  { _id: 'far date', v: new Date(253_402_300_800_000) },
  { _id: 'null', v: null },
  { _id: 'regex', v: new BSONRegExp('^a/b', 'i') },
  { _id: 'code', v: new Code('return 1') },
  { _id: 'code with scope', v: new Code('x', { x: new Int32(1) }) },
  { _id: 'int', v: new Int32(-5) },
  { _id: 'timestamp', v: new Timestamp({ t: 5, i: 6 }) },
  { _id: 'small long', v: Long.fromNumber(5) },
  { _id: 'long', v: Long.fromString('9007199254740993') },
  { _id: 'decimal', v: Decimal128.fromString('1.10') },
  { _id: 'minKey', v: new MinKey() },
  { _id: 'maxKey', v: new MaxKey() },
];

let database: TestMongodbDatabase;
let gate: Gate;
let postgres: Gate;

describeMongodb('Sessions', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const cancels = new CancelRegistry();
    gate = await startMongodbGate({ uri: database.uri, cancels });
    postgres = await startGate({ dsn: testPostgresUrl(), cancels });
  });

  afterAll(async () => {
    await Promise.all([gate.stop(), postgres.stop()]);
    await database.drop();
  });

  it('of a hundred clients are served side by side, and one of PostgreSQL too', async () => {
    const clients = await Promise.all(
      Array.from({ length: SESSIONS }, async () => await WireClient.login(gate.port)),
    );
    const other = await WireClient.login(postgres.port);
    const answers = await Promise.all([
      ...clients.map(async (client, index) =>
        typesOf(await client.query(`db.runCommand({ping: ${index}}).ok`)),
      ),
      other.query('select 1').then(typesOf),
    ]);
    expect(new Set(answers)).toEqual(new Set(['TDCZ']));
    [...clients, other].forEach((client) => {
      client.destroy();
    });
  });

  it.each(['a.b', 'a b', 'x'.repeat(64)])('are refused in a database called %j', async (name) => {
    const client = await WireClient.open(gate.port);
    client.send(startupPacket({ user: 'tester', database: name }));
    const closed = await client.closed();
    expect(closed.toString()).toMatch(/FATAL.*C3D000.*no name of a MongoDB database/s);
  });

  it('are observed in the database that they are in', async () => {
    const client = await WireClient.login(gate.port, { user: 'tester' });
    await client.query('db.getName()');
    await client.query('use elsewhere');
    await client.query('db.getName()');
    const databases = gate
      .statements()
      .slice(-3)
      .map(({ session }) => session.database);
    expect(databases).toEqual([database.name, 'elsewhere', 'elsewhere']);
    client.destroy();
  });

  it('read every type so that the same BSON comes back', async () => {
    const types = database.client
      .db(database.name)
      .collection<{ _id: string; v: unknown }>('types');
    await types.insertMany(EVERY_TYPE.map((document) => ({ ...document })));
    const client = await WireClient.login(gate.port);
    const frames = await client.query('db.types.find()');
    const rows = frames
      .filter(({ type }) => type === 'D')
      .map(({ bytes }) => bytes.subarray(11).toString('utf8'));
    const wanted = EVERY_TYPE.map((document) =>
      Buffer.from(BSON.serialize(document)).toString('hex'),
    );
    const read = rows.map((row) => {
      // Rows of this collection are documents.
      const document = BSON.EJSON.parse(row, { relaxed: false }) as BSON.Document;
      return Buffer.from(BSON.serialize(document)).toString('hex');
    });
    expect(read).toEqual(wanted);
    client.destroy();
  });
});
