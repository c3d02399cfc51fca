import { afterEach, beforeEach, describe, expect, it, jest, test } from '@jest/globals';
import type { LossReport } from '../../../src/store/loss-tally.ts';
import { createRecordId } from '../../../src/store/record-ids.ts';
import {
  BATCH_RECORDS_MAX,
  FLUSH_INTERVAL_MS,
  RecordWriter,
  WAITING_BYTES_MAX,
  WAITING_RECORDS_MAX,
} from '../../../src/store/record-writer.ts';
import { createMemoryRecords } from '../../support/memory-records.ts';
import type { InsertFault, MemoryRecords } from '../../support/memory-records.ts';

interface Numbered {
  readonly number: number;
  readonly heldBytes: number;
}

const NEVER = new AbortController().signal;

let insert: MemoryRecords;
let losses: LossReport[];
let writer: RecordWriter<Numbered>;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance'] });
  insert = createMemoryRecords();
  losses = [];
  writer = new RecordWriter<Numbered>({
    stream: 'activity',
    insert,
    encode: ({ number }) => {
      if (number < 0) {
        throw new Error('It cannot be made');
      }
      return { _id: createRecordId(), at: new Date(), number };
    },
    report: (loss) => losses.push(loss),
  });
});

afterEach(() => {
  jest.useRealTimers();
});

function append(count: number, heldBytes = 100): void {
  for (let number = 0; number < count; number += 1) {
    writer.append({ number, heldBytes });
  }
}

