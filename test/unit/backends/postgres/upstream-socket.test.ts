import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { UpstreamSocket } from '../../../../src/backends/postgres/upstream-socket.ts';
import type { ServiceError } from '../../../../src/errors.ts';
import { sizedFrame } from '../../../support/backend-frames.ts';
import { untilFact } from '../../../support/facts.ts';
import { openLoopback } from '../../../support/loopback.ts';
import type { Loopback } from '../../../support/loopback.ts';
import { queryFrame } from '../../../support/wire-client.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

let loopback: Loopback;
let chunks: Buffer[];
let losses: (ServiceError | undefined)[];
let socket: UpstreamSocket;

beforeEach(async () => {
  loopback = await openLoopback();
  chunks = [];
  losses = [];
  socket = new UpstreamSocket(loopback.near, {
    onChunk: (chunk) => chunks.push(chunk),
    onLost: (failure) => losses.push(failure),
  });
});

afterEach(() => {
  loopback.close();
});

describe('the queue', () => {
  test('gives chunks in the order in which they came, a rest that was put back first', () => {
    socket.enqueue(Buffer.from('one'));
    socket.enqueue(Buffer.from('two'));
    expect(socket.nextChunk()?.toString()).toBe('one');
    socket.putBack(Buffer.from('ne'));
    expect([socket.nextChunk(), socket.nextChunk()].join(' ')).toBe('ne two');
    expect(socket.nextChunk()).toBeUndefined();
  });

  test('can be taken at once', () => {
    socket.enqueue(Buffer.from('one'));
    socket.enqueue(Buffer.from('two'));
    expect(socket.takeQueue().join(' ')).toBe('one two');
    expect(socket.takeQueue()).toEqual([]);
    expect(socket.nextChunk()).toBeUndefined();
  });

  test('holds the upstream back at 256 KiB, and lets it go on below', () => {
    const half = Buffer.alloc(128 * KIBIBYTE);
    socket.enqueue(half);
    socket.enqueue(half.subarray(1));
    expect(loopback.near.isPaused()).toBe(false);
    socket.enqueue(Buffer.alloc(1));
    expect(loopback.near.isPaused()).toBe(true);
    socket.nextChunk();
    expect(loopback.near.isPaused()).toBe(false);
  });

  test('counts what is put back', () => {
    const most = Buffer.alloc(200 * KIBIBYTE);
    socket.enqueue(most);
    expect(socket.nextChunk()).toBe(most);
    socket.putBack(most.subarray(100));
    socket.enqueue(most);
    expect(loopback.near.isPaused()).toBe(true);
    socket.nextChunk();
    expect(loopback.near.isPaused()).toBe(false);
  });

  test('holds no more of a flood than its bound and a read', async () => {
    const flood = new UpstreamSocket(loopback.near, {
      onChunk: (chunk) => {
        flood.enqueue(chunk);
      },
      onLost: () => undefined,
    });
    loopback.far.send(sizedFrame('D', 16 * MEBIBYTE));
    await untilFact(() => loopback.near.isPaused(), 'the upstream to be held back');
    const heldBytes = flood.takeQueue().reduce((sum, chunk) => sum + chunk.length, 0);
    expect(heldBytes).toBeGreaterThanOrEqual(256 * KIBIBYTE);
    expect(heldBytes).toBeLessThanOrEqual((256 + 64) * KIBIBYTE);
  });
});

