// The connectors runtime against a real Iggy, with a sink and a source that live in the test.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createConnectorsRuntime } from '../../src/connectors/connectors-runtime.ts';
import { ConnectorError } from '../../src/connectors/connector-error.ts';
import { HttpServer } from '../../src/connectors/iggy-http.ts';
import { IggyClient } from '../../src/connectors/iggy-client.ts';
import { IggySession } from '../../src/connectors/iggy-session.ts';
import type { ConnectorConfig, SinkStream } from '../../src/connectors/runtime-config.ts';
import type { Component } from '../../src/lifecycle.ts';
import { untilFact } from '../support/facts.ts';
import { describeIggy } from '../support/iggy.ts';
import { newStreamName, startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import {
  consumed,
  createInProcessSink,
  createInProcessSource,
} from '../support/in-process-connectors.ts';
import type { InProcessSink } from '../support/in-process-connectors.ts';
import { createRecorder } from '../support/observations.ts';
import {
  createConnectorsConfig,
  noOtherConfig,
  sameConfig,
  sinkConfig,
  sourceConfig,
} from '../support/ready-connectors.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';

const NEVER = new AbortController().signal;

/** A way to the server that can be closed and opened. */
async function openRelay(address: string) {
  const target = new URL(address);
  const sockets = new Set<Socket>();
  const relay = createServer((socket) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  const port = await listen(relay, 0);
  return {
    address: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      relay.close();
      await once(relay, 'close');
    },
    open: async () => {
      await listen(relay, port);
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describeIggy('the connectors runtime', () => {
  let iggy: TestIggy;
  let client: IggyClient;
  let directory: TemporaryDirectory;
  let runtimes: Component[];
  let stream: string;

  beforeAll(async () => {
    iggy = await startTestIggy();
    client = new IggyClient({ addresses: [iggy.address], credentials: iggy.credentials });
  });

  beforeEach(async () => {
    stream = newStreamName();
    await client.createStream(stream, NEVER);
    await client.createTopic({ stream, topic: 'events', partitionsCount: 2 }, NEVER);
    directory = await createTemporaryDirectory();
    runtimes = [];
  });

  afterEach(async () => {
    for (const runtime of runtimes) {
      await runtime.stop(AbortSignal.abort());
    }
    await directory.remove();
  });

  afterAll(async () => {
    client.close();
    await iggy.stop();
  });

  const run = async (connectors: readonly ConnectorConfig[], address = iggy.address) => {
    const config = createConnectorsConfig({
      iggy: { addresses: [address], credentials: iggy.credentials },
      statePath: directory.path,
      connectors,
    });
    const restart = { firstMs: 20, maxMs: 100 };
    const observer = createRecorder();
    const runtime = createConnectorsRuntime({
      config,
      observer,
      reload: sameConfig,
      find: noOtherConfig,
      restart,
    });
    runtimes.push(runtime);
    await runtime.start(NEVER);
    return runtime;
  };

  const sinkOf = (sink: InProcessSink, own: Partial<SinkStream> = {}): ConnectorConfig => {
    const made = sinkConfig(() => sink);
    return { ...made, streams: made.streams.map((one) => ({ ...one, stream, ...own })) };
  };

  const send = async (partitionId: number, texts: readonly string[]): Promise<void> => {
    const messages = texts.map((text, index) => ({
      id: BigInt(index + 1),
      payload: Buffer.from(text),
    }));
    const partitioning = { kind: 'partition', partitionId } as const;
    await client.send({ stream, topic: 'events', partitioning, messages }, NEVER);
  };

  const storedOffset = async (partitionId: number): Promise<bigint | undefined> => {
    const place = { stream, topic: 'events', partitionId, consumer: 'group' };
    return (await client.storedOffset(place, NEVER))?.storedOffset;
  };

  const untilStored = async (partitionId: number, offset: bigint): Promise<void> => {
    await untilFact(
      async () => (await storedOffset(partitionId)) === offset,
      `stored offset ${offset} of partition ${partitionId}`,
    );
  };

  /** What the client has no method for. */
  const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
    const http = new HttpServer(new URL(iggy.address), { timeoutMs: 5000, replyBytesMax: 1e6 });
    const session = new IggySession({
      credentials: iggy.credentials,
      exchange: async (request, signal) => await http.exchange(request, signal),
    });
    try {
      const reply = await fetch(new URL(path, iggy.address), {
        method,
        headers: {
          authorization: `Bearer ${await session.token(NEVER)}`,
          'content-type': 'application/json',
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return reply.status;
    } finally {
      session.close();
      http.close();
    }
  };

  const texts = (count: number, from = 0): string[] =>
    Array.from({ length: count }, (_, index) => `m${from + index}`);

  it('given_a_source_and_a_sink_should_carry_every_record_once', async () => {
    const records = texts(2500);
    const source = createInProcessSource({ records, batchSize: 1000 });
    const sink = createInProcessSink();
    const made = sourceConfig(() => source);
    const runtime = await run([
      { ...made, stream: { ...made.stream, stream, topic: 'events' } },
      sinkOf(sink),
    ]);
    await untilFact(() => sink.payloads().length >= 2500, 'all messages');
    expect(sink.payloads().toSorted()).toEqual(records.toSorted());
    // Its hashes fall by 1: every second record goes to one partition, in its order.
    const ofOne = sink.batches.filter(({ place }) => place.endsWith('/1'));
    expect(ofOne.flatMap(({ payloads }) => payloads)).toEqual(
      records.filter((_, index) => index % 2 === 0),
    );
    await untilStored(0, 1249n);
    await untilStored(1, 1249n);
    const delivered = (): readonly number[] =>
      runtime.list().map(({ counters }) => counters.delivered);
    await untilFact(() => delivered().every((count) => count === 2500), 'both counts');
    expect(runtime.list().map(({ counters }) => counters.errors)).toEqual([0, 0]);
  });

  it('given_a_topic_to_make_should_make_it', async () => {
    const source = createInProcessSource({ records: ['a', 'b', 'c'] });
    const made = sourceConfig(() => source);
    const place = { stream: `${stream}-made`, topic: 'new', isAutoCreated: true };
    await run([{ ...made, stream: { ...made.stream, ...place, partitionsCount: 3 } }]);
    await untilFact(() => source.calls.includes('acknowledge 3'), 'an acknowledgement');
    const topic = await client.topic({ stream: place.stream, topic: 'new' }, NEVER);
    expect(topic?.partitions.map(({ messagesCount }) => messagesCount)).toEqual([1n, 1n, 1n]);
  });

  it('given_a_restart_should_go_on_behind_what_was_settled', async () => {
    await send(0, texts(150));
    const sinks = [createInProcessSink(), createInProcessSink()] as const;
    const left = [...sinks];
    const made = sinkConfig(() => left.shift() ?? createInProcessSink());
    const streams = made.streams.map((one) => ({ ...one, stream }));
    const runtime = await run([{ ...made, streams }]);
    await untilStored(0, 149n);
    await runtime.restart('sink', 'orders');
    await send(0, ['next']);
    await untilStored(0, 150n);
    expect(sinks[0].payloads()).toEqual(texts(150));
    expect(sinks[1].payloads()).toEqual(['next']);
  });

  it('given_a_failure_should_store_the_settled_prefix_and_repeat_the_rest', async () => {
    await send(0, texts(10));
    const failure = new ConnectorError('storage', 'The database refused');
    let isBroken = true;
    const sink = createInProcessSink(({ messages }) => {
      const outcome = isBroken ? consumed(4, failure) : consumed(messages.length);
      isBroken = false;
      return outcome;
    });
    const runtime = await run([sinkOf(sink)]);
    await untilFact(() => runtime.list()[0]?.status === 'error', 'a sink in error');
    expect(await storedOffset(0)).toBe(3n);
    expect(runtime.list()[0]?.lastError?.message).toBe('The database refused');
    await runtime.restart('sink', 'orders');
    await untilStored(0, 9n);
    expect(sink.batches.map(({ payloads }) => payloads)).toEqual([texts(10), texts(6, 4)]);
  });

  it('given_a_topic_that_is_deleted_and_made_anew_should_read_the_new_one', async () => {
    await send(0, texts(5));
    const sink = createInProcessSink();
    const runtime = await run([sinkOf(sink)]);
    await untilStored(0, 4n);
    expect(await ask('DELETE', `/streams/${stream}/topics/events`)).toBe(204);
    await untilFact(() => runtime.list()[0]?.status === 'error', 'a sink in error');
    expect(runtime.list()[0]?.lastError?.message).toMatch(/events|partition/);
    await client.createTopic({ stream, topic: 'events', partitionsCount: 1 }, NEVER);
    await send(0, ['other']);
    await untilStored(0, 0n);
    expect(sink.payloads()).toEqual([...texts(5), 'other']);
  });

  it('given_iggy_away_at_the_start_and_later_should_heal', async () => {
    const relay = await openRelay(iggy.address);
    await relay.close();
    const sink = createInProcessSink();
    const runtime = await run([sinkOf(sink)], relay.address);
    await untilFact(() => runtime.list()[0]?.status === 'error', 'a sink in error');
    await relay.open();
    await send(0, texts(3));
    await untilStored(0, 2n);
    await relay.close();
    await untilFact(() => runtime.list()[0]?.status === 'error', 'a sink in error');
    await send(0, texts(3, 3));
    await relay.open();
    await untilStored(0, 5n);
    expect(sink.payloads()).toEqual(texts(6));
    await runtime.stop(NEVER);
    await relay.close();
  });

  it('given_a_stop_in_the_middle_should_lose_and_repeat_nothing', async () => {
    await send(0, texts(500));
    await send(1, texts(500, 500));
    const first = createInProcessSink();
    const runtime = await run([sinkOf(first, { batchLength: 7 })]);
    await untilFact(() => first.payloads().length > 100, 'some messages');
    await runtime.stop(NEVER);
    const second = createInProcessSink();
    await run([sinkOf(second, { batchLength: 100 })]);
    await untilStored(0, 499n);
    await untilStored(1, 499n);
    const all = [...first.payloads(), ...second.payloads()];
    expect(second.payloads().length).toBeGreaterThan(0);
    expect(all.toSorted()).toEqual(texts(1000).toSorted());
  });
});
