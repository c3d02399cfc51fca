// Messages a second through the MongoDB sink and source, beside plain loops that do the same with
// the same driver, in turns: `node --import ./test/support/typescript.js test/bench/connectors.ts`.
// Needs a build (npm run build) and an Iggy (IGGY_SERVER or TEST_IGGY_URL).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { BSON, Long, MongoClient, ObjectId } from 'mongodb';
import { IggyClient } from '../../src/connectors/iggy-client.ts';
import type { OutgoingMessage } from '../../src/connectors/iggy-messages.ts';
import { createEmbeddedMongodb } from '../../src/embedded/mongodb.ts';
import { newStreamName, startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { startConnectors } from '../support/start-connectors.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const MESSAGES = Number(process.env['BENCH_MESSAGES'] ?? 300_000);

/** So many pass before the clock starts: the plain loops run in a process that is warm already. */
const WARM_UP = MESSAGES / 5;

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const BATCH = 1000;
const LOOK_EVERY_MS = 10;
const START_TIMEOUT_MS = 120_000;
const NEVER = new AbortController().signal;

/** Six fields, about 150 bytes of JSON. */
function order(index: number): Record<string, unknown> {
  return {
    number: index,
    name: `customer number ${index}`,
    total: index / 7,
    isPaid: index % 2 === 0,
    tags: ['a', 'b', 'c'],
    note: 'a text field that has about forty signs',
  };
}

interface Places {
  readonly iggy: TestIggy;
  readonly client: IggyClient;
  readonly mongodb: MongoClient;
  readonly uri: string;
  readonly stream: string;
}

function parse(text: string): unknown {
  return JSON.parse(text);
}

/** What a plain script does: documents of the sink's form, a thousand at a time. */
async function measureInsertMany({ mongodb }: Places): Promise<number> {
  const collection = mongodb.db('bench').collection<{ _id: string }>('plain');
  await collection.deleteMany({});
  const payloads = Array.from({ length: MESSAGES }, (_, index) => JSON.stringify(order(index)));
  const startedAtMs = performance.now();
  for (let start = 0; start < MESSAGES; start += BATCH) {
    const documents = payloads.slice(start, start + BATCH).map((payload, index) => ({
      _id: String(start + index + 1),
      iggy_offset: Long.fromNumber(start + index),
      iggy_timestamp: new Date(),
      iggy_stream: 'bench',
      iggy_topic: 'orders',
      iggy_partition_id: 0,
      iggy_checksum: Long.fromNumber(index),
      iggy_origin_timestamp: new Date(),
      payload: parse(payload),
    }));
    await collection.insertMany(documents, { ordered: false, writeConcern: { w: 'majority' } });
  }
  return perSecond(startedAtMs);
}

async function measureSink(places: Places, round: number): Promise<number> {
  const { mongodb, uri, stream, iggy } = places;
  const collection = mongodb.db('bench').collection(`sink${round}`);
  const file = `
type = "sink"
key = "bench"
enabled = true
name = "bench"

[[streams]]
stream = "${stream}"
topics = ["orders"]
batch_length = ${BATCH}
consumer_group = "bench-${round}"

[plugin_config]
connection_uri = "${uri}"
database = "bench"
collection = "sink${round}"
batch_size = ${BATCH}
payload_format = "json"
`;
  const count = async (): Promise<number> => await collection.estimatedDocumentCount();
  const figure = await runConnector(iggy, file, async () => await measureGrowth(count));
  await collection.drop();
  return figure;
}

/** What a plain script does: pages of a thousand by their _id, and a send of each. */
async function measureFindAndSend(
  { mongodb, client, stream }: Places,
  round: number,
): Promise<number> {
  const topic = `plain${round}`;
  await client.createTopic({ stream, topic, partitionsCount: 1 }, NEVER);
  const collection = mongodb.db('bench').collection('orders');
  const startedAtMs = performance.now();
  let last: ObjectId | undefined;
  for (;;) {
    const filter = last === undefined ? {} : { _id: { $gt: last } };
    const documents = await collection.find(filter).sort({ _id: 1 }).limit(BATCH).toArray();
    if (documents.length === 0) {
      return perSecond(startedAtMs);
    }
    last = documents.at(-1)?._id;
    const messages = documents.map((document, index): OutgoingMessage => ({
      id: BigInt(index + 1),
      payload: Buffer.from(BSON.EJSON.stringify(document)),
    }));
    await client.send(
      { stream, topic, partitioning: { kind: 'partition', partitionId: 0 }, messages },
      NEVER,
    );
  }
}

async function measureSource(places: Places, round: number): Promise<number> {
  const { iggy, client, stream, uri } = places;
  const topic = `source${round}`;
  await client.createTopic({ stream, topic, partitionsCount: 1 }, NEVER);
  const file = `
type = "source"
key = "bench"
enabled = true
name = "bench"

[[streams]]
stream = "${stream}"
topic = "${topic}"

[plugin_config]
connection_uri = "${uri}"
database = "bench"
collection = "orders"
batch_size = ${BATCH}
poll_interval = "1s"
`;
  const count = async (): Promise<number> => await countMessages(client, { stream, topic });
  return await runConnector(iggy, file, async () => await measureGrowth(count));
}

async function countMessages(
  client: IggyClient,
  place: { stream: string; topic: string },
): Promise<number> {
  const details = await client.topic(place, NEVER);
  const counts = details?.partitions.map(({ messagesCount }) => Number(messagesCount)) ?? [];
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Runs the connector in a directory of its own while something is measured. */
async function runConnector<T>(
  iggy: TestIggy,
  file: string,
  measure: () => Promise<T>,
): Promise<T> {
  const directory = await createTemporaryDirectory();
  const service = await startConnectors({
    iggy,
    directory: directory.path,
    connectors: { 'bench.toml': file },
  });
  try {
    return await measure();
  } finally {
    await service.stop();
    await directory.remove();
  }
}

/** From the first look that finds the warm-up done to the one that finds all. */
async function measureGrowth(count: () => Promise<number>): Promise<number> {
  let [startedAtMs, first] = [0, 0];
  for (;;) {
    const found = await count();
    if (found >= WARM_UP && first === 0) {
      [startedAtMs, first] = [performance.now(), found];
    }
    if (found >= MESSAGES) {
      return ((MESSAGES - first) / (performance.now() - startedAtMs)) * 1000;
    }
    await pause(LOOK_EVERY_MS);
  }
}

function perSecond(startedAtMs: number): number {
  return (MESSAGES / (performance.now() - startedAtMs)) * 1000;
}

async function plant({ client, mongodb, stream }: Places): Promise<void> {
  await client.createStream(stream, NEVER);
  await client.createTopic({ stream, topic: 'orders', partitionsCount: 1 }, NEVER);
  const orders = mongodb.db('bench').collection('orders');
  for (let start = 0; start < MESSAGES; start += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, index) => start + index);
    await orders.insertMany(numbers.map((index) => ({ _id: new ObjectId(), ...order(index) })));
    const messages = numbers.map((index): OutgoingMessage => ({
      id: BigInt(index + 1),
      payload: Buffer.from(JSON.stringify(order(index))),
    }));
    await client.send(
      { stream, topic: 'orders', partitioning: { kind: 'partition', partitionId: 0 }, messages },
      NEVER,
    );
  }
}