describe('sending', () => {
  const frames = [queryFrame('select 1'), queryFrame('select 2'), queryFrame('select 3')];

  test('writes a list at once', async () => {
    const sent = socket.send(frames);
    expect(loopback.near.bytesWritten).toBe(Buffer.concat(frames).length);
    await sent;
    expect(await loopback.far.bytes(loopback.near.bytesWritten)).toEqual(Buffer.concat(frames));
  });

  test('writes frames as they come', async () => {
    let goOn = (): void => undefined;
    const more = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* come(): AsyncGenerator<Buffer, void, undefined> {
      yield queryFrame('select 1');
      await more;
      yield queryFrame('select 2');
    }
    const sent = socket.send(come());
    expect((await loopback.far.frame()).bytes).toEqual(queryFrame('select 1'));
    goOn();
    expect((await loopback.far.frame()).bytes).toEqual(queryFrame('select 2'));
    await sent;
  });

  test.each([
    ['a list', (asked: Iterable<Buffer>): Iterable<Buffer> => asked],
    [
      'a stream',
      async function* stream(asked: Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
        yield* await Promise.resolve(asked);
      },
    ],
  ])('takes no more from %s than the upstream takes', async (_name, wrap) => {
    let taken = 0;
    function* ask(): Generator<Buffer, void, undefined> {
      for (; taken < 16; taken += 1) {
        yield sizedFrame('d', MEBIBYTE);
      }
    }
    loopback.far.pause();
    const sent = socket.send(wrap(ask()));
    await untilFact(() => loopback.near.writableNeedDrain, 'the upstream to be behind');
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBeLessThan(16);
    loopback.far.resume();
    await sent;
    expect(taken).toBe(16);
    expect(await loopback.far.bytes(16 * MEBIBYTE)).toHaveLength(16 * MEBIBYTE);
  });

  test('ends when the socket is destroyed while it waits', async () => {
    loopback.far.pause();
    const sent = socket.send(Array.from({ length: 16 }, () => sizedFrame('d', MEBIBYTE)));
    await untilFact(() => loopback.near.writableNeedDrain, 'the upstream to be behind');
    socket.destroy();
    await sent;
    await socket.send(frames);
  });

  test('fails with what its frames fail with', async () => {
    async function* fail(): AsyncGenerator<Buffer, void, undefined> {
      yield await Promise.resolve(queryFrame('select 1'));
      throw new Error('The client broke the protocol');
    }
    await expect(socket.send(fail())).rejects.toThrow('The client broke the protocol');
  });
});

describe('the other end', () => {
  test('is heard', async () => {
    loopback.far.send(Buffer.from('bytes'));
    await untilFact(() => chunks.length > 0, 'a chunk');
    expect(Buffer.concat(chunks).toString()).toBe('bytes');
    expect(losses).toEqual([]);
  });

  test('is lost without an error when it closes in good order', async () => {
    loopback.far.end();
    await untilFact(() => losses.length > 0, 'the loss');
    expect(losses[0]).toBeUndefined();
  });

  test('is lost with an error when the connection breaks', async () => {
    loopback.near.destroy(new Error('read ECONNRESET'));
    await untilFact(() => losses.length > 0, 'the loss');
    expect(losses[0]).toMatchObject({ sqlState: '08006', severity: 'FATAL' });
    expect(losses[0]?.cause).toMatchObject({ message: 'read ECONNRESET' });
  });

  test('can be made to wait', async () => {
    socket.pause();
    expect(loopback.near.isPaused()).toBe(true);
    loopback.far.send(Buffer.from('bytes'));
    socket.resume();
    await untilFact(() => chunks.length > 0, 'a chunk');
  });
});

describe('sayGoodbye', () => {
  test('says Terminate, and waits for the upstream to close', async () => {
    const said = socket.sayGoodbye();
    expect((await loopback.far.frame()).type).toBe('X');
    loopback.far.end();
    await said;
    expect(loopback.near.destroyed).toBe(true);
  });

  test('drops what still comes', async () => {
    socket.pause();
    loopback.far.send(sizedFrame('D', MEBIBYTE));
    const said = socket.sayGoodbye();
    loopback.far.end();
    await said;
    expect(loopback.near.destroyed).toBe(true);
  });

  test('gives up an upstream that does not close within a second', async () => {
    loopback.far.pause();
    const startedAtMs = performance.now();
    await socket.sayGoodbye();
    expect(performance.now() - startedAtMs).toBeGreaterThan(950);
    expect(loopback.near.destroyed).toBe(true);
  });

  test('says nothing to an upstream that has gone', async () => {
    socket.destroy();
    await socket.sayGoodbye();
    expect(loopback.near.bytesWritten).toBe(0);
  });
});
