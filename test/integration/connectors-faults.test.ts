// Connectors before an Iggy and a MongoDB that fail in every way that a proxy can produce: nothing
// is lost, and what comes twice has the same id.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { fieldOf, parseIggyJson } from '../../src/connectors/iggy-json.ts';
import { ConnectorsStage } from '../support/connectors-stage.ts';
import { untilFact } from '../support/facts.ts';
import { describeIggy } from '../support/iggy.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { startIggyProxy } from '../support/iggy-proxy.ts';
import type { IggyProxy, ProxiedRequest, Verdict } from '../support/iggy-proxy.ts';
import { describeBehindProxy } from '../support/mongodb-proxy.ts';
import { startMongodbRelay } from '../support/mongodb-relay.ts';
import type { MongodbRelay } from '../support/mongodb-relay.ts';
import { httpUrlOf } from '../support/start-service.ts';
import type { RunningService } from '../support/start-service.ts';

const GROUP = 'fault-tests';
const COUNT = 100;

const FAULTS: readonly Verdict[] = [
  { status: 401 },
  { status: 429, headers: { 'Retry-After': '0' } },
  {
    status: 503,
    headers: { 'Retry-After': '0' },
    body: '{"id":58,"code":"transient_not_accepted","reason":"not the leader"}',
  },
  { status: 504, body: '{"id":504,"code":"timeout","reason":"no answer in time"}' },
  { status: 500, body: '<html>a proxy that is not Iggy</html>' },
  'reset',
  'halve',
];

/** Every other request of these gets the next fault, until each of them was met. */
function faultsFor(isMeant: (request: ProxiedRequest) => boolean) {
  let seen = 0;
  return {
    judge: (request: ProxiedRequest): Verdict => {
      if (!isMeant(request)) {
        return 'pass';
      }
      seen += 1;
      return seen % 2 === 1 ? (FAULTS[(seen - 1) / 2] ?? 'pass') : 'pass';
    },
    areMet: () => seen >= FAULTS.length * 2,
  };
}

const REQUESTS = {
  polls: ({ method, path }: ProxiedRequest) => method === 'GET' && path.includes('/messages?'),
  'stored offsets': ({ method, path }: ProxiedRequest) =>
    method === 'PUT' && path.endsWith('/consumer-offsets'),
  sends: ({ method, path }: ProxiedRequest) => method === 'POST' && path.endsWith('/messages'),
  logins: ({ path }: ProxiedRequest) => path === '/users/login',
} as const;

