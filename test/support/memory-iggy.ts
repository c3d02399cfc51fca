// A fake Iggy that keeps topics and offsets in memory, so that a test can take messages away, make
// a topic anew, and answer what no real server answers on demand.
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { startFakeIggy } from './fake-iggy.ts';
import type { FakeIggy, FakeReply, FakeRequest } from './fake-iggy.ts';

interface MemoryMessage {
  readonly offset: number;
  /** Of all partitions another one, as a time is. */
  readonly timestamp: number;
  /** As it was sent. */
  readonly id: string;
  readonly payload: Buffer;
}

export interface MemoryPartition {
  /** Where the next message goes. */
  nextOffset: number;
  messages: MemoryMessage[];
}

/** An answer of the test's own; undefined leaves it to the memory, `taken` to nobody. */
export type Fault = (
  request: FakeRequest,
  response: ServerResponse,
) => FakeReply | 'taken' | undefined | Promise<FakeReply | 'taken' | undefined>;

export interface MemoryIggy {
  readonly address: string;
  readonly requests: FakeIggy['requests'];
  /** By `stream/topic`. */
  readonly topics: Map<string, MemoryPartition[]>;
  /** By `consumer stream/topic partition`. */
  readonly offsets: Map<string, number>;
  /** Of every topic. */
  createdAt: number;
  /** Asked before the memory is. */
  fault: Fault | undefined;
  createTopic(name: string, partitionsCount: number): void;
  /** Takes all messages and offsets away, and begins at offset 0. */
  purge(name: string): void;
  append(name: string, partitionId: number, payloads: readonly string[]): void;
  /** What one partition holds, as texts. */
  payloadsOf(name: string, partitionId: number): readonly string[];
  stop(): Promise<void>;
}

const NOT_FOUND: FakeReply = { status: 404, body: '{"id":404,"code":"not_found"}' };

const SENT = z.object({
  partitioning: z.object({ kind: z.literal('partition_id'), value: z.string() }),
  messages: z.array(z.object({ id: z.string(), payload: z.string() })),
});

const STORED_OFFSET = z.object({
  consumer_id: z.union([z.string(), z.number()]),
  partition_id: z.number(),
  offset: z.number(),
});

const CREATED_TOPIC = z.object({ name: z.string(), partitions_count: z.number() });

/** Starts one without topics. The caller stops it. */
export async function startMemoryIggy(): Promise<MemoryIggy> {
  const memory = createMemory(() => iggy.createdAt);
  const fake = await startFakeIggy(async (request, response) => {
    const own = await iggy.fault?.(request, response);
    return own === 'taken' ? undefined : (own ?? memory.answer(request));
  });
  const iggy: MemoryIggy = {
    address: fake.address,
    requests: fake.requests,
    topics: memory.topics,
    offsets: memory.offsets,
    createdAt: 1,
    fault: undefined,
    createTopic: memory.createTopic,
    purge: memory.purge,
    append: memory.append,
    payloadsOf: (name, partitionId) =>
      memory.partition(name, partitionId)?.messages.map((one) => one.payload.toString()) ?? [],
    stop: async () => {
      await fake.stop();
    },
  };
  return iggy;
}

/** Of a path's parts, where its end is a name. */
const KIND_OF_LENGTH: ReadonlyMap<number, string> = new Map([
  [3, 'stream'],
  [5, 'topic'],
]);

interface Asked {
  readonly request: FakeRequest;
  readonly name: string;
  readonly query: URLSearchParams;
}

