import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import { FRONTEND_FRAME_BYTES_MAX, ProtocolError } from '../../../../wire/protocol/frame.ts';
import { FrameReader } from '../../../../wire/protocol/frame-reader.ts';
import { frameHeader, inPieces, sizedFrame } from '../../../support/backend-frames.ts';
import { int32, queryFrame, startupPacket } from '../../../support/wire-client.ts';

/** One of everything that a frontend sends after its login, as node's `pg` writes it. */
const SESSION: readonly Buffer[] = [
  serialize.query('select 1'),
  serialize.query(''),
  serialize.parse({ name: 'one', text: 'select $1::int', types: [23] }),
  serialize.bind({ portal: 'p', statement: 'one', values: ['1', null, Buffer.from([0, 255])] }),
  serialize.describe({ type: 'S', name: 'one' }),
  serialize.describe({ type: 'P' }),
  serialize.execute({ portal: 'p', rows: 5 }),
  serialize.execute(),
  serialize.close({ type: 'P', name: 'p' }),
  serialize.flush(),
  serialize.sync(),
  serialize.copyData(Buffer.from('1\t2\n')),
  serialize.copyDone(),
  serialize.copyFail('no more'),
  serialize.query(`select '${'ü'.repeat(60)}'`),
  serialize.end(),
];

const SESSION_BYTES = Buffer.concat(SESSION);

let reader: FrameReader;

beforeEach(() => {
  reader = new FrameReader();
});

/** Every frame that is there, copied: a frame is valid until the next push only. */
function takeFrames(from = reader): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = from.nextFrame(); frame !== undefined; frame = from.nextFrame()) {
    expect(frame.type).toBe(frame.bytes[0]);
    frames.push(Buffer.from(frame.bytes));
  }
  return frames;
}

/** The frames of these pieces, each looked for after every piece. */
function readPieces(pieces: readonly Buffer[]): Buffer[] {
  const pieceReader = new FrameReader();
  const frames: Buffer[] = [];
  for (const piece of pieces) {
    pieceReader.push(piece);
    frames.push(...takeFrames(pieceReader));
  }
  expect(pieceReader.bufferedBytes).toBe(0);
  return frames;
}

