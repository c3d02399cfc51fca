// The scanner on bytes that nobody meant, and on everything else that can come.
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolError } from '../../../../wire/protocol/frame.ts';
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
} from '../../../support/backend-frames.ts';

const FORWARD: FrameVisitor = () => 'forward';

let scanner: FrameScanner;

beforeEach(() => {
  scanner = new FrameScanner();
});

describe('what is not the protocol', () => {
  test.each([0, 1, 3, -1, -2_147_483_648])(
    'is a length of %d: a ProtocolError, however it comes',
    (lengthWord) => {
      const broken = Buffer.concat([frameHeader('D', lengthWord), Buffer.alloc(20)]);
      const bytes = Buffer.concat([dataRow('1'), dataRow('2'), broken]);
      for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes += 1) {
        const brokenScanner = new FrameScanner();
        const scans = inPieces(bytes, pieceBytes).map((piece) =>
          brokenScanner.scan(piece, FORWARD),
        );
        const failed = scans.findIndex(({ failure }) => failure !== undefined);
        expect(scans[failed]?.failure).toEqual(
          new ProtocolError('invalid message length from the upstream'),
        );
        // Whole frames before it go on: they have been counted.
        const before = scans.slice(0, failed + 1).flatMap(({ forward }) => forward);
        expect(frameTypes(Buffer.concat(before))).toBe('DD');
      }
    },
  );

  test('comes behind the end of a large frame, which goes on', () => {
    const large = sizedFrame('D', 100_000);
    scanner.scan(large.subarray(0, 60_000), FORWARD);
    const end = Buffer.concat([large.subarray(60_000), frameHeader('D', 0)]);
    const { forward, failure } = scanner.scan(end, FORWARD);
    expect(failure).toBeInstanceOf(ProtocolError);
    expect(Buffer.concat(forward)).toHaveLength(40_000);
    expect(scanner.isInsideForwardedFrame).toBe(false);
  });

  test('is what the visitor says it is', () => {
    const refusal = new ProtocolError('not asked for');
    const visit: FrameVisitor = (type) => {
      if (type === 0x43) {
        throw refusal;
      }
      return 'forward';
    };
    const bytes = Buffer.concat([dataRow('1'), commandComplete('SELECT 1'), readyForQuery()]);
    const { forward, rest, failure } = scanner.scan(bytes, visit);
    expect(failure).toBe(refusal);
    expect(rest).toBeUndefined();
    expect(frameTypes(Buffer.concat(forward))).toBe('D');
  });

  test('or frames are all that any bytes can be, and nothing of them is changed', () => {
    const frame = fc
      .tuple(fc.constantFrom('D', 'C', 'Z', 'N'), fc.integer({ min: 0, max: 30 }))
      .map(([letter, bodyBytes]) => sizedFrame(letter, bodyBytes + 5));
    const random = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
    const large = fc.constant(sizedFrame('D', WHOLE_FRAME_BYTES_MAX + 10));
    const chunk = fc.oneof(
      { arbitrary: frame, weight: 12 },
      { arbitrary: random, weight: 3 },
      { arbitrary: large, weight: 1 },
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 10 }), fc.nat(70), (chunks, cutBytes) => {
        const bytes = Buffer.concat(chunks);
        const randomScanner = new FrameScanner();
        const forwarded: Buffer[] = [];
        const pieces = [
          ...inPieces(bytes.subarray(0, cutBytes * 3), cutBytes + 1),
          bytes.subarray(cutBytes * 3),
        ];
        for (const piece of pieces) {
          const { forward, rest, failure } = randomScanner.scan(piece, FORWARD);
          forwarded.push(...forward);
          expect(rest).toBeUndefined();
          if (failure !== undefined) {
            expect(failure).toBeInstanceOf(ProtocolError);
            break;
          }
        }
        const sent = Buffer.concat(forwarded);
        expect(sent.equals(bytes.subarray(0, sent.length))).toBe(true);
      }),
      { seed: 7, numRuns: 1000 },
    );
  });
});

describe('any verdicts on any frames in any pieces', () => {
  interface Plan {
    readonly frame: Buffer;
    readonly verdict: Verdict;
  }

  const plan = fc.record({
    frame: fc
      .oneof({ arbitrary: fc.integer({ min: 5, max: 40 }), weight: 9 }, fc.constant(66_000))
      .map((frameBytes) => sizedFrame('D', frameBytes)),
    verdict: fc.constantFrom<Verdict>('forward', 'forward', 'skip', 'last', 'end', 'cut'),
  });

  /** A frame that was cut is asked about again, and goes on then. */
  function createPlannedVisitor(plans: readonly Plan[]): FrameVisitor {
    const left = plans.flatMap(({ verdict }): Verdict[] =>
      verdict === 'cut' ? ['cut', 'forward'] : [verdict],
    );
    return () => left.shift() ?? 'forward';
  }

  test('forward exactly the frames that were to go on', () => {
    fc.assert(
      fc.property(
        fc.array(plan, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 12 }),
        (plans, sizes) => {
          let bytes = Buffer.concat(plans.map(({ frame }) => frame));
          const visit = createPlannedVisitor(plans);
          const plannedScanner = new FrameScanner();
          const forwarded: Buffer[] = [];
          const pieces: Buffer[] = [];
          for (const size of sizes) {
            pieces.push(bytes.subarray(0, size));
            bytes = bytes.subarray(size);
          }
          pieces.push(bytes);
          for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
            const { forward, rest } = plannedScanner.scan(piece, visit);
            forwarded.push(...forward);
            pieces.unshift(...(rest === undefined ? [] : [rest]));
          }
          const expected = plans.filter(({ verdict }) => verdict !== 'skip' && verdict !== 'end');
          const sent = Buffer.concat(expected.map(({ frame }) => frame));
          expect(Buffer.concat(forwarded).equals(sent)).toBe(true);
        },
      ),
      { seed: 8, numRuns: 1000 },
    );
  });
});
