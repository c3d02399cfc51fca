import { beforeEach, describe, expect, test } from '@jest/globals';
import { FrameScanner, WHOLE_FRAME_BYTES_MAX } from '../../../../wire/protocol/frame-scanner.ts';
import type { FrameVisitor, Verdict } from '../../../../wire/protocol/frame-scanner.ts';
import {
  commandComplete,
  dataRow,
  frameHeader,
  frameTypes,
  inPieces,
  readyForQuery,
  sizedFrame,
  splitFrames,
} from '../../../support/backend-frames.ts';
import { RECORDED_SESSION, RECORDED_TYPES } from '../../../support/recorded-session.ts';

/** So much of a frame over WHOLE_FRAME_BYTES_MAX the visitor sees at least. */
const PREFIX_BYTES = 512;

/** Frames on both sides of the bound, and one over several chunks, with small ones between. */
const LARGE_SESSION = [
  sizedFrame('T', 40, 'a'),
  sizedFrame('D', WHOLE_FRAME_BYTES_MAX, 'b'),
  sizedFrame('D', WHOLE_FRAME_BYTES_MAX + 1, 'c'),
  commandComplete('SELECT 2'),
  sizedFrame('D', 3 * WHOLE_FRAME_BYTES_MAX + 7, 'd'),
  readyForQuery(),
];

const FORWARD: FrameVisitor = () => 'forward';

interface Visited {
  readonly letter: string;
  readonly frameBytes: number;
}

let scanner: FrameScanner;

beforeEach(() => {
  scanner = new FrameScanner();
});

/** A visitor that remembers what it is asked, and looks only where it may. */
function createVisitor(judge: (index: number, letter: string) => Verdict = () => 'forward'): {
  readonly visit: FrameVisitor;
  readonly visited: Visited[];
} {
  const visited: Visited[] = [];
  return {
    visited,
    visit: (type, frameBytes, bytes, offset) => {
      const letter = String.fromCharCode(type);
      expect(bytes.toString('latin1', offset, offset + 1)).toBe(letter);
      expect(bytes.readUInt32BE(offset + 1)).toBe(frameBytes - 1);
      const shown = bytes.length - offset;
      expect(shown >= frameBytes || shown >= PREFIX_BYTES).toBe(true);
      expect(shown >= frameBytes || frameBytes > WHOLE_FRAME_BYTES_MAX).toBe(true);
      visited.push({ letter, frameBytes });
      return judge(visited.length - 1, letter);
    },
  };
}

/** All bytes that go on when nothing stops the scan. */
function forwardAll(pieces: readonly Buffer[], visit: FrameVisitor, by = scanner): Buffer {
  const forwarded: Buffer[] = [];
  for (const piece of pieces) {
    const { forward, rest, failure } = by.scan(piece, visit);
    expect(failure).toBeUndefined();
    expect(rest).toBeUndefined();
    forwarded.push(...forward);
  }
  return Buffer.concat(forwarded);
}

function visitedOf(frames: readonly Buffer[]): Visited[] {
  return frames.map((frame) => ({
    letter: frame.toString('latin1', 0, 1),
    frameBytes: frame.length,
  }));
}