describe('nextFrame', () => {
  test.each(SESSION.map((frame) => [String.fromCharCode(frame[0] ?? 0), frame] as const))(
    'reads a frame of type %s whole',
    (_type, frame) => {
      expect(readPieces([frame])).toEqual([frame]);
    },
  );

  test('reads a session in one chunk', () => {
    expect(readPieces([SESSION_BYTES])).toEqual(SESSION);
  });

  test('reads a session split at any byte', () => {
    for (let at = 0; at <= SESSION_BYTES.length; at += 1) {
      const frames = readPieces([SESSION_BYTES.subarray(0, at), SESSION_BYTES.subarray(at)]);
      expect(frames).toHaveLength(SESSION.length);
      expect(Buffer.concat(frames).equals(SESSION_BYTES)).toBe(true);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 64, 127])('reads a session in pieces of %d', (pieceBytes) => {
    expect(readPieces(inPieces(SESSION_BYTES, pieceBytes))).toEqual(SESSION);
  });

  test('gives no part of a frame whose last byte is missing', () => {
    const frame = queryFrame('select 1');
    for (let length = 0; length < frame.length; length += 1) {
      const partReader = new FrameReader();
      partReader.push(frame.subarray(0, length));
      expect(partReader.nextFrame()).toBeUndefined();
      expect(partReader.bufferedBytes).toBe(length);
    }
  });

  test('copies nothing of a chunk that holds whole frames', () => {
    reader.push(SESSION_BYTES);
    expect(reader.nextFrame()?.bytes.buffer).toBe(SESSION_BYTES.buffer);
  });

  test('keeps frames of one chunk valid until the next push', () => {
    reader.push(SESSION_BYTES);
    const frames = SESSION.map(() => reader.nextFrame()?.bytes);
    expect(frames).toEqual(SESSION);
  });

  test('leaves the chunk as the socket gave it when more bytes come', () => {
    const chunk = Buffer.from(SESSION_BYTES.subarray(0, 20));
    reader.push(chunk);
    reader.push(SESSION_BYTES.subarray(20));
    takeFrames();
    expect(chunk).toEqual(SESSION_BYTES.subarray(0, 20));
  });

  test('reads frames that are pushed while others are left', () => {
    for (const frame of SESSION) {
      reader.push(frame);
    }
    expect(takeFrames()).toEqual(SESSION);
  });

  test.each([
    ['exactly the limit', FRONTEND_FRAME_BYTES_MAX],
    ['one byte less', FRONTEND_FRAME_BYTES_MAX - 1],
  ])('reads a frame of %s, trickled in small pieces behind a part of another', (_name, bytes) => {
    const frame = sizedFrame('Q', bytes);
    const last = serialize.sync();
    const pieces = inPieces(Buffer.concat([SESSION_BYTES, frame, last]), 4099);
    const frames: Buffer[] = [];
    const allocations = jest.spyOn(Buffer, 'allocUnsafe');
    for (const piece of pieces) {
      reader.push(piece);
      frames.push(...takeFrames());
    }
    // Each allocation copies all that is held: one for every piece would copy 32 GiB.
    expect(allocations.mock.calls.length).toBeLessThan(40);
    allocations.mockRestore();
    expect(frames.map(({ length }) => length)).toEqual(
      [...SESSION, frame, last].map(({ length }) => length),
    );
    expect(frames[SESSION.length]?.equals(frame)).toBe(true);
  });

  test('reads a frame whose bytes come one by one in linear time', () => {
    const frame = sizedFrame('Q', 256 * 1024);
    const allocations = jest.spyOn(Buffer, 'allocUnsafe');
    for (let at = 0; at < frame.length; at += 1) {
      reader.push(frame.subarray(at, at + 1));
    }
    expect(allocations.mock.calls.length).toBeLessThan(40);
    allocations.mockRestore();
    expect(reader.nextFrame()?.bytes.equals(frame)).toBe(true);
    expect(reader.bufferedBytes).toBe(0);
  });

  test.each([
    ['of one byte over the limit', FRONTEND_FRAME_BYTES_MAX, /^message of 16777217 bytes is over/],
    ['of the longest length', 0x7fffffff, /^message of 2147483648 bytes is over/],
    ['of a negative length', -1, /^message of 4294967296 bytes is over/],
    ['shorter than its length word', 3, /^invalid message length$/],
    ['of length 0', 0, /^invalid message length$/],
  ])('refuses a frame %s on its header', (_name, lengthWord, message) => {
    reader.push(frameHeader('Q', lengthWord));
    expect(() => reader.nextFrame()).toThrow(message);
    expect(() => reader.nextFrame()).toThrow(ProtocolError);
  });

  test('takes the shortest length, which is the length word alone', () => {
    reader.push(frameHeader('S', 4));
    expect(reader.nextFrame()?.bytes).toEqual(serialize.sync());
  });

  test.each([
    ['p, which only a login has', 'p', 112],
    ['R, which only a backend sends', 'R', 82],
    ['the first byte of a TLS record', '\x16', 22],
    ['of HTTP', 'G', 71],
    ['zero', '\0', 0],
  ])('refuses the type byte %s', (_name, type, code) => {
    reader.push(frameHeader(type, 4));
    expect(() => reader.nextFrame()).toThrow(
      new ProtocolError(`invalid frontend message type ${code}`),
    );
  });

  test('judges the header only when all of it is there', () => {
    reader.push(frameHeader('\0', 0).subarray(0, 4));
    expect(reader.nextFrame()).toBeUndefined();
  });

  test('gives the frames before a broken one', () => {
    reader.push(Buffer.concat([serialize.sync(), queryFrame('x'), frameHeader('?', 4)]));
    expect(reader.nextFrame()?.bytes).toEqual(serialize.sync());
    expect(reader.nextFrame()?.bytes).toEqual(queryFrame('x'));
    expect(() => reader.nextFrame()).toThrow(ProtocolError);
  });

  test('makes frames or a ProtocolError of any bytes, and loses none on the way', () => {
    const type = fc.constantFrom('B', 'Q', 'S', 'X', 'd', 'Z', '\0');
    const frame = fc
      .tuple(type, fc.integer({ min: 0, max: 40 }), fc.integer({ min: -2, max: 2 }))
      .map(([letter, bodyBytes, error]) =>
        Buffer.concat([frameHeader(letter, bodyBytes + 4 + error), Buffer.alloc(bodyBytes)]),
      );
    const chunk = fc.oneof(
      frame,
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), (chunks) => {
        const bytes = Buffer.concat(chunks);
        const randomReader = new FrameReader();
        const frames: Buffer[] = [];
        try {
          for (const piece of chunks) {
            randomReader.push(piece);
            frames.push(...takeFrames(randomReader));
          }
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError);
          return;
        }
        const read = Buffer.concat([...frames, randomReader.takeRest()]);
        expect(read.equals(bytes)).toBe(true);
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});

describe('nextStartupPacket', () => {
  const packet = startupPacket({ user: 'alice', database: 'shop' });

  test('gives a packet without its length word, however its bytes come', () => {
    for (let at = 0; at <= packet.length; at += 1) {
      const splitReader = new FrameReader();
      splitReader.push(packet.subarray(0, at));
      const early = splitReader.nextStartupPacket();
      splitReader.push(packet.subarray(at));
      expect(early ?? splitReader.nextStartupPacket()).toEqual(packet.subarray(4));
      expect(early !== undefined).toBe(at === packet.length);
    }
  });

  test('leaves what came behind it for whoever reads next', () => {
    reader.push(Buffer.concat([serialize.requestSsl(), packet, queryFrame('select 1')]));
    expect(reader.nextStartupPacket()).toHaveLength(4);
    expect(reader.nextStartupPacket()).toEqual(packet.subarray(4));
    expect(reader.nextFrame()?.bytes).toEqual(queryFrame('select 1'));
  });

  test.each([8, 9, 10_000])('waits for the body of a packet of %d bytes', (length) => {
    reader.push(int32(length));
    expect(reader.nextStartupPacket()).toBeUndefined();
    reader.push(Buffer.alloc(length - 4));
    expect(reader.nextStartupPacket()).toHaveLength(length - 4);
    expect(reader.bufferedBytes).toBe(0);
  });

  test.each([0, 4, 7, 10_001, 0x47455420, 0x7fffffff, -1])(
    'refuses a packet of %d bytes on its length word',
    (length) => {
      reader.push(int32(length));
      expect(() => reader.nextStartupPacket()).toThrow(
        new ProtocolError('invalid length of startup packet'),
      );
    },
  );

  test('waits for a length word of which bytes are missing', () => {
    reader.push(Buffer.from([0xff, 0xff, 0xff]));
    expect(reader.nextStartupPacket()).toBeUndefined();
  });
});

describe('unread bytes', () => {
  test('are counted', () => {
    expect(reader.bufferedBytes).toBe(0);
    reader.push(SESSION_BYTES);
    expect(reader.bufferedBytes).toBe(SESSION_BYTES.length);
    reader.nextFrame();
    expect(reader.bufferedBytes).toBe(SESSION_BYTES.length - (SESSION[0]?.length ?? 0));
  });

  test('can be looked at without being read', () => {
    expect(reader.peekByte()).toBeUndefined();
    reader.push(Buffer.alloc(0));
    expect(reader.peekByte()).toBeUndefined();
    reader.push(Buffer.from([0x16, 3]));
    reader.push(Buffer.from([1]));
    expect(reader.peekByte()).toBe(0x16);
    expect(reader.bufferedBytes).toBe(3);
  });

  test('can be taken out, also from the middle of what was put together', () => {
    reader.push(serialize.sync().subarray(0, 2));
    reader.push(Buffer.concat([serialize.sync().subarray(2), Buffer.from('behind')]));
    reader.nextFrame();
    expect(reader.takeRest().toString()).toBe('behind');
    expect(reader.bufferedBytes).toBe(0);
    expect(reader.takeRest()).toHaveLength(0);
    reader.push(queryFrame('select 1'));
    expect(takeFrames()).toEqual([queryFrame('select 1')]);
  });
});
