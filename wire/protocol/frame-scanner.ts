// Finds frame edges in an upstream's bytes without decoding or copying what is only forwarded.
import { FRAME_HEADER_BYTES, ProtocolError } from './frame.ts';

/**
 * Frames up to this size are judged and forwarded whole, so that a lost upstream never leaves a
 * client in the middle of one. One socket read is 64 KiB, so this holds back one read at most.
 */
export const WHOLE_FRAME_BYTES_MAX = 64 * 1024;

/** Of a larger frame so much is shown to the visitor: enough for an error's SQLSTATE. */
const PREFIX_BYTES = 512;

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * What becomes of a frame.
 * - `forward`: goes on as it came
 * - `skip`: is dropped
 * - `cut`: scanning stops before it; it is the first frame of the rest
 * - `last`: goes on as it came, and scanning stops behind it
 * - `end`: is dropped, and scanning stops behind it
 */
export type Verdict = 'forward' | 'skip' | 'cut' | 'last' | 'end';

/**
 * Judges a frame by its header. `bytes` holds the frame from `offset` on: all of it up to
 * WHOLE_FRAME_BYTES_MAX, of a larger one the first PREFIX_BYTES at least.
 */
export type FrameVisitor = (
  type: number,
  frameBytes: number,
  bytes: Buffer,
  offset: number,
) => Verdict;

export interface Scan {
  /** Slices to forward, in order. They are views of the chunk. */
  readonly forward: Buffer[];
  /** What lies behind the frame that stopped the scan; undefined when all was scanned. */
  readonly rest: Buffer | undefined;
  /** Why scanning cannot go on. What is to be forwarded ends at a frame's edge all the same. */
  readonly failure: unknown;
}

/** Remembers where in a frame the last chunk ended. Holds at most WHOLE_FRAME_BYTES_MAX. */
export class FrameScanner {
  /** The start of a frame whose rest has not come yet. */
  #tail: Buffer = EMPTY;
  /** Bytes still to come of a large frame that has been judged. */
  #streamedBytes = 0;
  #isStreamForwarded = false;

  /** Whether a frame has been forwarded in part: nothing else may be sent before its rest. */
  get isInsideForwardedFrame(): boolean {
    return this.#streamedBytes > 0 && this.#isStreamForwarded;
  }

  /**
   * Asks the visitor about every frame that begins in the chunk and gathers what to forward.
   * What the visitor throws, and a ProtocolError for an impossible length, is its `failure`.
   */
  scan(chunk: Buffer, visit: FrameVisitor): Scan {
    const forward: Buffer[] = [];
    try {
      return { forward, rest: this.#scanAll(chunk, visit, forward), failure: undefined };
    } catch (failure) {
      return { forward, rest: undefined, failure };
    }
  }

  #scanAll(chunk: Buffer, visit: FrameVisitor, forward: Buffer[]): Buffer | undefined {
    if (this.#tail.length === 0) {
      return this.#scanChunk(chunk, visit, forward);
    }
    const { isStopped, rest } = this.#scanTail(chunk, visit, forward);
    return isStopped ? rest : this.#scanChunk(rest, visit, forward);
  }

  /** Completes the held frame with the fewest bytes of the chunk, so that little is copied. */
  #scanTail(
    chunk: Buffer,
    visit: FrameVisitor,
    forward: Buffer[],
  ): { readonly isStopped: boolean; readonly rest: Buffer } {
    let offset = 0;
    while (this.#tail.length > 0 && offset < chunk.length) {
      const wanted = this.#wantedBytes(this.#tail);
      const end = Math.min(chunk.length, offset + Math.max(1, wanted - this.#tail.length));
      const joined = Buffer.concat([this.#tail, chunk.subarray(offset, end)]);
      this.#tail = EMPTY;
      offset = end;
      const rest = this.#scanChunk(joined, visit, forward);
      if (rest !== undefined) {
        return { isStopped: true, rest: joinRest(rest, chunk.subarray(offset)) };
      }
    }
    return { isStopped: false, rest: chunk.subarray(offset) };
  }

  /** How many bytes a frame that begins like this must have before it can be judged. */
  #wantedBytes(head: Buffer): number {
    if (head.length < FRAME_HEADER_BYTES) {
      return FRAME_HEADER_BYTES;
    }
    const frameBytes = readFrameBytes(head, 0);
    return frameBytes <= WHOLE_FRAME_BYTES_MAX ? frameBytes : PREFIX_BYTES;
  }

  /** Scans bytes that begin at a frame's edge or inside a streamed frame. */
  #scanChunk(chunk: Buffer, visit: FrameVisitor, forward: Buffer[]): Buffer | undefined {
    let offset = this.#streamInto(chunk, forward);
    let runStart = offset;
    const flushRun = (end: number): void => {
      if (end > runStart) {
        forward.push(chunk.subarray(runStart, end));
      }
    };
    try {
      while (offset < chunk.length) {
        const frameBytes =
          chunk.length - offset < FRAME_HEADER_BYTES ? Infinity : readFrameBytes(chunk, offset);
        if (!isJudgeable(frameBytes, chunk.length - offset)) {
          this.#tail = chunk.subarray(offset);
          return undefined;
        }
        const verdict = visit(chunk.readUInt8(offset), frameBytes, chunk, offset);
        const end = Math.min(offset + frameBytes, chunk.length);
        const isForwarded = verdict === 'forward' || verdict === 'last';
        if (!isForwarded) {
          flushRun(offset);
          runStart = end;
        }
        if (verdict === 'cut') {
          return chunk.subarray(offset);
        }
        this.#streamedBytes = offset + frameBytes - end;
        this.#isStreamForwarded = isForwarded;
        offset = end;
        if (verdict === 'last' || verdict === 'end') {
          return chunk.subarray(offset);
        }
      }
      return undefined;
    } finally {
      // Also when the next frame is broken: the frames before it have been counted.
      flushRun(offset);
    }
  }

  /** Passes on or drops the next part of a large frame; gives where the next frame begins. */
  #streamInto(chunk: Buffer, forward: Buffer[]): number {
    const taken = Math.min(this.#streamedBytes, chunk.length);
    if (taken > 0 && this.#isStreamForwarded) {
      forward.push(chunk.subarray(0, taken));
    }
    this.#streamedBytes -= taken;
    return taken;
  }
}

function isJudgeable(frameBytes: number, availableBytes: number): boolean {
  return (
    availableBytes >= frameBytes ||
    (frameBytes !== Infinity &&
      frameBytes > WHOLE_FRAME_BYTES_MAX &&
      availableBytes >= PREFIX_BYTES)
  );
}

function joinRest(rest: Buffer, behind: Buffer): Buffer {
  return rest.length === 0 ? behind : Buffer.concat([rest, behind]);
}

/** The frame's whole size, type byte included. */
function readFrameBytes(bytes: Buffer, offset: number): number {
  const length = bytes.readUInt32BE(offset + 1);
  if (length < 4 || length > 0x7fffffff) {
    throw new ProtocolError('invalid message length from the upstream');
  }
  return length + 1;
}