describe('a recorded session', () => {
  const expected = visitedOf(splitFrames(RECORDED_SESSION));

  test('is shown frame by frame and forwarded byte for byte', () => {
    const { visit, visited } = createVisitor();
    expect(forwardAll([RECORDED_SESSION], visit)).toEqual(RECORDED_SESSION);
    expect(visited).toEqual(expected);
    expect(visited.map(({ letter }) => letter).join('')).toBe(RECORDED_TYPES);
  });

  test('that comes in one chunk is forwarded as one view of it', () => {
    const { forward } = scanner.scan(RECORDED_SESSION, FORWARD);
    expect(forward).toHaveLength(1);
    expect(forward[0]?.buffer).toBe(RECORDED_SESSION.buffer);
  });

  test('can be split at any byte', () => {
    for (let at = 0; at <= RECORDED_SESSION.length; at += 1) {
      const pieces = [RECORDED_SESSION.subarray(0, at), RECORDED_SESSION.subarray(at)];
      const letters: string[] = [];
      const forwarded = forwardAll(
        pieces,
        (type) => {
          letters.push(String.fromCharCode(type));
          return 'forward';
        },
        new FrameScanner(),
      );
      expect(forwarded.equals(RECORDED_SESSION)).toBe(true);
      expect(letters.join('')).toBe(RECORDED_TYPES);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 13, 64, 255])('can come in pieces of %d', (pieceBytes) => {
    const { visit, visited } = createVisitor();
    const forwarded = forwardAll(inPieces(RECORDED_SESSION, pieceBytes), visit);
    expect(forwarded.equals(RECORDED_SESSION)).toBe(true);
    expect(visited).toEqual(expected);
  });

  test.each(['D', 'S', 'Z', 'R', 'N'])('can do without its frames of type %s', (dropped) => {
    const kept = splitFrames(RECORDED_SESSION).filter(
      (frame) => frame[0] !== dropped.charCodeAt(0),
    );
    for (const pieceBytes of [1, 7, 100, RECORDED_SESSION.length]) {
      const { visit } = createVisitor((_index, letter) =>
        letter === dropped ? 'skip' : 'forward',
      );
      const pieces = inPieces(RECORDED_SESSION, pieceBytes);
      const forwarded = forwardAll(pieces, visit, new FrameScanner());
      expect(forwarded.equals(Buffer.concat(kept))).toBe(true);
    }
  });
});

describe('large frames', () => {
  const bytes = Buffer.concat(LARGE_SESSION);

  test.each([1000, 4096, 65_535, 65_536, 65_537, 200_000, bytes.length])(
    'go on unchanged in chunks of %d, and no more than one whole frame is held',
    (pieceBytes) => {
      const { visit, visited } = createVisitor();
      const forwarded: Buffer[] = [];
      let heldBytes = 0;
      for (const piece of inPieces(bytes, pieceBytes)) {
        const { forward } = scanner.scan(piece, visit);
        forwarded.push(...forward);
        heldBytes += piece.length - Buffer.concat(forward).length;
        expect(heldBytes).toBeLessThan(WHOLE_FRAME_BYTES_MAX);
      }
      expect(heldBytes).toBe(0);
      expect(Buffer.concat(forwarded).equals(bytes)).toBe(true);
      expect(visited).toEqual(visitedOf(LARGE_SESSION));
    },
  );

  test.each([
    ['is forwarded only when all of it is there, at the bound', WHOLE_FRAME_BYTES_MAX, false],
    ['is forwarded as it comes, one byte above', WHOLE_FRAME_BYTES_MAX + 1, true],
    ['is forwarded as it comes, at the longest', 0x7fffffff + 1, true],
  ])('%s', (_name, frameBytes, isStreamed) => {
    const header = frameHeader('D', frameBytes - 1);
    const start = Buffer.concat([header, Buffer.alloc(40_000)]);
    const { forward } = scanner.scan(start, FORWARD);
    expect(Buffer.concat(forward)).toHaveLength(isStreamed ? start.length : 0);
    expect(scanner.isInsideForwardedFrame).toBe(isStreamed);
  });

  test('are shown when their prefix is there, and not before', () => {
    const { visit, visited } = createVisitor();
    const frame = sizedFrame('D', 100_000);
    scanner.scan(frame.subarray(0, PREFIX_BYTES - 1), visit);
    expect(visited).toEqual([]);
    const { forward } = scanner.scan(frame.subarray(PREFIX_BYTES - 1, PREFIX_BYTES), visit);
    expect(visited).toEqual([{ letter: 'D', frameBytes: 100_000 }]);
    expect(forward).toEqual([frame.subarray(0, PREFIX_BYTES)]);
  });

  test('are copied as far as their prefix, and no further', () => {
    const frame = sizedFrame('D', 100_000);
    scanner.scan(frame.subarray(0, 100), FORWARD);
    const { forward } = scanner.scan(frame.subarray(100), FORWARD);
    expect(forward.map(({ length }) => length)).toEqual([PREFIX_BYTES, 100_000 - PREFIX_BYTES]);
    expect(forward[1]?.buffer).toBe(frame.buffer);
  });

  test.each([
    ['forward', true],
    ['last', true],
    ['skip', false],
    ['end', false],
  ] as const)('that were judged %s are dealt with to their end', (verdict, isForwarded) => {
    const [, , large = Buffer.alloc(0), next = Buffer.alloc(0)] = LARGE_SESSION;
    const { visit, visited } = createVisitor((index) => (index === 0 ? verdict : 'forward'));
    const first = scanner.scan(large.subarray(0, 1000), visit);
    expect(Buffer.concat(first.forward)).toHaveLength(isForwarded ? 1000 : 0);
    expect(scanner.isInsideForwardedFrame).toBe(isForwarded);
    const second = scanner.scan(Buffer.concat([large.subarray(1000), next]), visit);
    const expected = isForwarded ? [large.subarray(1000), next] : [next];
    expect(Buffer.concat(second.forward).equals(Buffer.concat(expected))).toBe(true);
    expect(scanner.isInsideForwardedFrame).toBe(false);
    expect(visited).toHaveLength(2);
  });

  test('that are cut before are not begun', () => {
    const { visit } = createVisitor((index) => (index === 0 ? 'cut' : 'forward'));
    const start = sizedFrame('D', 100_000).subarray(0, 2000);
    const { forward, rest } = scanner.scan(start, visit);
    expect(forward).toEqual([]);
    expect(rest).toEqual(start);
    expect(scanner.isInsideForwardedFrame).toBe(false);
  });
});

describe('stopping', () => {
  const frames = [
    sizedFrame('T', 30),
    dataRow('1'),
    dataRow('2'),
    commandComplete('SELECT 2'),
    sizedFrame('D', WHOLE_FRAME_BYTES_MAX + 100),
    readyForQuery(),
  ];
  const bytes = Buffer.concat(frames);

  /** What is forwarded before the stop at one frame, and what is left then, as it should be. */
  function expectedAt(index: number, verdict: Verdict): { before: Buffer; after: Buffer } {
    const isSent = verdict === 'last';
    const isLeft = verdict === 'cut';
    return {
      before: Buffer.concat(frames.slice(0, isSent ? index + 1 : index)),
      after: Buffer.concat(frames.slice(isLeft ? index : index + 1)),
    };
  }

  const everyStop = (['cut', 'last', 'end'] as const).flatMap((verdict) =>
    frames.map((frame, index) => [verdict, index, frame.toString('latin1', 0, 1)] as const),
  );

  test.each(everyStop)('%s at frame %d (%s) leaves exactly the rest', (verdict, index) => {
    const { before, after } = expectedAt(index, verdict);
    for (const pieceBytes of [1, 2, 3, 5, 8, 30, 50, 1000]) {
      const stopScanner = new FrameScanner();
      const { visit } = createVisitor((visit_) => (visit_ === index ? verdict : 'forward'));
      const sent: Buffer[] = [];
      const left: Buffer[] = [];
      let sentAtStop: Buffer | undefined;
      // What a relay does: the rest is scanned again, before what came behind it.
      const pieces = [
        ...inPieces(bytes.subarray(0, 1000), pieceBytes),
        ...inPieces(bytes.subarray(1000), 20_000),
      ];
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
        const { forward, rest } = stopScanner.scan(piece, visit);
        (sentAtStop === undefined ? sent : left).push(...forward);
        if (rest !== undefined) {
          expect(sentAtStop).toBeUndefined();
          sentAtStop = Buffer.concat(sent);
          pieces.unshift(rest);
        }
      }
      // The end of a large frame that was forwarded in part comes after the stop.
      expect(Buffer.concat([...sent, ...left]).equals(Buffer.concat([before, after]))).toBe(true);
      expect(sentAtStop?.equals(before.subarray(0, sentAtStop.length))).toBe(true);
      const isWhole = (frames[index]?.length ?? 0) <= WHOLE_FRAME_BYTES_MAX;
      expect(isWhole ? sentAtStop?.length : before.length).toBe(before.length);
    }
  });

  test.each([
    ['cut', 'TD', 'DCDZ'],
    ['end', 'TD', 'CDZ'],
    ['last', 'TDD', 'CDZ'],
  ] as const)('%s in the middle of one chunk', (verdict, sent, left) => {
    const { visit } = createVisitor((index) => (index === 2 ? verdict : 'forward'));
    const { forward, rest } = scanner.scan(bytes, visit);
    expect(frameTypes(Buffer.concat(forward))).toBe(sent);
    expect(frameTypes(rest ?? Buffer.alloc(0))).toBe(left);
  });

  test('tells a stop at the end of a chunk from no stop', () => {
    const [first = Buffer.alloc(0)] = frames;
    expect(scanner.scan(first, FORWARD).rest).toBeUndefined();
    expect(scanner.scan(first, () => 'last').rest).toHaveLength(0);
    expect(scanner.scan(first, () => 'end').rest).toHaveLength(0);
    expect(scanner.scan(first, () => 'cut').rest).toEqual(first);
  });

  test('leaves out what is skipped between what is forwarded, in order', () => {
    const { visit } = createVisitor((_index, letter) => (letter === 'D' ? 'skip' : 'forward'));
    const { forward } = scanner.scan(bytes, visit);
    expect(frameTypes(Buffer.concat(forward))).toBe('TCZ');
  });
});