/** Lets the time pass, and what is due by then happen. */
async function pass(timeMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < timeMs; passedMs += 50) {
    await jest.advanceTimersByTimeAsync(Math.min(50, timeMs));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const lostOf = (reason: string): number =>
  losses.filter((loss) => loss.reason === reason).reduce((sum, { records }) => sum + records, 0);

describe('RecordWriter', () => {
  it('waits a moment for others, and writes them together', async () => {
    append(3);
    await pass(FLUSH_INTERVAL_MS / 2);
    expect(insert.stored).toEqual([]);
    await pass(FLUSH_INTERVAL_MS);
    expect(insert.batches).toEqual([3]);
    expect(insert.stored.map(({ number }) => Number(number))).toEqual([0, 1, 2]);
    expect(writer.counts).toEqual({ written: 3, lost: 0, waiting: 0 });
  });

  it('does not wait with a full batch, and writes one batch at a time', async () => {
    append(2 * BATCH_RECORDS_MAX + 1);
    // Turns of the event loop, and none of the timers' time.
    while (insert.batches.length < 2) {
      await pass(1);
    }
    expect(insert.batches).toEqual([BATCH_RECORDS_MAX, BATCH_RECORDS_MAX]);
    await pass(FLUSH_INTERVAL_MS);
    expect(insert.batches.at(-1)).toBe(1);
    expect(insert.concurrencyMax).toBe(1);
    expect(writer.counts.written).toBe(2 * BATCH_RECORDS_MAX + 1);
  });

  it('makes batches of large records smaller', async () => {
    append(10, 1024 * 1024);
    await pass(10 * FLUSH_INTERVAL_MS);
    expect(Math.max(...insert.batches)).toBeLessThanOrEqual(2);
    expect(insert.stored).toHaveLength(10);
  });

  test.each<readonly [string, readonly InsertFault[]]>([
    ['was away', ['away', 'away', 'pass']],
    ['broke off before', ['broken before', 'broken before', 'pass']],
    ['broke off after', ['broken after', 'pass']],
    ['broke off within, and again', ['broken within', 'broken within', 'broken within', 'pass']],
    ['broke off, then was away', ['broken within', 'away', 'pass']],
    ['refused at first', ['refused', 'refused', 'pass']],
  ])('writes each record once where MongoDB %s', async (_name, faults) => {
    insert.faults = [...faults];
    append(10);
    await pass(20_000);
    const numbers = insert.stored.map(({ number }) => Number(number));
    expect(numbers.toSorted((one, other) => one - other)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(writer.counts).toEqual({ written: 10, lost: 0, waiting: 0 });
    expect(losses).toEqual([]);
  });

  it('gives up a batch that is refused again and again, and goes on with the next', async () => {
    insert.faults = ['refused'];
    append(10);
    await pass(20_000);
    expect(lostOf('refused (Unauthorized)')).toBe(10);
    insert.faults = ['pass'];
    append(5);
    await pass(5000);
    expect(writer.counts).toEqual({ written: 5, lost: 10, waiting: 0 });
  });

  it('counts the records that are not taken', async () => {
    insert.faults = ['half refused'];
    append(10);
    await pass(5000);
    expect(writer.counts).toEqual({ written: 5, lost: 5, waiting: 0 });
    expect(lostOf('refused')).toBe(5);
  });

  it('loses a record that cannot be made, and none beside it', async () => {
    append(2);
    writer.append({ number: -1, heldBytes: 100 });
    append(2);
    await pass(5000);
    expect(writer.counts).toEqual({ written: 4, lost: 1, waiting: 0 });
    expect(lostOf('fault')).toBe(1);
  });
});

describe('while MongoDB is away', () => {
  beforeEach(() => {
    insert.faults = ['away'];
  });

  it('keeps as many records as it may, and counts the rest', async () => {
    append(WAITING_RECORDS_MAX + 7);
    await pass(5000);
    expect(writer.counts).toEqual({ written: 0, lost: 7, waiting: WAITING_RECORDS_MAX });
    expect(lostOf('queue full')).toBe(7);
    insert.faults = ['pass'];
    await pass(10_000);
    expect(writer.counts).toEqual({ written: WAITING_RECORDS_MAX, lost: 7, waiting: 0 });
  });

  it('keeps as many bytes as it may', async () => {
    append(17, WAITING_BYTES_MAX / 16);
    await pass(5000);
    expect(writer.counts).toEqual({ written: 0, lost: 1, waiting: 16 });
  });

  it('tells of it once a second', async () => {
    append(WAITING_RECORDS_MAX);
    for (let round = 0; round < 40; round += 1) {
      append(10);
      await pass(100);
    }
    expect(losses.length).toBeGreaterThanOrEqual(2);
    expect(losses.length).toBeLessThanOrEqual(6);
    expect(losses.every(({ stream }) => stream === 'activity')).toBe(true);
  });
});

describe('close', () => {
  it('writes what waits', async () => {
    append(2 * BATCH_RECORDS_MAX + 10);
    await writer.close(NEVER);
    expect(writer.counts.written).toBe(2 * BATCH_RECORDS_MAX + 10);
  });

  it('waits for a batch on its way, and writes what came meanwhile', async () => {
    append(BATCH_RECORDS_MAX);
    await pass(50);
    append(10);
    await writer.close(NEVER);
    expect(writer.counts).toEqual({ written: BATCH_RECORDS_MAX + 10, lost: 0, waiting: 0 });
  });

  test.each<InsertFault>(['away', 'silent', 'broken before'])(
    'ends at its deadline where MongoDB is %s, and counts what is left',
    async (fault) => {
      insert.faults = [fault];
      append(BATCH_RECORDS_MAX + 10);
      const deadline = new AbortController();
      const closing = writer.close(deadline.signal);
      await pass(3000);
      deadline.abort();
      await closing;
      expect(writer.counts).toEqual({ written: 0, lost: BATCH_RECORDS_MAX + 10, waiting: 0 });
      expect(lostOf('closed')).toBe(BATCH_RECORDS_MAX + 10);
      await pass(10_000);
      expect(writer.counts.lost).toBe(BATCH_RECORDS_MAX + 10);
    },
  );

  it('is over at once where nothing waits, whether MongoDB is there or not', async () => {
    insert.faults = ['away'];
    await writer.close(NEVER);
    expect(writer.counts).toEqual({ written: 0, lost: 0, waiting: 0 });
  });

  it('is over at once with a deadline that has passed', async () => {
    await writer.close(AbortSignal.abort());
    expect(writer.counts).toEqual({ written: 0, lost: 0, waiting: 0 });
  });

  it('leaves MongoDB alone where nothing waits', async () => {
    insert.faults = ['away', 'pass'];
    await writer.close(NEVER);
    expect([insert.faults, insert.batches]).toEqual([['away', 'pass'], []]);
  });

  it('is the end: a record behind it is counted as lost', async () => {
    await writer.close(NEVER);
    append(3);
    await pass(5000);
    expect(writer.counts).toEqual({ written: 0, lost: 3, waiting: 0 });
    expect(lostOf('closed')).toBe(3);
  });
});
