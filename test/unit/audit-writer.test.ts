import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  AUDIT_QUEUE_BYTES_MAX,
  AUDIT_WRITE_PAUSE_MS,
  AuditWriter,
  LOSS_REPORT_INTERVAL_MS,
} from '../../src/audit-writer.ts';
import type { AuditOutput } from '../../src/audit-file.ts';
import type { AuditLoss } from '../../src/audit-writer.ts';

const NO_DEADLINE = new AbortController().signal;
const FULL_DISK = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });

/** What one write does: takes so many bytes, all of them, or fails. */
type Answer = number | 'all' | Error;

interface FakeOutput extends AuditOutput {
  readonly writes: readonly string[];
  readonly text: string;
  readonly isClosed: boolean;
}

/** An output that answers its writes in the order given, and takes everything after that. */
function createOutput(answers: readonly Answer[] = [], isLineOpen = false): FakeOutput {
  const writes: string[] = [];
  const left = [...answers];
  let isClosed = false;
  return {
    isLineOpen,
    writes,
    get text() {
      return writes.join('');
    },
    get isClosed() {
      return isClosed;
    },
    async write(bytes) {
      await Promise.resolve();
      const answer = left.shift() ?? 'all';
      if (answer instanceof Error) {
        throw answer;
      }
      const taken = answer === 'all' ? bytes.length : answer;
      writes.push(Buffer.from(bytes.subarray(0, taken)).toString());
      return taken;
    },
    close() {
      isClosed = true;
      return Promise.resolve();
    },
  };
}

/** An output whose writes do not end until the last one is released or failed. */
function createHungOutput(): AuditOutput & { release(): void; fail(error: Error): void } {
  let release = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  return {
    isLineOpen: false,
    async write(bytes) {
      await new Promise<void>((resolve, reject) => {
        release = resolve;
        fail = reject;
      });
      return bytes.length;
    },
    close: () => new Promise(() => undefined),
    release: () => release(),
    fail: (error) => fail(error),
  };
}

let losses: AuditLoss[];

function createWriter(output: AuditOutput): AuditWriter {
  return new AuditWriter({ output, report: (loss) => losses.push(loss) });
}

/** Appends the lines of one turn of the event loop and waits until they are dealt with. */
async function appendAll(writer: AuditWriter, ...lines: readonly string[]): Promise<void> {
  await appendWithinPause(writer, ...lines);
  jest.advanceTimersByTime(AUDIT_WRITE_PAUSE_MS);
  await appendWithinPause(writer);
}

/** The same, while the clock stands still: what has to wait for the pause's end still waits. */
async function appendWithinPause(writer: AuditWriter, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    writer.append(line);
  }
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise(setImmediate);
  }
}

beforeEach(() => {
  losses = [];
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('append', () => {
  test('writes lines in order, and those of one turn at once', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    await appendAll(writer, 'a', 'b');
    await appendAll(writer, 'c');
    expect(output.writes).toEqual(['a\nb\n', 'c\n']);
  });

  test('lets the lines of some milliseconds share a write; the first waits for none', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    for (const line of ['a', 'b', 'c']) {
      await appendWithinPause(writer, line);
    }
    expect(output.writes).toEqual(['a\n']);
    await appendAll(writer);
    expect(output.writes).toEqual(['a\n', 'b\nc\n']);
  });

  test('has one write in flight; what comes meanwhile goes with the next', async () => {
    const output = createHungOutput();
    const written: string[] = [];
    const writer = createWriter({
      ...output,
      async write(bytes) {
        written.push(Buffer.from(bytes).toString());
        return await output.write(bytes);
      },
    });
    await appendAll(writer, 'a');
    await appendAll(writer, 'b');
    await appendAll(writer, 'c');
    expect(written).toEqual(['a\n']);
    output.release();
    await appendAll(writer);
    expect(written).toEqual(['a\n', 'b\nc\n']);
  });

  test('goes on with the rest after a short write', async () => {
    const output = createOutput([1, 2]);
    await appendAll(createWriter(output), 'first', 'second');
    expect(output.writes).toEqual(['f', 'ir', 'st\nsecond\n']);
    expect(losses).toEqual([]);
  });

  test('ends half a line that was there before, once', async () => {
    const output = createOutput([], true);
    const writer = createWriter(output);
    await appendAll(writer, 'a');
    await appendAll(writer, 'b');
    expect(output.text).toBe('\na\nb\n');
  });

  test('writes more than one batch holds, in order, and only the last waits', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    const lines = Array.from({ length: 100 }, (_, index) => `${index}:${'x'.repeat(10_000)}`);
    await appendWithinPause(writer, ...lines);
    expect(output.text.length).toBeGreaterThan(700_000);
    await appendAll(writer);
    expect(output.text).toBe(`${lines.join('\n')}\n`);
  });
});