// Written as one closure: every handler works on the same two maps.
function createMemory(createdAt: () => number) {
  const topics = new Map<string, MemoryPartition[]>();
  const offsets = new Map<string, number>();

  const createTopic = (name: string, partitionsCount: number): void => {
    const partitions = Array.from({ length: partitionsCount }, () => ({
      nextOffset: 0,
      messages: [],
    }));
    topics.set(name, partitions);
  };

  const purge = (name: string): void => {
    createTopic(name, topics.get(name)?.length ?? 0);
    for (const key of [...offsets.keys()].filter((one) => one.includes(` ${name} `))) {
      offsets.delete(key);
    }
  };

  const partition = (name: string, id: number): MemoryPartition | undefined =>
    topics.get(name)?.[id];

  const append = (name: string, id: number, payloads: readonly string[]): void => {
    for (const payload of payloads) {
      push(partition(name, id), { id: `${id}${payload.length}`, payload: Buffer.from(payload) });
    }
  };

  const handlers: Readonly<Record<string, (asked: Asked) => FakeReply>> = {
    'GET topic': ({ name }) => {
      const partitions = topics.get(name);
      const id = [...topics.keys()].indexOf(name);
      return partitions === undefined
        ? NOT_FOUND
        : json(shownTopic(partitions, { id, created_at: createdAt() }));
    },
    'GET stream': () => json({ id: 0, name: 'a stream', topics_count: topics.size }),
    'POST streams': () => json({}),
    'POST topics': ({ request, name }) => {
      const topic = CREATED_TOPIC.parse(JSON.parse(request.body));
      createTopic(`${name}${topic.name}`, topic.partitions_count);
      return json({});
    },
    'GET messages': ({ name, query }) => {
      const found = partition(name, Number(query.get('partition_id')));
      return found === undefined ? NOT_FOUND : json(polled(found, query));
    },
    'POST messages': ({ request, name }) => {
      const { partitioning, messages } = SENT.parse(JSON.parse(request.body));
      const found = partition(name, Buffer.from(partitioning.value, 'base64').readUInt32LE());
      for (const { id, payload } of messages) {
        push(found, { id, payload: Buffer.from(payload, 'base64') });
      }
      return found === undefined ? NOT_FOUND : { status: 201 };
    },
    'GET consumer-offsets': ({ name, query }) => {
      const id = query.get('partition_id');
      const stored = offsets.get(`${query.get('consumer_id')} ${name} ${id}`);
      const end = lastOffset(partition(name, Number(id)));
      return stored === undefined
        ? NOT_FOUND
        : json({ partition_id: Number(id), current_offset: end, stored_offset: stored });
    },
    'PUT consumer-offsets': ({ request, name }) => {
      const body = STORED_OFFSET.parse(JSON.parse(request.body));
      const found = partition(name, body.partition_id);
      if (found === undefined || body.offset >= found.nextOffset) {
        return { status: 400, body: '{"id":4100,"code":"invalid_offset"}' };
      }
      offsets.set(`${body.consumer_id} ${name} ${body.partition_id}`, body.offset);
      return { status: 204 };
    },
  };

  /** By its number too: Iggy takes digits for one. */
  const namedTopic = (asked: string): string => {
    const name = /^\d+$/.test(asked) ? [...topics.keys()][Number(asked)] : undefined;
    return name?.split('/')[1] ?? asked;
  };

  const answer = (request: FakeRequest): FakeReply => {
    const url = new URL(request.path, 'http://memory');
    const parts = url.pathname.split('/').map(decodeURIComponent);
    const [, , stream = '', , asked = '', what] = parts;
    const kind = what ?? KIND_OF_LENGTH.get(parts.length) ?? parts.at(-1) ?? '';
    const handler = handlers[`${request.method} ${kind}`];
    const name = `${stream}/${namedTopic(asked)}`;
    return handler?.({ request, name, query: url.searchParams }) ?? NOT_FOUND;
  };

  return { topics, offsets, createTopic, purge, partition, append, answer };
}

let pushedCount = 0;

function push(
  partition: MemoryPartition | undefined,
  message: Omit<MemoryMessage, 'offset' | 'timestamp'>,
): void {
  if (partition !== undefined) {
    pushedCount += 1;
    const [offset, timestamp] = [partition.nextOffset, pushedCount];
    partition.messages.push({ ...message, offset, timestamp });
    partition.nextOffset += 1;
  }
}

/** 0 also for an empty one, as Iggy has it. */
function lastOffset(partition: MemoryPartition | undefined): number {
  return Math.max(0, (partition?.nextOffset ?? 0) - 1);
}

function shownTopic(partitions: readonly MemoryPartition[], topic: object): unknown {
  return {
    ...topic,
    name: 'a topic',
    partitions_count: partitions.length,
    partitions: partitions.map((one, id) => ({
      id,
      current_offset: lastOffset(one),
      messages_count: one.messages.length,
    })),
  };
}

function polled(partition: MemoryPartition, query: URLSearchParams): unknown {
  const from = query.get('kind') === 'offset' ? Number(query.get('value')) : 0;
  const messages = partition.messages
    .filter(({ offset }) => offset >= from)
    .slice(0, Number(query.get('count')))
    .map(({ offset, timestamp, payload }) => ({
      header: { offset, id: offset + 1, checksum: 1, timestamp, origin_timestamp: 1 },
      payload: payload.toString('base64'),
    }));
  const currentOffset = messages.length === 0 ? 0 : lastOffset(partition);
  return { partition_id: 0, current_offset: currentOffset, messages };
}

function json(body: unknown): FakeReply {
  return { status: 200, body: JSON.stringify(body) };
}
