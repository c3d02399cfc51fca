import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Guard } from '../../../src/guardrails/guard.ts';
import type { Limits } from '../../../src/config.ts';

const LIMITS: Limits = {
  rowsMax: 3,
  bytesMax: 100,
  queryTimeoutMs: 30_000,
  onLimit: 'error',
};

/** Counts rows of these sizes; gives the answers and what was counted then. */
function countAll(
  limits: Partial<Limits>,
  sizes: readonly number[],
): { answers: boolean[]; rows: number; bytes: number; exceeded: string | undefined } {
  const guard = new Guard({ ...LIMITS, ...limits });
  const answers = sizes.map((frameBytes) => guard.countRow(frameBytes));
  return { answers, rows: guard.rows, bytes: guard.bytes, exceeded: guard.exceeded };
}

describe('countRow', () => {
  const full = { rows: 3, bytes: 60, exceeded: undefined };

  test.each([
    ['nothing', [], [], { rows: 0, bytes: 0, exceeded: undefined }],
    ['one row', [20], [true], { rows: 1, bytes: 20, exceeded: undefined }],
    ['exactly as many rows as are allowed', [20, 20, 20], [true, true, true], full],
    ['one row more', [20, 20, 20, 7], [true, true, true, false], { ...full, exceeded: 'rows' }],
    [
      'exactly as many bytes as are allowed',
      [50, 50],
      [true, true],
      { rows: 2, bytes: 100, exceeded: undefined },
    ],
    ['one byte more', [50, 51], [true, false], { rows: 1, bytes: 50, exceeded: 'bytes' }],
    ['a first row over the bytes', [101], [false], { rows: 0, bytes: 0, exceeded: 'bytes' }],
    [
      'a small row after one that did not fit',
      [50, 51, 7],
      [true, false, false],
      { rows: 1, bytes: 50, exceeded: 'bytes' },
    ],
    [
      'rows after the limit of rows, however small',
      [20, 20, 20, 20, 0],
      [true, true, true, false, false],
      { ...full, exceeded: 'rows' },
    ],
    [
      'a row that would pass both limits',
      [20, 20, 20, 50],
      [true, true, true, false],
      { ...full, exceeded: 'rows' },
    ],
  ])('%s', (_name, sizes, answers, expected) => {
    expect(countAll({}, sizes)).toEqual({ answers, ...expected });
  });

  test('delivers as much as fits and never more, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 7, max: 200 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 2000 }),
        (sizes, rowsMax, bytesMax) => {
          const { answers, rows, bytes, exceeded } = countAll({ rowsMax, bytesMax }, sizes);
          const delivered = sizes.slice(0, rows);
          const total = delivered.reduce((sum, size) => sum + size, 0);
          expect(answers).toEqual(sizes.map((_size, index) => index < rows));
          expect(bytes).toBe(total);
          expect(rows <= rowsMax && bytes <= bytesMax).toBe(true);
          const next = sizes[rows];
          const isOver = next !== undefined && (rows === rowsMax || bytes + next > bytesMax);
          expect(exceeded !== undefined).toBe(isOver);
          expect(next === undefined || isOver).toBe(true);
        },
      ),
      { seed: 9, numRuns: 500 },
    );
  });
});

describe('what is said at a limit', () => {
  function exceededGuard(limits: Partial<Limits>): Guard {
    const guard = new Guard({ ...LIMITS, ...limits });
    guard.countRow(20);
    guard.countRow(20);
    return guard;
  }

  test.each([
    [
      { rowsMax: 1 },
      'Result cut at the limit of 1 rows per query',
      /WIRE_MAX_ROWS.*max_rows.*gatepost\.max_rows/,
    ],
    [
      { bytesMax: 39 },
      'Result cut at the limit of 39 bytes per query',
      /WIRE_MAX_BYTES.*max_bytes.*gatepost\.max_bytes/,
    ],
  ])('names the limit and the settings that raise it: %j', (limits, message, hint) => {
    const guard = exceededGuard(limits);
    expect(guard.describeCut()).toEqual({ message, hint: expect.stringMatching(hint) });
    expect(guard.cutError()).toMatchObject({
      name: 'ServiceError',
      sqlState: '54000',
      severity: 'ERROR',
      message,
      hint: expect.stringMatching(hint),
      detail: undefined,
    });
  });

  test('can have a detail', () => {
    expect(exceededGuard({ rowsMax: 1 }).cutError('One row was sent').detail).toBe(
      'One row was sent',
    );
  });

  test('keeps the limits that it was opened with', () => {
    const limits = { ...LIMITS, onLimit: 'truncate' } as const;
    expect(new Guard(limits).limits).toBe(limits);
  });
});
