// Statements of many callers over one client of MongoDB.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Long } from 'mongodb';
import { createMongoPool } from '../../src/backends/mongodb/mongo-pool.ts';
import type { ClosableMongoPool } from '../../src/backends/mongodb/mongo-pool.ts';
import { collectResult } from '../../src/backends/pool.ts';
import type { Access, MongoStatement, StatementRun } from '../../src/backends/pool.ts';
import type { Limits } from '../../src/config.ts';
import { ServiceError } from '../../src/errors.ts';
import { Guard } from '../../src/guardrails/guard.ts';
import { untilFact } from '../support/facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';

const LIMITS: Limits = {
  rowsMax: 1000,
  bytesMax: 1_000_000,
  queryTimeoutMs: 30_000,
  onLimit: 'error',
};

let database: TestMongodbDatabase;
let pool: ClosableMongoPool;

function createPool(uri: string): ClosableMongoPool {
  return createMongoPool({
    uri: () => uri,
    rules: {
      allow: [],
      deny: ['drop'],
      access: 'read-write',
      isJavaScriptAllowed: true,
      hiddenDatabase: 'gatepost_test_hidden',
    },
    pool: { connectionsMax: 2, idleTimeoutMs: 10_000, acquireTimeoutMs: 500 },
  });
}

interface Options {
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  readonly access?: Access;
  readonly databases?: readonly string[];
}

function runOf({ limits, signal, access = 'read-write', databases }: Options = {}): StatementRun {
  return {
    guard: new Guard({ ...LIMITS, ...limits }),
    signal: signal ?? new AbortController().signal,
    access,
    databases,
    label: 'POST /query id-of-request',
  };
}

async function ask(statement: MongoStatement | string, options?: Options): Promise<string[]> {
  const given =
    typeof statement === 'string' ? { text: statement, database: undefined } : statement;
  const { rows } = await collectResult(pool.query(given, runOf(options)));
  return rows.map(([value]) => value?.toString('utf8') ?? 'NULL');
}

interface Operation {
  readonly command: { readonly comment?: unknown };
}

/** Operations of the pool on the server, by a mark in their filter. */
async function running(mark: string): Promise<readonly Operation[]> {
  return await database.client
    .db('admin')
    .aggregate<Operation>([
      { $currentOp: { localOps: true } },
      { $match: { 'command.filter.mark.$ne': mark } },
    ])
    .toArray();
}

const slow = (mark: string): string =>
  `db.many.find({$where: "sleep(50) || true", mark: {$ne: "${mark}"}})`;

