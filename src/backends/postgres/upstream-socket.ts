// The socket of one upstream: a bounded queue of chunks towards us, frames at its pace from us.
import type { Socket } from 'node:net';
import { encodeTerminate } from '../../../wire/protocol/frontend-messages.ts';
import type { ServiceError } from '../../errors.ts';
import type { Exchange } from '../backend.ts';
import { lostError } from './relay-errors.ts';

/** Upstream bytes held for a frontend that is slower: a few socket reads. */
const QUEUE_BYTES_MAX = 256 * 1024;

/** How long a goodbye may take. */
const CLOSE_TIMEOUT_MS = 1000;

export interface UpstreamSocketEvents {
  /** Bytes as the upstream sent them; `enqueue` keeps what cannot be taken at once. */
  readonly onChunk: (chunk: Buffer) => void;
  /** The connection ended; undefined when the upstream closed it without an error. */
  readonly onLost: (failure: ServiceError | undefined) => void;
}

/** Holds QUEUE_BYTES_MAX and one socket read at most. */
export class UpstreamSocket {
  readonly #socket: Socket;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  /** Wakes the senders that wait for room. */
  #wakeSenders: (() => void)[] = [];

  constructor(socket: Socket, { onChunk, onLost }: UpstreamSocketEvents) {
    this.#socket = socket;
    socket.on('data', onChunk);
    socket.on('drain', this.#resumeSending);
    socket.on('error', (cause) => {
      onLost(lostError(cause));
    });
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        onLost(undefined);
      });
    }
  }

  /** Keeps a chunk behind those that wait, and pauses the upstream when there are enough. */
  enqueue(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= QUEUE_BYTES_MAX) {
      this.#socket.pause();
    }
  }

  /** Puts the unread end of a chunk back in front of those that wait. */
  putBack(chunk: Buffer): void {
    this.#queue.unshift(chunk);
    this.#queuedBytes += chunk.length;
  }

  /** The next chunk that waits. */
  nextChunk(): Buffer | undefined {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#queuedBytes < QUEUE_BYTES_MAX && this.#socket.isPaused()) {
        this.#socket.resume();
      }
    }
    return chunk;
  }

  /** All chunks that wait, in order; none is left. */
  takeQueue(): readonly Buffer[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    return queue;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Writes a frame that is not worth waiting for. */
  write(frame: Buffer): void {
    this.#socket.write(frame);
  }

  /** Writes frames as they come, at the upstream's pace. */
  async send(frames: Exchange['frames']): Promise<void> {
    if (Symbol.asyncIterator in frames) {
      for await (const frame of frames) {
        await this.#sendFrame(frame);
      }
      return;
    }
    for (const frame of frames) {
      // Awaited only where the upstream is slow: a simple query is one frame, and leaves at once.
      const room = this.#sendFrame(frame);
      if (room !== undefined) {
        await room;
      }
    }
  }

  #sendFrame(frame: Buffer): Promise<void> | undefined {
    if (this.#socket.write(frame) || this.#socket.destroyed) {
      return undefined;
    }
    return new Promise<void>((resolve) => this.#wakeSenders.push(resolve));
  }

  /** Ends at once. */
  destroy(): void {
    this.#socket.destroy();
    this.#resumeSending();
  }

  /** Sends Terminate and waits for the upstream to close, CLOSE_TIMEOUT_MS at most. */
  async sayGoodbye(): Promise<void> {
    if (this.#socket.destroyed) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end(encodeTerminate());
      this.#socket.resume();
    });
  }

  readonly #resumeSending = (): void => {
    for (const wake of this.#wakeSenders.splice(0)) {
      wake();
    }
  };
}
