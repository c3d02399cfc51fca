import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunning } from '../../src/os-process.ts';
import type { EmbeddedMongodbBench } from '../support/embedded-mongodb-bench.ts';
import { createEmbeddedMongodbBench } from '../support/embedded-mongodb-bench.ts';
import { untilFact } from '../support/facts.ts';
import { describeMongodb } from '../support/mongodb.ts';

const { signal } = new AbortController();

let bench: EmbeddedMongodbBench;

beforeEach(async () => {
  bench = await createEmbeddedMongodbBench();
});

afterEach(async () => {
  await bench.remove();
});

describeMongodb('An embedded MongoDB', () => {
  test('starts behind our back and keeps its data between runs', async () => {
    const first = bench.create();
    expect(() => first.uri()).toThrow('is not running: start it first');
    await first.start(signal);
    expect(() => first.uri()).toThrow('is not there yet (Opening its directory): try again');
    const uri = await first.untilRunning(signal);
    expect(first.uri()).toBe(uri);
    await writeInTransaction(uri);
    const pid = await bench.serverPid();
    await first.stop(signal);
    expect(await isRunning(pid)).toBe(false);
    expect(() => first.uri()).toThrow('is not running: start it first');
    expect(await readdir(path.join(bench.directory, 'mongodb'))).not.toContain('gatepost.pid');

    await first.start(signal);
    expect(await readKept(await first.untilRunning(signal))).toEqual([{ _id: 7 }]);
    expect(bench.messages('risk-noticed')).toEqual([]);
    expect(bench.messages('component-reported')).toEqual(
      Array.from({ length: 2 }, () =>
        expect.stringMatching(
          /MongoDB \d+\.\d+\.\d+ is running on 127.*data is kept in .*no user.*set MONGODB_URI/,
        ),
      ),
    );
  });

  test('keeps what is asked of it out of its log', async () => {
    const uri = await (await bench.run()).untilRunning(signal);
    await runSlowly(uri, 'secret');
    const log = await readFile(path.join(bench.directory, 'mongodb.log'), 'utf8');
    expect(log).toContain('Waiting for connections');
    expect(log).not.toContain('secret');
  });

  test('is refused to a second Gatepost, and noticed when its server is killed', async () => {
    const mongodb = await bench.run();
    const { child, said } = bench.startElsewhere();
    expect(await said).toContain(`Another Gatepost (process ${process.pid}) uses`);
    child.stdin.end();
    await once(child, 'close');

    process.kill(await bench.serverPid(), 'SIGKILL');
    await untilFact(() => bench.messages('risk-noticed').length > 0, 'the notice');
    const message = /ended by itself and stays down: restart Gatepost[^]*ended by SIGKILL/;
    expect(bench.messages('risk-noticed')[0]).toMatch(message);
    expect(() => mongodb.uri()).toThrow(message);
    await expect(mongodb.untilRunning(signal)).rejects.toThrow(message);
    expect(await readdir(path.join(bench.directory, 'mongodb'))).not.toContain('gatepost.pid');
  });

  test('is taken over, after a kill, from a Gatepost that has left its server', async () => {
    const { child, said } = bench.startElsewhere();
    await writeInTransaction(await said);
    const orphan = await bench.serverPid();
    // The whole process group, as a terminal does it: the server is not in it.
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await once(child, 'close');
    expect(await isRunning(orphan)).toBe(true);
    const mongodb = await bench.run();
    expect(await isRunning(orphan)).toBe(false);
    expect(await readKept(await mongodb.untilRunning(signal))).toEqual([{ _id: 7 }]);
  });

  test('stops at once when the deadline has passed, and recovers what was written', async () => {
    const mongodb = await bench.run();
    await writeInTransaction(await mongodb.untilRunning(signal));
    const pid = await bench.serverPid();
    await mongodb.stop(AbortSignal.abort());
    expect(await isRunning(pid)).toBe(false);
    await mongodb.start(signal);
    expect(await readKept(await mongodb.untilRunning(signal))).toEqual([{ _id: 7 }]);
  });

  test('says what the server complains of when it does not start', async () => {
    await mkdir(path.join(bench.directory, 'mongodb'), { recursive: true });
    await writeFile(path.join(bench.directory, 'mongodb/storage.bson'), 'no BSON at all');
    const mongodb = bench.create();
    await mongodb.start(signal);
    await expect(mongodb.untilRunning(signal)).rejects.toThrow(
      /does not start: .*set MONGODB_URI.*\nUnable to read the storage engine metadata file \{/,
    );
    expect(await readdir(path.join(bench.directory, 'mongodb'))).not.toContain('gatepost.pid');
  });

  test('leaves no process and no lock when it is stopped while it starts', async () => {
    const mongodb = bench.create();
    await mongodb.start(signal);
    const pid = await bench.serverPid();
    await mongodb.stop(signal);
    expect(await isRunning(pid)).toBe(false);
    expect(await readdir(path.join(bench.directory, 'mongodb'))).not.toContain('gatepost.pid');
    await expect(mongodb.untilRunning(signal)).rejects.toThrow('is not running: start it first');
    expect(bench.messages('risk-noticed')).toEqual([]);
  });

  test('stops waiting for it when the signal aborts', async () => {
    const mongodb = bench.create();
    await mongodb.start(signal);
    const reason = new Error('enough');
    await expect(mongodb.untilRunning(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('is not there, and says so, where its directory cannot be made', async () => {
    const file = path.join(bench.directory, '..', 'file');
    await writeFile(file, '');
    const mongodb = bench.create({ directory: path.join(file, 'data') });
    await mongodb.start(signal);
    await expect(mongodb.untilRunning(signal)).rejects.toThrow(/Cannot create .*file/);
    await expect(access(bench.directory)).rejects.toThrow();
  });
});

/** Takes a replica set: a single server has no transactions. */
async function writeInTransaction(uri: string): Promise<void> {
  const client = await MongoClient.connect(uri);
  try {
    await client.withSession(async (session) => {
      await session.withTransaction(async () => {
        await client
          .db('test')
          .collection<{ _id: number }>('kept')
          .insertOne({ _id: 7 }, { session });
      });
    });
  } finally {
    await client.close();
  }
}

/** The server would log what takes longer than a tenth of a second. */
async function runSlowly(uri: string, word: string): Promise<void> {
  const client = await MongoClient.connect(uri);
  try {
    const kept = client.db('test').collection('kept');
    await kept.insertOne({ word });
    await kept.find({ word, $where: 'sleep(150) || true' }).toArray();
  } finally {
    await client.close();
  }
}

async function readKept(uri: string): Promise<unknown[]> {
  const client = await MongoClient.connect(uri);
  try {
    return await client.db('test').collection('kept').find().toArray();
  } finally {
    await client.close();
  }
}
