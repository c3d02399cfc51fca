import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { FrontendConnection } from '../../../wire/frontend-connection.ts';
import { ProtocolError } from '../../../wire/protocol/frame.ts';
import { frameHeader, inPieces, sizedFrame } from '../../support/backend-frames.ts';
import { untilFact } from '../../support/facts.ts';
import { openLoopback } from '../../support/loopback.ts';
import type { Loopback } from '../../support/loopback.ts';
import {
  frontendFrame,
  queryFrame,
  SSL_REQUEST,
  startupPacket,
} from '../../support/wire-client.ts';

const MEBIBYTE = 1024 * 1024;

const SYNC = frontendFrame('S', '');

let loopback: Loopback;
let connection: FrontendConnection;

beforeEach(async () => {
  loopback = await openLoopback();
  connection = new FrontendConnection(loopback.near);
});

afterEach(() => {
  loopback.close();
});

/** The next frame, copied: it is valid until the one after it is asked for. */
async function nextFrame(): Promise<Buffer | undefined> {
  const frame = await connection.frame();
  return frame && Buffer.from(frame.bytes);
}

describe('reading', () => {
  test('goes from the first byte through startup packets to frames', async () => {
    const packet = startupPacket({ user: 'alice' });
    loopback.far.send(SSL_REQUEST, packet, queryFrame('select 1'), SYNC);
    expect(await connection.firstByte()).toBe(0);
    expect(await connection.startupPacket()).toEqual(SSL_REQUEST.subarray(4));
    expect(await connection.startupPacket()).toEqual(packet.subarray(4));
    expect(await nextFrame()).toEqual(queryFrame('select 1'));
    expect(connection.bufferedBytes).toBe(SYNC.length);
    expect(await nextFrame()).toEqual(SYNC);
  });

  test('waits for a frame that comes in pieces', async () => {
    const frame = queryFrame('select something long enough');
    const read = nextFrame();
    await loopback.far.sendInPieces(inPieces(frame, 3));
    expect(await read).toEqual(frame);
  });

  test('takes nothing but the login while there is one', async () => {
    const answer = frontendFrame('p', 'c=biws');
    loopback.far.send(answer, queryFrame('select 1'));
    const frame = await connection.loginFrame();
    expect(frame && Buffer.from(frame.bytes)).toEqual(answer);
    await expect(connection.loginFrame()).rejects.toThrow(ProtocolError);
    expect(await nextFrame()).toEqual(queryFrame('select 1'));
  });

  test('answers a pipeline of a client that has said its last word', async () => {
    const frames = [queryFrame('select 1'), queryFrame('select 2'), SYNC];
    loopback.far.send(...frames);
    loopback.far.end();
    expect([await nextFrame(), await nextFrame(), await nextFrame()]).toEqual(frames);
    expect(await nextFrame()).toBeUndefined();
    expect(connection.isClosed).toBe(false);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a part of a frame', queryFrame('select 1').subarray(0, 7)],
  ])('ends when the client leaves after it sent %s', async (_name, sent) => {
    loopback.far.send(sent);
    loopback.far.end();
    expect(await nextFrame()).toBeUndefined();
    expect(await nextFrame()).toBeUndefined();
  });

  test('gives no first byte of a client that left before it sent one', async () => {
    loopback.far.destroy();
    expect(await connection.firstByte()).toBeUndefined();
  });

  test('fails on what is not the protocol', async () => {
    loopback.far.send(SYNC, frameHeader('?', 4));
    expect(await nextFrame()).toEqual(SYNC);
    await expect(connection.frame()).rejects.toThrow(ProtocolError);
  });

  test('does not read on while nobody asks, and loses nothing of what waits', async () => {
    const frames = Array.from({ length: 64 }, (_, index) =>
      queryFrame(`${index}`.padEnd(32 * 1024, 'x')),
    );
    for (const frame of frames) {
      loopback.far.send(frame);
    }
    await untilFact(() => loopback.near.isPaused(), 'the socket to be paused');
    // The bound, and the one read of the socket that passed it.
    expect(connection.bufferedBytes).toBeLessThan(128 * 1024);
    for (const frame of frames) {
      expect((await nextFrame())?.equals(frame)).toBe(true);
    }
  });
});

describe('whoever waits for a frame', () => {
  const failure = new ServiceError('57P01', 'Bye', { severity: 'FATAL' });

  test('fails when it is interrupted', async () => {
    const read = connection.frame();
    connection.interrupt(failure);
    await expect(read).rejects.toBe(failure);
  });

  test('fails with the first of two errors, whatever has come in between', async () => {
    connection.interrupt(failure);
    connection.interrupt(new ServiceError('XX000', 'Later'));
    loopback.far.send(SYNC);
    await expect(connection.frame()).rejects.toBe(failure);
    await expect(connection.startupPacket()).rejects.toBe(failure);
  });

  test('sees the client as gone when reading is stopped', async () => {
    const read = connection.frame();
    connection.stopReading();
    expect(await read).toBeUndefined();
    expect(connection.isClosed).toBe(false);
  });

  test('can still be told why', async () => {
    connection.interrupt(failure);
    connection.write(Buffer.from('last words'));
    expect((await loopback.far.bytes(10)).toString()).toBe('last words');
  });
});

