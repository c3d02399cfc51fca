// A client that costs as little as a client can: it logs in, asks, and counts the bytes that come.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { queryFrame, startupPacket } from '../support/wire-client.ts';

const TIMEOUT_MS = 120_000;

/** Filled again and again: a reader that allocates would be what is measured. */
const BUFFER_BYTES = 1024 * 1024;

/** ReadyForQuery, idle: where an answer ends. No row of ours holds a NUL. */
const READY = Buffer.from('Z\0\0\0\u0005I');

/** One session that asks for no password. */
export class CountingReader {
  readonly #socket: Socket;
  readonly #tail = Buffer.alloc(READY.length);
  #bytes = 0;
  #onReady: (() => void) | undefined;
  #onClosed: (() => void) | undefined;

  private constructor(port: number) {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          this.#take(buffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.setTimeout(TIMEOUT_MS, () => this.#socket.destroy());
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#onClosed?.());
  }

  /** Connects and logs in. */
  static async open(
    port: number,
    login: { readonly user: string; readonly database: string },
  ): Promise<CountingReader> {
    const reader = new CountingReader(port);
    await reader.#ask(startupPacket({ ...login }));
    return reader;
  }

  /** Gives the bytes of the whole answer, ReadyForQuery included. */
  async query(text: string): Promise<number> {
    return await this.#ask(queryFrame(text));
  }

  /** Asks, and never reads a byte of the answer. */
  ignore(text: string): void {
    this.#socket.pause();
    this.#socket.write(queryFrame(text));
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(packet: Buffer): Promise<number> {
    this.#bytes = 0;
    await new Promise<void>((resolve, reject) => {
      this.#onReady = resolve;
      this.#onClosed = () => {
        reject(new Error(`Closed after ${this.#bytes} bytes: ${this.#tail.toString('latin1')}`));
      };
      this.#socket.write(packet);
    });
    this.#onClosed = undefined;
    return this.#bytes;
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const kept = Math.min(chunk.length, READY.length);
    this.#tail.copyWithin(0, kept);
    chunk.copy(this.#tail, READY.length - kept, chunk.length - kept);
    if (this.#tail.equals(READY)) {
      this.#onReady?.();
    }
  }
}