describeMongodb('The pool of MongoDB', () => {
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    const documents = Array.from({ length: 30 }, (_, index) => ({ _id: index }));
    await database.client
      .db(database.name)
      .collection<{ _id: number }>('many')
      .insertMany(documents);
    pool = createPool(database.uri);
  });

  afterAll(async () => {
    await pool.close();
    await database.drop();
  });

  it('runs the shell’s text, several statements too, and command documents', async () => {
    expect(await ask('db.many.find().limit(2)')).toEqual(['{"_id":0}', '{"_id":1}']);
    expect(await ask('db.many.countDocuments(); db.many.find({_id: 5})')).toEqual(['{"_id":5}']);
    const command = { find: 'many', filter: { _id: 7 }, limit: 1 };
    expect(await ask({ database: undefined, command })).toEqual(['{"_id":7}']);
  });

  it('runs in the database that is named, and not in a later caller’s', async () => {
    expect(await ask({ text: 'db.getName()', database: 'elsewhere' })).toEqual(['"elsewhere"']);
    await ask('use elsewhere');
    expect(await ask('db.getName()')).toEqual([JSON.stringify(database.name)]);
  });

  it('gives the decoded reply of one command', async () => {
    const reply = await pool.command(database.name, { count: 'many' }, runOf());
    expect(Number(reply['n'])).toBe(30);
  });

  it('throws what the server says, with its code', async () => {
    const insert = { insert: 'many', documents: [{ _id: 1 }] };
    await expect(pool.command(database.name, insert, runOf())).rejects.toMatchObject({
      name: 'ServiceError',
      sqlState: 'XX000',
      serverCode: 11_000,
    });
    await expect(ask('db.many.find({$nope: 1})')).rejects.toMatchObject({ serverCode: 2 });
    await expect(ask('db.many.fnd()')).rejects.toMatchObject({ sqlState: '0A000' });
    await expect(ask('select 1')).rejects.toMatchObject({ sqlState: '42601' });
  });

  it('keeps numbers exact in a reply', async () => {
    const longs = database.client.db(database.name).collection('longs');
    await longs.insertOne({ v: Long.fromString('9007199254740993') });
    const command = { findAndModify: 'longs', query: {}, update: { $set: { w: 1 } }, new: true };
    const reply = await pool.command(database.name, command, runOf());
    expect(String((reply['value'] as Record<string, unknown>)['v'])).toBe('9007199254740993');
  });

  it('never writes for a reader, and refuses what is on the lists', async () => {
    const reader = { access: 'read-only' } as const;
    await expect(ask('db.many.insertOne({})', reader)).rejects.toMatchObject({ sqlState: '25006' });
    const insert = { insert: 'many', documents: [{}] };
    await expect(pool.command(database.name, insert, runOf(reader))).rejects.toMatchObject({
      sqlState: '25006',
    });
    await expect(ask('db.many.drop()')).rejects.toMatchObject({ sqlState: '42501' });
    expect(await ask('db.many.countDocuments()')).toEqual(['30']);
  });

  it('meters and cuts as the wire does', async () => {
    await expect(ask('db.many.find()', { limits: { rowsMax: 29 } })).rejects.toMatchObject({
      sqlState: '54000',
    });
    const cut = { rowsMax: 29, onLimit: 'truncate' } as const;
    expect(await ask('db.many.find()', { limits: cut })).toHaveLength(29);
    expect(await ask('db.many.find()', { limits: { rowsMax: 30 } })).toHaveLength(30);
  });

  it('stops one statement on the server, whose comment says who asked', async () => {
    const stopper = new AbortController();
    const asked = ask(slow('pool'), { signal: stopper.signal });
    await untilFact(async () => (await running('pool')).length === 1, 'the statement');
    const [operation] = await running('pool');
    expect(operation?.command.comment).toMatch(/^gatepost:POST \/query id-of-request:/);
    stopper.abort(new ServiceError('57014', 'for a test'));
    await expect(asked).rejects.toMatchObject({ sqlState: '57014', message: 'for a test' });
    await untilFact(async () => (await running('pool')).length === 0, 'the end of it');
  });

  it('does not wait for ever where all connections are busy', async () => {
    const stopper = new AbortController();
    const { signal } = stopper;
    const busy = ['a', 'b'].map((mark) => ask(slow(mark), { signal }).catch(() => undefined));
    await untilFact(
      async () => (await running('a')).length + (await running('b')).length === 2,
      'both statements',
    );
    await expect(ask('db.many.findOne()')).rejects.toMatchObject({
      sqlState: '53300',
      hint: expect.stringContaining('MONGODB_POOL_MAX'),
    });
    stopper.abort(new ServiceError('57014', 'for a test'));
    await Promise.all(busy);
    expect(await ask('db.many.findOne()')).toEqual(['{"_id":0}']);
  });

  it('keeps each statement to the databases of its own run', async () => {
    const databases = [database.name, 'elsewhere'];
    for (const allowed of [databases, undefined]) {
      const run = allowed === undefined ? {} : { databases: allowed };
      expect(await ask('db.many.countDocuments({})', run)).toEqual(['30']);
    }
    const refused = { sqlState: '42501', hint: 'Its databases are elsewhere' };
    const away = { databases: ['elsewhere'] };
    const named = { text: 'db.many.find()', database: database.name };
    await expect(ask(named, away)).rejects.toMatchObject(refused);
    await expect(pool.command(database.name, { find: 'many' }, runOf(away))).rejects.toMatchObject(
      refused,
    );
    expect(await ask('db.getName()', away)).toEqual(['"elsewhere"']);
  });

  it('lists the databases of a run, and the hidden one for nobody', async () => {
    const hidden = database.client.db('gatepost_test_hidden');
    await hidden.collection('things').insertOne({});
    const list = { listDatabases: 1, nameOnly: true };
    const namesOf = async (run: StatementRun): Promise<string> =>
      JSON.stringify((await pool.command('admin', list, run))['databases']);
    expect(JSON.parse(await namesOf(runOf({ databases: [database.name] })))).toEqual([
      { name: database.name },
    ]);
    expect(await namesOf(runOf())).toContain(database.name);
    expect(await namesOf(runOf())).not.toContain('gatepost_test_hidden');
    const hiddenFind = pool.command('gatepost_test_hidden', { find: 'things' }, runOf());
    await expect(hiddenFind).rejects.toMatchObject({ sqlState: '42501' });
    await hidden.dropDatabase();
  });

  it.each(['a b', 'a.b', '', 'x'.repeat(64)])('refuses %j as a database', async (name) => {
    await expect(ask({ text: 'db.c.find()', database: name })).rejects.toMatchObject({
      sqlState: '3D000',
    });
  });
});

it('fails without hosts and credentials while MongoDB is down', async () => {
  const down = createPool('mongodb://u:s3cret@127.0.0.1:1/d?serverSelectionTimeoutMS=100');
  const asked = collectResult(down.query({ text: 'db.c.find()', database: undefined }, runOf()));
  await expect(asked).rejects.toMatchObject({ sqlState: '08006' });
  const again = collectResult(down.query({ text: 'db.c.find()', database: undefined }, runOf()));
  await expect(again).rejects.toMatchObject({ sqlState: '08006' });
  await down.close();
});