describe('a client that has gone', () => {
  test('is noticed while nobody reads, once', async () => {
    let calls = 0;
    const gone = new Promise<void>((resolve) => {
      connection.onClosed(() => {
        calls += 1;
        resolve();
      });
    });
    loopback.far.destroy();
    await gone;
    connection.destroy();
    expect(calls).toBe(1);
  });

  test('is not taken for gone while frames of it are left to be answered', async () => {
    let isTold = false;
    connection.onClosed(() => {
      isTold = true;
    });
    loopback.far.send(SYNC);
    loopback.far.end();
    await untilFact(() => loopback.near.readableEnded, 'the end of the stream');
    expect(isTold).toBe(false);
    expect(await nextFrame()).toEqual(SYNC);
  });

  test('is written to without effect', async () => {
    connection.destroy();
    connection.write(Buffer.from('too late'));
    expect([connection.isClosed, connection.hasRoom, connection.sentBytes]).toEqual([
      true,
      true,
      0,
    ]);
    await connection.room();
    await connection.end();
    expect(await nextFrame()).toBeUndefined();
  });
});

describe('writing', () => {
  test('keeps the order, and counts the bytes', async () => {
    connection.write(Buffer.from('one '));
    connection.write(Buffer.from('two '), Buffer.from('three '), Buffer.from('four'));
    expect((await loopback.far.bytes(18)).toString()).toBe('one two three four');
    expect(connection.sentBytes).toBe(18);
    expect(connection.hasRoom).toBe(true);
  });

  test('says when the client is behind, and when it has caught up', async () => {
    loopback.far.pause();
    const chunk = Buffer.alloc(MEBIBYTE, 'x');
    await untilFact(() => {
      connection.write(chunk);
      return !connection.hasRoom;
    }, 'the buffers to fill');
    const rooms = Promise.all([connection.room(), connection.room()]);
    loopback.far.resume();
    await rooms;
    expect(connection.hasRoom).toBe(true);
    expect((await loopback.far.bytes(connection.sentBytes)).every((byte) => byte === 120)).toBe(
      true,
    );
  });

  test('does not wait for a client that goes', async () => {
    loopback.far.pause();
    connection.write(Buffer.alloc(16 * MEBIBYTE));
    expect(connection.hasRoom).toBe(false);
    const room = connection.room();
    loopback.far.destroy();
    await room;
    await untilFact(() => connection.isClosed, 'the connection to be closed');
  });

  test('gives up a client that takes no byte', async () => {
    const slow = new FrontendConnection(loopback.near, 50);
    loopback.far.pause();
    slow.write(Buffer.alloc(16 * MEBIBYTE));
    await slow.room();
    await expect(slow.frame()).rejects.toMatchObject({
      sqlState: '08006',
      severity: 'FATAL',
      message: 'Client took no byte for 50 ms',
    });
    expect(loopback.near.destroyed).toBe(true);
  });

  test('does not give up an idle client that nobody waits for', async () => {
    const idle = new FrontendConnection(loopback.near, 1);
    idle.write(Buffer.from('x'));
    await idle.room();
    await loopback.far.bytes(1);
    expect(loopback.near.timeout ?? 0).toBe(0);
  });
});

describe('end', () => {
  test('says what is written and no more', async () => {
    connection.write(Buffer.alloc(MEBIBYTE, 'x'));
    connection.write(Buffer.from('bye'));
    const ended = connection.end();
    const received = await loopback.far.closed();
    await ended;
    expect(received).toHaveLength(MEBIBYTE + 3);
    expect(received.toString('latin1', MEBIBYTE)).toBe('bye');
    expect(connection.isClosed).toBe(true);
  });

  test('loses no last words to bytes of the client that nobody has read', async () => {
    loopback.far.pause();
    const unread = sizedFrame('d', 4 * MEBIBYTE);
    loopback.far.send(unread);
    await untilFact(() => loopback.near.isPaused(), 'the socket to be paused');
    connection.write(Buffer.from('last words'));
    const ended = connection.end();
    loopback.far.resume();
    expect((await loopback.far.bytes(10)).toString()).toBe('last words');
    await ended;
    expect(loopback.near.bytesRead).toBe(unread.length);
  });

  test('waits two seconds and no longer for a client that does not leave', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      loopback.far.pause();
      connection.write(Buffer.alloc(16 * MEBIBYTE));
      const ended = connection.end();
      jest.advanceTimersByTime(1999);
      expect(loopback.near.destroyed).toBe(false);
      jest.advanceTimersByTime(1);
      await ended;
      expect(connection.isClosed).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });
});
