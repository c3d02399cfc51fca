// The client against a real Iggy: what it stores comes back as it was.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { IggyClient } from '../../src/connectors/iggy-client.ts';
import type { IggyClientOptions } from '../../src/connectors/iggy-client.ts';
import { namedHeader } from '../../src/connectors/iggy-headers.ts';
import type { OutgoingMessage } from '../../src/connectors/iggy-messages.ts';
import { HttpServer } from '../../src/connectors/iggy-http.ts';
import { fieldOf, parseIggyJson } from '../../src/connectors/iggy-json.ts';
import { IggySession } from '../../src/connectors/iggy-session.ts';
import { untilFact } from '../support/facts.ts';
import { describeIggy } from '../support/iggy.ts';
import { newStreamName, startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { EVERY_HEADER } from '../support/iggy-headers.ts';

const NEVER = new AbortController().signal;

describeIggy('the Iggy client', () => {
  let iggy: TestIggy;
  let client: IggyClient;
  const stream = newStreamName();
  const clients: IggyClient[] = [];

  const openClient = (own: Partial<IggyClientOptions> = {}): IggyClient => {
    const { address, credentials } = iggy;
    const opened = new IggyClient({ addresses: [address], credentials, ...own });
    clients.push(opened);
    return opened;
  };

  const createTopic = async (topic: string, partitionsCount = 1) => {
    await client.createTopic({ stream, topic, partitionsCount }, NEVER);
    return { stream, topic, partitionId: 0, consumer: 'gatepost' };
  };

  const send = async (
    place: { stream: string; topic: string; partitionId: number },
    messages: readonly OutgoingMessage[],
  ): Promise<void> => {
    const { partitionId } = place;
    const partitioning = { kind: 'partition', partitionId } as const;
    await client.send({ ...place, partitioning, messages }, NEVER);
  };

  beforeAll(async () => {
    iggy = await startTestIggy();
    client = openClient();
    await client.createStream(stream, NEVER);
  });

  afterAll(async () => {
    for (const opened of clients) {
      opened.close();
    }
    await iggy.stop();
  });

  it('creates a stream and a topic, once', async () => {
    await client.createStream(stream, NEVER);
    await createTopic('made twice', 3);
    const place = await createTopic('made twice', 3);
    await expect(client.stream(stream, NEVER)).resolves.toMatchObject({ name: stream });
    const topics = await client.topics(stream, NEVER);
    expect(topics).toContainEqual(
      expect.objectContaining({ name: 'made twice', partitionsCount: 3 }),
    );
    const topic = await client.topic(place, NEVER);
    expect(topic?.partitions).toEqual(
      [0, 1, 2].map((id) => ({ id, currentOffset: 0n, messagesCount: 0n })),
    );
  });

  it('says that a stream or topic is not there', async () => {
    await expect(client.stream('nowhere', NEVER)).resolves.toBeUndefined();
    await expect(client.topic({ stream, topic: 'nowhere' }, NEVER)).resolves.toBeUndefined();
    const place = { stream, topic: 'nowhere', partitionId: 0, consumer: 'c' };
    const poll = client.poll({ ...place, from: { kind: 'first' }, count: 1 }, NEVER);
    await expect(poll).rejects.toMatchObject({ kind: 'not-found' });
    await expect(client.storedOffset(place, NEVER)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(client.topics('nowhere', NEVER)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('brings ids, payloads and headers of every kind back as they were', async () => {
    const place = await createTopic('round trip');
    const headers = EVERY_HEADER.map(({ value }, index) => namedHeader(`h${index}`, value));
    const messages: OutgoingMessage[] = [
      { id: 2n ** 128n - 1n, payload: Buffer.from('00ff80', 'hex'), headers },
      { id: 2n ** 64n, payload: Buffer.from('größe'), headers: [] },
      { id: 1n, payload: Buffer.from('{"id":18446744073709551615}') },
    ];
    await send(place, messages);
    const { messages: polled, currentOffset } = await client.poll(
      { ...place, from: { kind: 'first' }, count: 10 },
      NEVER,
    );
    expect(currentOffset).toBe(2n);
    expect(polled.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    expect(polled.map(({ payload }) => payload)).toEqual(messages.map(({ payload }) => payload));
    expect(polled.map(({ offset }) => offset)).toEqual([0n, 1n, 2n]);
    expect(sorted(polled[0]?.headers ?? [])).toEqual(sorted(headers));
    expect(polled[1]?.headers).toEqual([]);
    for (const { timestampUs, originTimestampUs, checksum } of polled) {
      expect(Math.abs(Number(timestampUs) / 1000 - Date.now())).toBeLessThan(600_000);
      expect(originTimestampUs).toBeLessThanOrEqual(timestampUs);
      expect(checksum).toBeGreaterThan(0n);
    }
  });

  it('polls from an offset, the first, the last and the next', async () => {
    const place = await createTopic('kinds');
    await send(
      place,
      [1n, 2n, 3n, 4n].map((id) => ({ id, payload: Buffer.from('x') })),
    );
    const idsFrom = async (from: Parameters<IggyClient['poll']>[0]['from'], count = 10) => {
      const { messages } = await client.poll({ ...place, from, count }, NEVER);
      return messages.map(({ id }) => id);
    };
    await expect(idsFrom({ kind: 'offset', value: 2n })).resolves.toEqual([3n, 4n]);
    await expect(idsFrom({ kind: 'offset', value: 99n })).resolves.toEqual([]);
    await expect(idsFrom({ kind: 'first' }, 2)).resolves.toEqual([1n, 2n]);
    await expect(idsFrom({ kind: 'last' }, 1)).resolves.toEqual([4n]);
    await expect(idsFrom({ kind: 'timestamp', value: 0n }, 1)).resolves.toEqual([1n]);
    await expect(idsFrom({ kind: 'next' }, 2)).resolves.toEqual([1n, 2n]);
    // Nothing was stored by the poll.
    await expect(idsFrom({ kind: 'next' }, 2)).resolves.toEqual([1n, 2n]);
    await client.storeOffset(place, 1n, NEVER);
    await expect(idsFrom({ kind: 'next' })).resolves.toEqual([3n, 4n]);
  });

  it('keeps partitions apart, and says which one was asked', async () => {
    const place = await createTopic('partitions', 2);
    await send({ ...place, partitionId: 1 }, [{ id: 5n, payload: Buffer.from('x') }]);
    const [empty, full] = await Promise.all(
      [0, 1].map(
        async (partitionId) =>
          await client.poll({ ...place, partitionId, from: { kind: 'first' }, count: 9 }, NEVER),
      ),
    );
    expect([empty?.partitionId, empty?.messages.length]).toEqual([0, 0]);
    expect([full?.partitionId, full?.messages.length]).toEqual([1, 1]);
    const missing = { ...place, partitionId: 7 };
    await expect(send(missing, [{ id: 5n, payload: Buffer.from('x') }])).rejects.toMatchObject({
      kind: 'not-found',
    });
    await expect(client.storedOffset(missing, NEVER)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('stores offsets by consumer, by name as a group has and by number', async () => {
    const place = await createTopic('offsets');
    await send(
      place,
      [1n, 2n, 3n].map((id) => ({ id, payload: Buffer.from('x') })),
    );
    const group = { ...place, consumer: 'iggy-connect-sink-mongodb' };
    const numbered = { ...place, consumer: 7 };
    await expect(client.storedOffset(group, NEVER)).resolves.toBeUndefined();
    await client.storeOffset(group, 2n, NEVER);
    await client.storeOffset(numbered, 0n, NEVER);
    await expect(client.storedOffset(group, NEVER)).resolves.toEqual({
      currentOffset: 2n,
      storedOffset: 2n,
    });
    await expect(client.storedOffset(numbered, NEVER)).resolves.toMatchObject({ storedOffset: 0n });
    await client.storeOffset(group, 1n, NEVER);
    await expect(client.storedOffset(group, NEVER)).resolves.toMatchObject({ storedOffset: 1n });
    await expect(client.storedOffset(place, NEVER)).resolves.toBeUndefined();
    await expect(client.storeOffset(group, 3n, NEVER)).rejects.toMatchObject({
      kind: 'offset-range',
      code: 4100,
    });
  });

  it('sends more than 2 MB in several requests, in order', async () => {
    const place = await createTopic('large');
    const payload = Buffer.alloc(400_000, 'x');
    const messages = Array.from({ length: 10 }, (_, id) => ({ id: BigInt(id + 1), payload }));
    const stored: number[] = [];
    const partitioning = { kind: 'partition', partitionId: 0 } as const;
    const onStored = (count: number): unknown => stored.push(count);
    await client.send({ ...place, partitioning, messages, onStored }, NEVER);
    expect(stored).toEqual([3, 6, 9, 10]);
    const polled = await client.poll({ ...place, from: { kind: 'first' }, count: 20 }, NEVER);
    expect(polled.messages.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
  });

  it('halves requests that this server finds too large', async () => {
    const place = await createTopic('too large');
    const large = openClient({ requestBytesMax: 8_000_000 });
    const payload = Buffer.alloc(400_000, 'x');
    const messages = Array.from({ length: 8 }, (_, id) => ({ id: BigInt(id + 1), payload }));
    const partitioning = { kind: 'partition', partitionId: 0 } as const;
    await large.send({ ...place, partitioning, messages }, NEVER);
    const polled = await client.poll({ ...place, from: { kind: 'first' }, count: 20 }, NEVER);
    expect(polled.messages.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    const alone = [{ id: 1n, payload: Buffer.alloc(3_000_000, 'x') }];
    await expect(
      large.send({ ...place, partitioning, messages: alone }, NEVER),
    ).rejects.toMatchObject({ kind: 'unsendable' });
  });

  it('polls fewer messages where their answer would be too large', async () => {
    const place = await createTopic('bounded');
    const payload = Buffer.alloc(100_000, 'x');
    await send(
      place,
      [1n, 2n, 3n, 4n].map((id) => ({ id, payload })),
    );
    const bounded = openClient({ replyBytesMax: 300_000 });
    const { messages } = await bounded.poll({ ...place, from: { kind: 'first' }, count: 4 }, NEVER);
    expect(messages.map(({ id }) => id)).toEqual([1n, 2n]);
  });

  it.each([
    { kind: 'password', username: 'iggy', password: 'wrong-hunter2' },
    { kind: 'token', token: 'wrong-hunter2' },
  ] as const)('says that it is not let in with a wrong $kind', async (credentials) => {
    const refused: unknown = await openClient({ credentials })
      .stream(stream, NEVER)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'IggyError', kind: 'credentials' });
    expect(String(refused)).not.toContain('hunter2');
  });

  it('exchanges a token, and lives with the old one’s end', async () => {
    const http = new HttpServer(new URL(iggy.address), { timeoutMs: 5000, replyBytesMax: 10_000 });
    let aheadMs = 0;
    const session = new IggySession({
      credentials: iggy.credentials,
      exchange: async (request, signal) => await http.exchange(request, signal),
      now: () => Date.now() + aheadMs,
    });
    const statusWith = async (bearer: string): Promise<number> =>
      (await http.exchange({ method: 'GET', path: '/streams', bearer }, NEVER)).status;
    try {
      const first = await session.token(NEVER);
      aheadMs = 3_590_000;
      const second = await session.token(NEVER);
      expect(second).not.toBe(first);
      await expect(statusWith(second)).resolves.toBe(200);
      const third = await session.tokenAfter(second, NEVER);
      await expect(statusWith(third)).resolves.toBe(200);
      await expect(statusWith('broken')).resolves.toBe(401);
    } finally {
      http.close();
    }
  });

  it('logs in with a personal access token', async () => {
    const http = new HttpServer(new URL(iggy.address), { timeoutMs: 5000, replyBytesMax: 10_000 });
    const exchange = async (...[request, signal]: Parameters<HttpServer['exchange']>) =>
      await http.exchange(request, signal);
    const bearer = await new IggySession({ credentials: iggy.credentials, exchange }).token(NEVER);
    const body = JSON.stringify({ name: newStreamName().slice(-12), expiry: 0 });
    const path = '/personal-access-tokens';
    const { text } = await http.exchange({ method: 'POST', path, body, bearer }, NEVER);
    http.close();
    const token = fieldOf(parseIggyJson(text), 'token');
    expect(token).toEqual(expect.any(String));
    const credentials = { kind: 'token', token: String(token) } as const;
    await expect(openClient({ credentials }).stream(stream, NEVER)).resolves.toBeDefined();
  });

  it('goes on at the next server when the first is not there', async () => {
    const seen: unknown[] = [];
    const addresses = ['http://127.0.0.1:1', iggy.address];
    const two = openClient({ addresses, onRetry: (error) => seen.push(error) });
    await expect(two.stream(stream, NEVER)).resolves.toBeDefined();
    expect(seen).toMatchObject([{ kind: 'unreachable' }]);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    let failures = 0;
    const lonely = openClient({
      addresses: ['http://127.0.0.1:1'],
      retry: { attemptsMax: 1000, firstMs: 60_000, maxMs: 60_000 },
      onRetry: () => (failures += 1),
    });
    const waiting = lonely.stream(stream, stop.signal);
    const ended = expect(waiting).rejects.toThrow('stopped');
    await untilFact(() => failures === 1, 'a failure');
    stop.abort(new Error('stopped'));
    await ended;
  });
});

/** 0.8 keeps headers in a map: their order is its own. */
function sorted(headers: readonly unknown[]): string[] {
  return headers
    .map((header) =>
      JSON.stringify(header, (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value,
      ),
    )
    .toSorted();
}
