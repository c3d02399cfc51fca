import { afterEach, expect, it } from '@jest/globals';
import { describeBehindProxy } from '../support/mongodb-proxy.ts';
import { startMongodbRelay } from '../support/mongodb-relay.ts';
import type { MongodbRelay, RelayedClient, Verdict } from '../support/mongodb-relay.ts';
import { createTestSource, NEVER, payloadsOf, stageItems } from '../support/mongodb-source.ts';
import type { TestSource } from '../support/mongodb-source.ts';
import { untilFact } from '../support/facts.ts';

type Judge = (message: Buffer, client: RelayedClient) => Verdict;

/** Whether a message asks for documents, or writes them. */
function isCommand(message: Buffer, name: string): boolean {
  return message.includes(`\u0002${name}\0\u0006\0\0\0items\0`);
}

describeBehindProxy('a MongoDB source whose server fails', () => {
  const stage = stageItems();
  let relay: MongodbRelay | undefined;
  let opened: TestSource | undefined;

  afterEach(async () => {
    await opened?.source.close();
    opened = undefined;
    await relay?.stop();
    relay = undefined;
  });

  async function openBehind(
    judge: Judge,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<TestSource> {
    relay = await startMongodbRelay(
      `${stage.database.uri}${stage.database.uri.includes('?') ? '&' : '?'}retryReads=false` +
        '&retryWrites=false&serverSelectionTimeoutMS=500',
      judge,
    );
    const { name } = stage.database;
    opened = createTestSource({ uri: relay.uri, name }, fields);
    await opened.source.open(undefined, NEVER);
    return opened;
  }

  /** Cuts the connection at the first messages with this command. */
  function cutAt(name: string, times: number): Judge {
    let left = times;
    return (message, { socket }) => {
      if (left === 0 || !isCommand(message, name)) {
        return 'pass';
      }
      left -= 1;
      socket.destroy();
      return 'swallow';
    };
  }

  it('polls again when a connection is lost, as often as max_retries says', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2 }]);
    const { source, log } = await openBehind(cutAt('find', 3));
    const { messages } = await source.poll(NEVER);
    expect(payloadsOf(messages)).toEqual([{ _id: 1 }, { _id: 2 }]);
    expect(log.warnings).toEqual([
      expect.stringContaining('Poll failed (attempt 1/4)'),
      expect.stringContaining('Poll failed (attempt 2/4)'),
      expect.stringContaining('Poll failed (attempt 3/4)'),
    ]);
    await source.close();
    expect(log.notes.at(-1)).toContain('3 retries');
  });

  it('says that the connection is lost when retries do not help', async () => {
    await stage.items.insertOne({ _id: 1 });
    const { source, log } = await openBehind(cutAt('find', 100), { max_retries: 1 });
    await expect(source.poll(NEVER)).rejects.toMatchObject({ kind: 'connection' });
    expect(log.warnings).toHaveLength(1);
    await source.close();
  });

  it('does not repeat what MongoDB refuses', async () => {
    await stage.items.insertOne({ _id: 1 });
    const { source, log } = createTestSource(stage.database, { query_filter: '{"$none":1}' });
    await source.open(undefined, NEVER);
    await expect(source.poll(NEVER)).rejects.toMatchObject({ kind: 'storage' });
    expect(log.warnings).toEqual([]);
    await source.close();
  });

  it('ends its pause between retries at once when it is stopped', async () => {
    await stage.items.insertOne({ _id: 1 });
    const { source, log } = await openBehind(cutAt('find', 100), { retry_delay: '10m' });
    const stop = new AbortController();
    const polled = source.poll(stop.signal);
    await untilFact(() => log.warnings.length === 1, 'a first failure');
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(polled).rejects.toBe(reason);
    await source.close();
  });

  it('gives a poll up at once when it is stopped, whatever the server does', async () => {
    await stage.items.insertOne({ _id: 1 });
    let isAsked = false;
    const { source } = await openBehind((message) => {
      const isFind = isCommand(message, 'find');
      isAsked ||= isFind;
      return isFind ? 'swallow' : 'pass';
    });
    const stop = new AbortController();
    const polled = source.poll(stop.signal);
    await untilFact(() => isAsked, 'a find');
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(polled).rejects.toBe(reason);
    await source.close();
  });

  it('deletes again what it did not hear of, and sends nothing twice', async () => {
    await stage.items.insertMany([{ _id: 1 }, { _id: 2 }]);
    let left = 2;
    const { source, log } = await openBehind(
      (message, { socket }) => {
        if (left === 0 || !isCommand(message, 'delete')) {
          return 'pass';
        }
        left -= 1;
        // The first is lost on the way there, of the second the answer.
        setImmediate(() => socket.destroy());
        return left === 1 ? 'swallow' : 'deafen';
      },
      { delete_after_read: true, batch_size: 5 },
    );
    await source.poll(NEVER);
    await source.acknowledge(NEVER);
    expect(await stage.items.countDocuments()).toBe(0);
    expect(log.warnings.filter((text) => text.startsWith('Acknowledgement'))).toHaveLength(2);
    expect((await source.poll(NEVER)).messages).toEqual([]);
    await source.close();
  });

  it('gives a write up at once when it is stopped, and still owes it', async () => {
    await stage.items.insertOne({ _id: 1 });
    let isMute = true;
    let isAsked = false;
    const { source } = await openBehind(
      (message) => {
        const isDelete = isCommand(message, 'delete');
        isAsked ||= isDelete;
        return isDelete && isMute ? 'swallow' : 'pass';
      },
      { delete_after_read: true },
    );
    await source.poll(NEVER);
    const stop = new AbortController();
    const acknowledged = source.acknowledge(stop.signal);
    await untilFact(() => isAsked, 'a delete');
    stop.abort(new Error('stopped'));
    await expect(acknowledged).rejects.toThrow('stopped');
    isMute = false;
    expect(await source.acknowledge(NEVER)).toBeDefined();
    expect(await stage.items.countDocuments()).toBe(0);
    await source.close();
  });

  it('stops when a document stays though nothing has changed it', async () => {
    await stage.items.insertOne({ _id: 1, text: 'as-it-was' });
    const { source } = await openBehind(
      (message) => {
        if (isCommand(message, 'delete')) {
          // A server that finds the same document another one.
          message.write('as-it-WAS', message.indexOf('as-it-was'));
        }
        return 'pass';
      },
      { delete_after_read: true },
    );
    await source.poll(NEVER);
    await expect(source.acknowledge(NEVER)).rejects.toMatchObject({
      kind: 'storage',
      message: expect.stringMatching(/_id \{"\$numberInt":"1"\}.*would be sent for ever/),
    });
    await source.close();
  });

  it('says at the start that the server does not let it look', async () => {
    const { uri } = stage.database;
    const nobody = uri.replace('mongodb://', 'mongodb://nobody:secret@');
    const { source } = createTestSource({ uri: nobody, name: stage.database.name });
    await expect(source.open(undefined, NEVER)).rejects.toMatchObject({
      kind: 'init',
      message: expect.not.stringContaining('secret'),
    });
    await source.close();
  });
});
