import { LINE_END } from './audit-file.ts';
import { toErrorCode } from './error-code.ts';
import type { AuditOutput } from './audit-file.ts';

/** Lines that wait for a slow disk: those of 14 000 short statements. */
export const AUDIT_QUEUE_BYTES_MAX = 8 * 1024 * 1024;

/** One write: large enough to keep up, small enough that little is lost when it fails. */
const BATCH_BYTES_MAX = 256 * 1024;

/**
 * Between two writes, so that the statements of some milliseconds share one: a write of its own
 * for each turn of the event loop took an eighth of the CPU time of small queries.
 */
export const AUDIT_WRITE_PAUSE_MS = 5;

/** A full disk fails every write; it is reported this often and not per line. */
export const LOSS_REPORT_INTERVAL_MS = 1000;

/** Lines that were not written since the last report, for one reason. */
export interface AuditLoss {
  readonly kind: 'audit-lost';
  readonly lines: number;
  /** `queue full`, `closed`, or the system's code for a failed write such as ENOSPC. */
  readonly reason: string;
}

interface AuditWriterOptions {
  readonly output: AuditOutput;
  /** Must not throw; a fan-out of observers does not. */
  readonly report: (loss: AuditLoss) => void;
}

interface Batch {
  text: string;
  bytes: number;
  lines: number;
}

/**
 * Writes lines in order, one write in flight. A line that does not fit into the queue or cannot
 * be written is counted and reported, and the next one is tried again.
 */
export class AuditWriter {
  readonly #output: AuditOutput;
  readonly #report: (loss: AuditLoss) => void;
  readonly #lostLines = new Map<string, number>();
  #reportTimer: NodeJS.Timeout | undefined;
  /** The last one still takes lines. */
  #queue: Batch[] = [];
  /** Of the queue and of what is in flight. */
  #waitingBytes = 0;
  #waitingLines = 0;
  #draining: Promise<void> | undefined;
  #endPause: (() => void) | undefined;
  /** The output ends within a line, because a write failed there. */
  #isLineOpen: boolean;
  #isClosed = false;
  #isAbandoned = false;

  constructor({ output, report }: AuditWriterOptions) {
    this.#output = output;
    this.#report = report;
    this.#isLineOpen = output.isLineOpen;
  }

  /** Queues one line, given without its end; does not block and does not throw. */
  append(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#isClosed) {
      this.#lose(1, 'closed');
    } else if (this.#waitingBytes + bytes > AUDIT_QUEUE_BYTES_MAX) {
      this.#lose(1, 'queue full');
    } else {
      this.#enqueue(line, bytes);
      this.#draining ??= this.#drain();
    }
  }

  /**
   * Resolves when every line is written or counted as lost and the output is closed. When the
   * deadline aborts, what has not been written yet is counted as lost. Rejects when the output
   * cannot be closed.
   */
  async close(deadline: AbortSignal): Promise<void> {
    this.#isClosed = true;
    this.#endPause?.();
    await waitAtMost(this.#draining, deadline);
    if (this.#draining !== undefined) {
      this.#abandon();
    }
    this.#reportLoss();
    await waitAtMost(this.#output.close(), deadline);
  }

  #enqueue(line: string, bytes: number): void {
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.bytes + bytes > BATCH_BYTES_MAX) {
      batch = { text: '', bytes: 0, lines: 0 };
      this.#queue.push(batch);
    }
    batch.text += `${line}\n`;
    batch.bytes += bytes;
    batch.lines += 1;
    this.#waitingBytes += bytes;
    this.#waitingLines += 1;
  }

  /** Does not reject: #write handles what the output throws. */
  async #drain(): Promise<void> {
    // The other lines of this turn of the event loop share the first write.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      const lost = await this.#write(batch);
      if (this.#isAbandoned) {
        return;
      }
      this.#waitingBytes -= batch.bytes;
      this.#waitingLines -= batch.lines;
      if (lost !== undefined) {
        this.#lose(lost.lines, lost.reason);
      }
      await this.#pause();
    }
    this.#draining = undefined;
  }

  /** A full batch waits for nothing, and neither does the end. */
  async #pause(): Promise<void> {
    if (this.#isClosed || this.#queue.length > 1) {
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      timer = setTimeout(resolve, AUDIT_WRITE_PAUSE_MS);
    });
    clearTimeout(timer);
  }

  async #write(batch: Batch): Promise<Omit<AuditLoss, 'kind'> | undefined> {
    const repair = this.#isLineOpen ? '\n' : '';
    const bytes = Buffer.from(repair + batch.text);
    let written = 0;
    try {
      while (written < bytes.length) {
        written += await this.#writeSome(bytes.subarray(written));
        this.#isLineOpen = bytes[written - 1] !== LINE_END;
      }
      return undefined;
    } catch (error) {
      const lines = batch.lines - countLines(bytes.subarray(repair.length, written));
      return { lines, reason: toErrorCode(error) ?? 'write failed' };
    }
  }

  /** At least one byte, or an error: a device that takes none would be asked for ever. */
  async #writeSome(bytes: Uint8Array): Promise<number> {
    const taken = await this.#output.write(bytes);
    if (taken <= 0) {
      throw new Error('The output takes no bytes');
    }
    return taken;
  }

  /** Gives up on what is queued and in flight; a write that still succeeds was counted as lost. */
  #abandon(): void {
    this.#isAbandoned = true;
    this.#lose(this.#waitingLines, 'closed');
    this.#queue = [];
  }

  #lose(lines: number, reason: string): void {
    this.#lostLines.set(reason, (this.#lostLines.get(reason) ?? 0) + lines);
    this.#reportTimer ??= setTimeout(() => this.#reportLoss(), LOSS_REPORT_INTERVAL_MS).unref();
  }

  #reportLoss(): void {
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    for (const [reason, lines] of this.#lostLines) {
      this.#report({ kind: 'audit-lost', lines, reason });
    }
    this.#lostLines.clear();
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) {
    lines += byte === LINE_END ? 1 : 0;
  }
  return lines;
}

/** Resolves or rejects as the work does, or resolves when the signal aborts, if that is sooner. */
async function waitAtMost(work: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  let resolve = (): void => undefined;
  const aborted = new Promise<void>((resolveAborted) => {
    resolve = resolveAborted;
  });
  if (signal.aborted) {
    resolve();
  }
  signal.addEventListener('abort', resolve);
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', resolve);
  }
}