function medianOf(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((one, other) => one - other);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(2);
}

const directory = await mkdtemp(path.join(tmpdir(), 'gatepost-bench-'));
const server = createEmbeddedMongodb({
  directory,
  observer: { observe: () => undefined },
  programsDirectory: path.join(import.meta.dirname, '../../node_modules/.cache/gatepost'),
});
const signal = AbortSignal.timeout(START_TIMEOUT_MS);
const iggy = await startTestIggy();
try {
  await server.start(signal);
  const uri = await server.untilRunning(signal);
  const mongodb = await new MongoClient(uri).connect();
  const { address, credentials } = iggy;
  const client = new IggyClient({ addresses: [address], credentials });
  const places = { iggy, client, mongodb, uri, stream: newStreamName() };
  await plant(places);
  const ratios: Record<'sink' | 'source', number[]> = { sink: [], source: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const insert = await measureInsertMany(places);
    const sink = await measureSink(places, round);
    const send = await measureFindAndSend(places, round);
    const source = await measureSource(places, round);
    ratios.sink.push(sink / insert);
    ratios.source.push(source / send);
    const figures = Object.entries({ insertMany: insert, sink, 'find + send': send, source });
    const texts = figures.map(([name, figure]) => `${name} ${Math.round(figure)}/s`);
    process.stdout.write(`${texts.join(', ')}\n`);
  }
  process.stdout.write(`median ratios: sink ${medianOf(ratios.sink)} (aim 0.7), `);
  process.stdout.write(`source ${medianOf(ratios.source)} (aim 0.7)\n`);
  client.close();
  await mongodb.close();
} finally {
  await server.stop(AbortSignal.timeout(10_000));
  await iggy.stop();
  await rm(directory, { recursive: true, force: true });
}