describe('a failed write', () => {
  test('loses its lines and does not stop later ones', async () => {
    const output = createOutput([FULL_DISK]);
    const writer = createWriter(output);
    await appendAll(writer, 'a', 'b');
    await appendAll(writer, 'c');
    expect(output.text).toBe('c\n');
    await writer.close(NO_DEADLINE);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 2, reason: 'ENOSPC' }]);
  });

  test.each([
    ['within the first line', 2, 'aa\nc\n', 2],
    ['behind the first line', 4, 'aaa\nc\n', 1],
    ['within the second line', 6, 'aaa\nbb\nc\n', 1],
  ])('that stops %s is ended before the next line', async (_name, taken, text, lines) => {
    const output = createOutput([taken, FULL_DISK]);
    const writer = createWriter(output);
    await appendAll(writer, 'aaa', 'bbb');
    await appendAll(writer, 'c');
    expect(output.text).toBe(text);
    await writer.close(NO_DEADLINE);
    expect(losses).toEqual([{ kind: 'audit-lost', lines, reason: 'ENOSPC' }]);
  });

  test('again while it repairs a line counts only the lines that are missing', async () => {
    const output = createOutput([2, FULL_DISK, 1, FULL_DISK]);
    const writer = createWriter(output);
    await appendAll(writer, 'aaa');
    await appendAll(writer, 'bbb');
    await appendAll(writer, 'c');
    expect(output.text).toBe('aa\nc\n');
    await writer.close(NO_DEADLINE);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 2, reason: 'ENOSPC' }]);
  });

  test.each([
    ['takes nothing', 0, 'write failed'],
    ['fails without a code', new Error('broken'), 'write failed'],
  ])('of an output that %s ends too', async (_name, answer, reason) => {
    const writer = createWriter(createOutput([answer]));
    await appendAll(writer, 'a');
    await writer.close(NO_DEADLINE);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 1, reason }]);
  });

  test('is reported once a second with the sum, not per line', async () => {
    const writer = createWriter(createOutput(Array<Answer>(5).fill(FULL_DISK)));
    const lines = ['a', 'b', 'c'];
    for (const line of lines) {
      await appendAll(writer, line);
    }
    const passedMs = lines.length * AUDIT_WRITE_PAUSE_MS;
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS - passedMs - 1);
    expect(losses).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 3, reason: 'ENOSPC' }]);
    await appendAll(writer, 'd');
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(losses.map(({ lines }) => lines)).toEqual([3, 1]);
  });

  test('leaves no timer behind when nothing is lost any more', async () => {
    const writer = createWriter(createOutput([FULL_DISK]));
    await appendAll(writer, 'a');
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('the queue', () => {
  const LINE = 'x'.repeat(64 * 1024 - 1);
  const FITTING = AUDIT_QUEUE_BYTES_MAX / (LINE.length + 1);

  test('is bounded: what does not fit is counted and not kept', async () => {
    const output = createHungOutput();
    const writer = createWriter(output);
    await appendAll(writer, ...Array<string>(FITTING + 3).fill(LINE));
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 3, reason: 'queue full' }]);
  });

  test('counts bytes and not characters', async () => {
    const writer = createWriter(createHungOutput());
    await appendAll(writer, ...Array<string>(FITTING).fill('é'.repeat(64 * 1024 - 1)));
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(losses).toMatchObject([{ reason: 'queue full' }]);
    expect(losses[0]?.lines).toBeGreaterThanOrEqual(FITTING / 2 - 1);
  });

  test('takes lines again once there is room', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    await appendAll(writer, ...Array<string>(FITTING).fill(LINE));
    await appendAll(writer, 'last');
    expect(output.text.endsWith(`${LINE}\nlast\n`)).toBe(true);
    await writer.close(NO_DEADLINE);
    expect(losses).toEqual([]);
  });
});

describe('close', () => {
  test('writes what is queued, then closes the output', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    writer.append('a');
    writer.append('b');
    await writer.close(NO_DEADLINE);
    expect(output.text).toBe('a\nb\n');
    expect(output.isClosed).toBe(true);
    expect(losses).toEqual([]);
  });

  test('ends a pause between two writes, and leaves no timer behind', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    await appendWithinPause(writer, 'a');
    await appendWithinPause(writer, 'b');
    await writer.close(NO_DEADLINE);
    expect(output.writes).toEqual(['a\n', 'b\n']);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('reports at once what was lost since the last report', async () => {
    const writer = createWriter(createOutput([FULL_DISK]));
    writer.append('a');
    await writer.close(NO_DEADLINE);
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 1, reason: 'ENOSPC' }]);
  });

  test('gives up at the deadline and counts what is queued and in flight', async () => {
    const output = createHungOutput();
    const writer = createWriter(output);
    await appendAll(writer, 'in flight');
    await appendAll(writer, 'queued', 'queued');
    const deadline = new AbortController();
    const closing = writer.close(deadline.signal);
    deadline.abort();
    await closing;
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 3, reason: 'closed' }]);
    // Counted already: its failure must not count it again.
    output.fail(FULL_DISK);
    await appendAll(writer);
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(losses).toHaveLength(1);
  });

  test('does not wait at all when the deadline has passed', async () => {
    const writer = createWriter(createHungOutput());
    writer.append('a');
    await writer.close(AbortSignal.abort());
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 1, reason: 'closed' }]);
  });

  test('counts a line that comes after it', async () => {
    const output = createOutput();
    const writer = createWriter(output);
    await writer.close(NO_DEADLINE);
    await appendAll(writer, 'late');
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(output.text).toBe('');
    expect(losses).toEqual([{ kind: 'audit-lost', lines: 1, reason: 'closed' }]);
  });

  test('rejects when the output cannot be closed', async () => {
    const output = { ...createOutput(), close: () => Promise.reject(new Error('EIO')) };
    await expect(createWriter(output).close(NO_DEADLINE)).rejects.toThrow('EIO');
  });
});
