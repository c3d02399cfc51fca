// The process is killed at each step of a sink and of a source: after the next start nothing is
// lost, nothing is deleted that was not read, and what comes twice has the same id.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { fieldOf, parseIggyJson } from '../../src/connectors/iggy-json.ts';
import type { PolledMessage } from '../../src/connectors/iggy-messages.ts';
import { ConnectorsStage } from '../support/connectors-stage.ts';
import { untilFact } from '../support/facts.ts';
import { startIggyProxy } from '../support/iggy-proxy.ts';
import type { IggyProxy, ProxiedRequest, Verdict as IggyVerdict } from '../support/iggy-proxy.ts';
import { describeIggy } from '../support/iggy.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { startMongodbRelay } from '../support/mongodb-relay.ts';
import type { MongodbRelay, Verdict as MongodbVerdict } from '../support/mongodb-relay.ts';
import { describeBehindProxy } from '../support/mongodb-proxy.ts';
import type { RunningService } from '../support/start-service.ts';

const COUNT = 50;
const GROUP = 'crash-tests';

describeIggy('connectors that are killed', () => {
  describeBehindProxy('between a MongoDB and an Iggy that are watched', () => {
    let iggy: TestIggy;
    let stage: ConnectorsStage;
    let iggyProxy: IggyProxy | undefined;
    let relay: MongodbRelay | undefined;
    let running: RunningService | undefined;

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
      await iggyProxy?.stop();
      await relay?.stop();
      [iggyProxy, relay, running] = [undefined, undefined, undefined];
    });

    const kill = (): void => {
      running?.process.kill('SIGKILL');
    };

    /** Starts with something in its way that kills it; resolves when it is dead. */
    const runUntilKilled = async (
      connector: (uri: string) => string,
      obstacle: {
        iggy?: (request: ProxiedRequest) => IggyVerdict;
        onAnswered?: (request: ProxiedRequest) => void;
        mongodb?: (message: Buffer) => MongodbVerdict;
      },
    ): Promise<void> => {
      const pass = (): 'pass' => 'pass';
      iggyProxy = await startIggyProxy(iggy.address, obstacle.iggy ?? pass, obstacle.onAnswered);
      relay = await startMongodbRelay(stage.database.uri, obstacle.mongodb ?? pass);
      running = await stage.start({
        connectors: { 'mongodb.toml': connector(relay.uri) },
        iggyAddress: iggyProxy.address,
      });
      await expect(running.exited()).resolves.toBe('SIGKILL');
      await stage.expireLeases();
    };

    /** Starts with nothing in its way. */
    const runAgain = async (connector: (uri: string) => string): Promise<void> => {
      await stage.start({ connectors: { 'mongodb.toml': connector(stage.database.uri) } });
    };

    const sink = (uri: string): string => `
type = "sink"
key = "mongodb"
enabled = true
name = "Sink"

[[streams]]
stream = "${stage.stream}"
topics = ["${stage.topic}"]
consumer_group = "${GROUP}"

[plugin_config]
${stage.place('events', uri)}
payload_format = "json"
batch_size = 10
`;

    const source =
      (mode: string) =>
      (uri: string): string => `
type = "source"
key = "mongodb"
enabled = true
name = "Source"

[[streams]]
stream = "${stage.stream}"
topic = "${stage.topic}"

[plugin_config]
${stage.place('orders', uri)}
poll_interval = "50ms"
batch_size = 20
${mode}
`;

    const payloads = Array.from({ length: COUNT }, (_, index) => JSON.stringify({ n: index }));

    const expectEveryMessageOnce = async (): Promise<void> => {
      const documents = await stage.untilDocuments('events', COUNT);
      await stage.untilOffset(GROUP, BigInt(COUNT - 1));
      expect(documents.map(({ payload }) => payload)).toEqual(
        expect.arrayContaining(payloads.map((_, n) => ({ n }))),
      );
      expect(await stage.untilDocuments('events', COUNT)).toHaveLength(COUNT);
    };

    it('a sink, after an insert and before its offset is stored', async () => {
      await stage.send(payloads);
      await runUntilKilled(sink, {
        iggy: ({ method, path }) => {
          if (method !== 'PUT' || !path.includes('consumer-offsets')) {
            return 'pass';
          }
          kill();
          return 'swallow';
        },
      });
      expect(await stage.untilDocuments('events', 1)).not.toHaveLength(0);
      await runAgain(sink);
      await expectEveryMessageOnce();
    });

    it.each(['swallow', 'deafen'] as const)(
      'a sink, in the middle of a batch, whose next insert the server hears of or not: %s',
      async (verdict) => {
        await stage.send(payloads);
        let inserts = 0;
        await runUntilKilled(sink, {
          mongodb: (message) => {
            inserts += message.includes('insert\0') && message.includes('events') ? 1 : 0;
            if (inserts < 3) {
              return 'pass';
            }
            kill();
            return verdict;
          },
        });
        const stored = await stage.untilDocuments('events', 1);
        expect(stored.length).toBeLessThan(COUNT);
        await runAgain(sink);
        await expectEveryMessageOnce();
      },
    );

    const orders = () => stage.database.client.db(stage.database.name).collection('orders');

    const insertOrders = async (from = 0, count = COUNT): Promise<void> => {
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      await orders().insertMany(numbers.map((n) => ({ n })));
    };

    /** The orders' numbers that arrived; messages of one order are the same, their ids too. */
    const arrivedNumbers = (messages: readonly PolledMessage[]): number[] => {
      const idsByNumber = new Map<number, bigint>();
      for (const { id, payload } of messages) {
        const n = Number(fieldOf(parseIggyJson(payload.toString('utf8')), 'n'));
        expect(idsByNumber.get(n) ?? id).toBe(id);
        idsByNumber.set(n, id);
      }
      return [...idsByNumber.keys()].sort((one, other) => one - other);
    };

    const everyNumber = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

    const untilArrived = async (count: number): Promise<void> => {
      await untilFact(
        async () => arrivedNumbers(await stage.messages()).length === count,
        `${count} orders in Iggy`,
      );
      expect(arrivedNumbers(await stage.messages())).toEqual(everyNumber(count));
    };

    const isSend = ({ method, path }: ProxiedRequest): boolean =>
      method === 'POST' && path.endsWith('/messages');

    it('a source, after a send and before its state is saved', async () => {
      await insertOrders();
      await runUntilKilled(source(''), {
        iggy: (request) => (isSend(request) ? 'mute' : 'pass'),
        onAnswered: (request) => {
          if (isSend(request)) {
            kill();
          }
        },
      });
      expect(await stage.messages()).not.toHaveLength(0);
      await runAgain(source(''));
      await untilArrived(COUNT);
    });

    it.each([
      ['delete_after_read = true', 'delete\0'],
      ['processed_field = "isRead"', 'update\0'],
    ])(
      'a source, after its state is saved and before what it owes is done: %s',
      async (mode, command) => {
        await insertOrders();
        await runUntilKilled(source(mode), {
          mongodb: (message) => {
            if (!message.includes(command) || !message.includes('orders')) {
              return 'pass';
            }
            kill();
            return 'swallow';
          },
        });
        // Nothing was deleted or marked yet.
        await expect(orders().countDocuments({ isRead: { $exists: false } })).resolves.toBe(COUNT);
        await insertOrders(COUNT, 10);
        await runAgain(source(mode));
        await untilArrived(COUNT + 10);
        await untilFact(
          async () => (await orders().countDocuments({ isRead: { $exists: false } })) === 0,
          'nothing left to read',
        );
      },
    );

    it('a source, in the middle of a delete, while others write', async () => {
      await insertOrders();
      await runUntilKilled(source('delete_after_read = true'), {
        mongodb: (message) => {
          if (!message.includes('delete\0') || !message.includes('orders')) {
            return 'pass';
          }
          kill();
          return 'deafen';
        },
      });
      const sent = arrivedNumbers(await stage.messages());
      const left = await orders().find().toArray();
      const kept = new Set(left.map(({ n }) => Number(n)));
      // What is gone was sent before.
      expect(everyNumber(COUNT).filter((n) => !kept.has(n) && !sent.includes(n))).toEqual([]);
      await insertOrders(COUNT, 10);
      await runAgain(source('delete_after_read = true'));
      await untilArrived(COUNT + 10);
      await untilFact(async () => (await orders().countDocuments()) === 0, 'an empty collection');
    });
  });
});