/** As a foreign producer may: Iggy 0.8 takes any bytes for a block of headers. */
async function sendBrokenHeaders(stage: ConnectorsStage, iggy: TestIggy, id: number) {
  const post = async (path: string, body: unknown, token = ''): Promise<Response> =>
    await fetch(`${iggy.address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
  const login = parseIggyJson(await (await post('/users/login', iggy.credentials)).text());
  const token = String(fieldOf(fieldOf(login, 'access_token'), 'token'));
  const payload = Buffer.from('{"n":1}').toString('base64');
  const sent = {
    partitioning: { kind: 'partition_id', value: 'AAAAAA==' },
    messages: [{ id: String(id), payload, user_headers: 'Z2FyYmFnZSEhZ2FyYmFnZQ==' }],
  };
  const path = `/streams/${stage.stream}/topics/${stage.topic}/messages`;
  expect((await post(path, sent, token)).status).toBe(201);
}

describeIggy('connectors before faults', () => {
  describeBehindProxy('of Iggy and of MongoDB', () => {
    let iggy: TestIggy;
    let stage: ConnectorsStage;
    let proxy: IggyProxy | undefined;
    let relay: MongodbRelay | undefined;

    beforeAll(async () => {
      iggy = await startTestIggy();
    });

    afterAll(async () => {
      await iggy.stop();
    });

    beforeEach(async () => {
      stage = await ConnectorsStage.open({ iggy });
    });

    afterEach(async () => {
      await stage.close();
      await proxy?.stop();
      await relay?.stop();
      [proxy, relay] = [undefined, undefined];
    });

    const payloads = Array.from({ length: COUNT }, (_, n) => JSON.stringify({ n }));

    const sink = (uri = stage.database.uri, more = ''): string => `
type = "sink"
key = "mongodb"

[[streams]]
stream = "${stage.stream}"
topics = ["${stage.topic}"]
batch_length = 5
consumer_group = "${GROUP}"

[plugin_config]
${stage.place('events', uri)}
payload_format = "json"
max_retries = 1
retry_delay = "10ms"
${more}
`;

    const source = (uri = stage.database.uri): string => `
type = "source"
key = "mongodb"

[[streams]]
stream = "${stage.stream}"
topic = "${stage.topic}"

[plugin_config]
${stage.place('orders', uri)}
poll_interval = "20ms"
batch_size = 5
max_retries = 1
retry_delay = "10ms"
`;

    const start = async (file: string, iggyAddress?: string): Promise<RunningService> =>
      await stage.start({
        connectors: { 'mongodb.toml': file },
        ...(iggyAddress === undefined ? {} : { iggyAddress }),
      });

    const numbersIn = async (collection: string): Promise<readonly unknown[]> => {
      const { client, name } = stage.database;
      const documents = await client.db(name).collection(collection).find().toArray();
      return documents.map((document) => (document['payload'] as { n: unknown } | undefined)?.n);
    };

    it.each(['polls', 'stored offsets', 'logins'] as const)(
      'a sink stores every message once, whatever happens to its %s',
      async (kind) => {
        await stage.send(payloads);
        const faults = faultsFor(REQUESTS[kind]);
        proxy = await startIggyProxy(iggy.address, faults.judge);
        await start(sink(), proxy.address);
        await stage.untilDocuments('events', COUNT);
        await stage.untilOffset(GROUP, BigInt(COUNT - 1));
        const numbers = await numbersIn('events');
        expect(new Set(numbers).size).toBe(COUNT);
        expect(numbers).toHaveLength(COUNT);
      },
    );

    it('a source sends every document, and those that come twice by the same id', async () => {
      const orders = stage.database.client.db(stage.database.name).collection('orders');
      await orders.insertMany(Array.from({ length: COUNT }, (_, n) => ({ n })));
      const faults = faultsFor(REQUESTS.sends);
      proxy = await startIggyProxy(iggy.address, faults.judge);
      await start(source(), proxy.address);
      await untilFact(async () => {
        const messages = await stage.messages();
        return new Set(messages.map(({ id }) => id)).size === COUNT && faults.areMet();
      }, 'every document and every fault');
      const messages = await stage.messages();
      const payloadsById = new Map(messages.map(({ id, payload }) => [id, payload.toString()]));
      expect(new Set(payloadsById.values()).size).toBe(COUNT);
      for (const { id, payload } of messages) {
        expect(payload.toString()).toBe(payloadsById.get(id));
      }
    });

    const shownStatus = async (service: RunningService): Promise<string> => {
      const answer = await fetch(`${httpUrlOf(service)}/connectors/mongodb`);
      return await answer.text();
    };

    it('a sink goes on when its MongoDB is back after all retries', async () => {
      let isAway = false;
      relay = await startMongodbRelay(stage.database.uri, (_message, { socket }) => {
        if (isAway) {
          socket.destroy();
          return 'swallow';
        }
        return 'pass';
      });
      const uri = `${relay.uri}&serverSelectionTimeoutMS=300`;
      const service = await start(sink(uri, 'on_failure = "skip"'));
      await stage.send(payloads.slice(0, 10));
      await stage.untilDocuments('events', 10);
      isAway = true;
      await stage.send(payloads.slice(10), 0, 11);
      await untilFact(
        async () => (await shownStatus(service)).includes('"status":"error"'),
        'the status error',
      );
      isAway = false;
      await stage.expireLeases();
      await stage.untilDocuments('events', COUNT);
      await stage.untilOffset(GROUP, BigInt(COUNT - 1));
      expect(new Set(await numbersIn('events')).size).toBe(COUNT);
      expect(await shownStatus(service)).toContain('"status":"running"');
    });

    it('a message that is no JSON halts the sink before it, and the rest is not lost', async () => {
      await stage.send(['{"n":0}', '{"n":1}', '{broken', '{"n":3}']);
      const service = await start(sink());
      await service.logged('service-started');
      await untilFact(
        async () => (await shownStatus(service)).includes('"status":"error"'),
        'the status error',
      );
      await stage.untilOffset(GROUP, 1n);
      const shown = await shownStatus(service);
      expect(shown).toContain('offset 2');
      expect(shown).not.toContain('{broken');
    });

    it('with dead letters that message is kept as it came, and the sink goes on', async () => {
      await stage.send(['{"n":0}', '{broken', '{"n":2}']);
      await start(sink(stage.database.uri, 'on_failure = "dead_letter"'));
      await stage.untilOffset(GROUP, 2n);
      expect(new Set(await numbersIn('events'))).toEqual(new Set([0, 2]));
      const [letter] = await stage.untilDocuments('events_dead_letters', 1);
      const { stream, topic } = stage;
      expect(letter).toMatchObject({
        iggy_stream: stream,
        iggy_topic: topic,
        iggy_partition_id: 0,
      });
      expect(JSON.stringify(letter)).toContain(Buffer.from('{broken').toString('base64'));
    });

    it.each([
      ['', ['1', '2', '3']],
      ['include_headers = true\non_failure = "skip"', ['1', '3']],
    ])('a message with broken headers does not stop a sink (%j)', async (more, ids) => {
      await stage.send(['{"n":0}']);
      await sendBrokenHeaders(stage, iggy, 2);
      await stage.send(['{"n":2}'], 0, 3);
      await start(sink(stage.database.uri, more));
      await stage.untilOffset(GROUP, 2n);
      const documents = await stage.untilDocuments('events', ids.length);
      expect(documents.map(({ _id: id }) => String(id)).sort()).toEqual(ids);
    });

    it.each([
      ['GET', '/messages', 400],
      ['GET', '/messages', 413],
      ['PUT', '/consumer-offsets', 400],
      ['GET', '/consumer-offsets', 413],
      ['GET', '/topics/', 400],
    ])(
      'a sink goes on by itself after %s …%s was answered with %d',
      async (method, part, status) => {
        await stage.send(payloads);
        let isAnswered = false;
        proxy = await startIggyProxy(iggy.address, (request) => {
          if (isAnswered || request.method !== method || !request.path.includes(part)) {
            return 'pass';
          }
          isAnswered = true;
          return { status, body: '<html>Bad Request</html>' };
        });
        await start(sink(), proxy.address);
        await stage.untilOffset(GROUP, BigInt(COUNT - 1));
        expect(new Set(await numbersIn('events')).size).toBe(COUNT);
      },
    );

    it('a sink that is stopped while it pauses for a retry ends at once', async () => {
      relay = await startMongodbRelay(stage.database.uri, (message) =>
        message.includes('insert\0') && message.includes('events') ? 'deafen' : 'pass',
      );
      const uri = `${relay.uri}&socketTimeoutMS=200&retryWrites=false`;
      const service = await start(sink(uri).replace('"10ms"', '"60s"'));
      await stage.send(payloads.slice(0, 5));
      await untilFact(() => service.stderr().includes('60'), 'a pause that is told');
      const startedAtMs = performance.now();
      await expect(service.stop()).resolves.toBe(0);
      expect(performance.now() - startedAtMs).toBeLessThan(8000);
    });
  });
});
