// Documents a second over the wire, beside a script of the driver's that makes the same text:
// `node --import ./test/support/typescript.js test/bench/mongodb-documents.ts`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { BSON, MongoClient, ObjectId } from 'mongodb';
import { createEmbeddedMongodb } from '../../src/embedded/mongodb.ts';
import { startMongodbGate } from '../support/start-mongodb-gate.ts';
import { WireClient } from '../support/wire-client.ts';

const DOCUMENTS = 100_000;
const ROUNDS = 5;
const START_TIMEOUT_MS = 120_000;

/** Ten fields, about 240 bytes. */
function document(index: number): BSON.Document {
  return {
    _id: index,
    name: `user number ${index}`,
    age: index % 90,
    score: index / 7,
    isActive: index % 2 === 0,
    city: 'Some City Name',
    tags: ['a', 'b', 'c'],
    at: new Date(1_700_000_000_000 + index),
    ref: new ObjectId(),
    note: 'a longer text field that has about sixty characters in it',
  };
}

async function plant(client: MongoClient): Promise<void> {
  for (let start = 0; start < DOCUMENTS; start += 10_000) {
    const documents = Array.from({ length: 10_000 }, (_, index) => document(start + index));
    await client.db('bench').collection('items').insertMany(documents);
  }
}

/** Documents a second of the driver's own loop. */
async function measureDriver(client: MongoClient): Promise<number> {
  const startedAtMs = performance.now();
  let characters = 0;
  for await (const read of client.db('bench').collection('items').find()) {
    characters += BSON.EJSON.stringify(read).length;
  }
  return characters === 0 ? 0 : DOCUMENTS / ((performance.now() - startedAtMs) / 1000);
}

/** Documents a second as a client of the wire takes them. */
async function measureWire(port: number): Promise<number> {
  const client = await WireClient.login(port, { database: 'bench' });
  const startedAtMs = performance.now();
  const frames = await client.query('db.items.find()');
  const elapsedMs = performance.now() - startedAtMs;
  client.destroy();
  if (frames.length !== DOCUMENTS + 3) {
    throw new Error(`The answer has ${frames.length} frames`);
  }
  return DOCUMENTS / (elapsedMs / 1000);
}

const directory = await mkdtemp(path.join(tmpdir(), 'gatepost-bench-'));
const mongodb = createEmbeddedMongodb({
  directory,
  observer: { observe: () => undefined },
  programsDirectory: path.join(import.meta.dirname, '../../node_modules/.cache/gatepost'),
});
const signal = AbortSignal.timeout(START_TIMEOUT_MS);
try {
  await mongodb.start(signal);
  const uri = await mongodb.untilRunning(signal);
  const client = await new MongoClient(uri).connect();
  await plant(client);
  const gate = await startMongodbGate({ uri, limits: { rowsMax: 1e9, bytesMax: 1e12 } });
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const driver = await measureDriver(client);
    const wire = await measureWire(gate.port);
    ratios.push(wire / driver);
    const figures = `driver ${Math.round(driver)}/s, wire ${Math.round(wire)}/s`;
    process.stdout.write(`${figures}, ratio ${(wire / driver).toFixed(2)}\n`);
  }
  const median = ratios.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)] ?? 0;
  process.stdout.write(`median ratio ${median.toFixed(2)} (aim 1.5)\n`);
  await gate.stop(0);
  await client.close();
} finally {
  await mongodb.stop(AbortSignal.timeout(10_000));
  await rm(directory, { recursive: true, force: true });
}
