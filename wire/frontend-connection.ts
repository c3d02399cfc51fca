// One client's socket: frames come out of it one by one, chunks go into it at its own pace.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import { FrameReader } from './protocol/frame-reader.ts';
import type { Frame } from './protocol/frame-reader.ts';

/** Bytes read ahead of the frame that is waited for: what a pipelining client may have sent. */
const READ_AHEAD_BYTES_MAX = 64 * 1024;

/** A client that takes no byte for so long is given up. */
const SLOW_READER_TIMEOUT_MS = 60_000;

/** How long the last words to a client may take. */
const LAST_WORDS_TIMEOUT_MS = 2000;

/** ALPN name of the protocol; direct TLS demands it, as in PostgreSQL 17. */
const ALPN_PROTOCOL = 'postgresql';

/** Reads and writes of one client, in plain text or TLS. Closes once, for one reason. */
export class FrontendConnection {
  #socket: Socket;
  readonly #slowReaderTimeoutMs: number;
  readonly #reader = new FrameReader();
  #isEnded = false;
  #isClosed = false;
  #sentBytes = 0;
  #interruption: ServiceError | undefined;
  /** Wakes the one who waits for bytes. */
  #wakeReader: (() => void) | undefined;
  /** Wakes those who wait for room. */
  #wakeWriters: (() => void)[] = [];
  #onClosed: (() => void) | undefined;

  constructor(socket: Socket, slowReaderTimeoutMs = SLOW_READER_TIMEOUT_MS) {
    this.#socket = socket;
    this.#slowReaderTimeoutMs = slowReaderTimeoutMs;
    this.#attach(socket);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isEncrypted(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  /** What `interrupt` was called with first. */
  get interruption(): ServiceError | undefined {
    return this.#interruption;
  }

  /** Bytes handed to the socket so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Unread bytes that came behind what has been read. */
  get bufferedBytes(): number {
    return this.#reader.bufferedBytes;
  }

  /** Called once when the client has gone, also while nobody reads. */
  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  /**
   * The first byte, left unread.
   *
   * @returns undefined when the client left before it sent one
   */
  async firstByte(): Promise<number | undefined> {
    return await this.#read(() => this.#reader.peekByte());
  }

  /** @throws ProtocolError, or the error of `interrupt` */
  async startupPacket(): Promise<Buffer | undefined> {
    return await this.#read(() => this.#reader.nextStartupPacket());
  }

  /**
   * The next frame, valid until the one after it is asked for.
   *
   * @returns undefined when the client has left
   * @throws ProtocolError, or the error of `interrupt`
   */
  async frame(): Promise<Frame | undefined> {
    return await this.#read(() => this.#reader.nextFrame());
  }

  /**
   * The next frame of a login that is not done: the same, and nothing else is taken.
   *
   * @throws ProtocolError, or the error of `interrupt`
   */
  async loginFrame(): Promise<Frame | undefined> {
    return await this.#read(() => this.#reader.nextLoginFrame());
  }

  /** Makes whoever waits for a frame, now or next, fail with this error. */
  interrupt(error: ServiceError): void {
    this.#interruption ??= error;
    this.#wake();
  }

  /** Makes whoever waits for a frame see the client as gone. */
  stopReading(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Writes chunks in order, in one system call. */
  write(...chunks: readonly Buffer[]): void {
    if (this.#isClosed || this.#socket.writableEnded) {
      return;
    }
    if (chunks.length > 1) {
      this.#socket.cork();
    }
    for (const chunk of chunks) {
      this.#sentBytes += chunk.length;
      this.#socket.write(chunk);
    }
    if (chunks.length > 1) {
      this.#socket.uncork();
    }
  }

  /** Whether the client takes what is written; ask `room` otherwise. */
  get hasRoom(): boolean {
    return this.#isClosed || !this.#socket.writableNeedDrain;
  }

  /** Resolves when the client has taken what was written, or has gone. */
  async room(): Promise<void> {
    if (this.hasRoom) {
      return;
    }
    this.#socket.setTimeout(this.#slowReaderTimeoutMs);
    await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
  }

  /**
   * Goes on in TLS.
   *
   * @param isDirect whether the client began with TLS at once; it must have said ALPN then
   * @returns false when the handshake failed or the client left
   * @throws ServiceError FATAL 08P01 without ALPN
   */
  async upgrade(
    secureContext: SecureContext,
    { isDirect }: { isDirect: boolean },
  ): Promise<boolean> {
    const plain = this.#socket;
    this.#detach(plain);
    const rest = this.#reader.takeRest();
    if (rest.length > 0) {
      plain.unshift(rest);
    }
    const socket = new TLSSocket(plain, {
      isServer: true,
      secureContext,
      ALPNProtocols: [ALPN_PROTOCOL],
    });
    this.#socket = socket;
    this.#attach(socket);
    const isSecure = await this.#handshake(socket);
    if (isSecure && isDirect && socket.alpnProtocol !== ALPN_PROTOCOL) {
      throw new ServiceError(
        SQLSTATE.protocolViolation,
        'received direct SSL connection request without ALPN protocol negotiation extension',
        { severity: 'FATAL' },
      );
    }
    return isSecure;
  }

  /** Says what is written and no more; resolves when the socket is gone, soon in any case. */
  async end(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), LAST_WORDS_TIMEOUT_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      // What still comes is read and dropped: unread bytes would turn the close into a reset,
      // and the client would lose our last words.
      this.#socket.removeAllListeners('data');
      this.#socket.on('data', () => undefined);
      this.#socket.resume();
      this.#socket.end();
    });
  }

  /** Ends at once, without last words. */
  destroy(): void {
    this.#socket.destroy();
    this.#close();
  }

  async #read<T>(next: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      if (this.#interruption !== undefined) {
        throw this.#interruption;
      }
      const read = next();
      if (read !== undefined || this.#isEnded) {
        return read;
      }
      if (this.#socket.isPaused()) {
        this.#socket.resume();
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  #attach(socket: Socket): void {
    socket.on('data', this.#take);
    socket.on('end', this.#end);
    socket.on('close', this.#close);
    socket.on('error', this.#ignore);
    socket.on('drain', this.#drained);
    socket.on('timeout', this.#giveUp);
  }

  #detach(socket: Socket): void {
    socket.pause();
    socket.off('data', this.#take);
    socket.off('end', this.#end);
    socket.off('drain', this.#drained);
    socket.off('timeout', this.#giveUp);
  }

  /** A client that leaves half-way leaves nothing to wait for. */
  async #handshake(socket: TLSSocket): Promise<boolean> {
    const giveUp = (): void => {
      socket.destroy();
    };
    return await new Promise<boolean>((resolve) => {
      socket.once('secure', () => {
        socket.off('end', giveUp);
        resolve(true);
      });
      socket.once('close', () => {
        resolve(false);
      });
      socket.once('error', giveUp);
      socket.once('end', giveUp);
    });
  }

  readonly #take = (chunk: Buffer): void => {
    this.#reader.push(chunk);
    if (this.#wakeReader !== undefined) {
      this.#wake();
    } else if (this.#reader.bufferedBytes >= READ_AHEAD_BYTES_MAX) {
      this.#socket.pause();
    }
  };

  /**
   * The client has said its last word. Where that leaves frames unread, they are a pipeline to be
   * answered; otherwise it has gone, whatever runs.
   */
  readonly #end = (): void => {
    this.#isEnded = true;
    this.#wake();
    if (this.#reader.bufferedBytes === 0) {
      this.#tellClosed();
    }
  };

  readonly #close = (): void => {
    this.#isEnded = true;
    this.#isClosed = true;
    this.#wake();
    this.#drained();
    this.#tellClosed();
  };

  readonly #ignore = (): void => {
    // 'close' follows, and says all that matters.
  };

  readonly #drained = (): void => {
    this.#socket.setTimeout(0);
    for (const wake of this.#wakeWriters.splice(0)) {
      wake();
    }
  };

  readonly #giveUp = (): void => {
    if (this.#wakeWriters.length > 0) {
      this.interrupt(
        new ServiceError(
          SQLSTATE.connectionFailure,
          `Client took no byte for ${this.#slowReaderTimeoutMs} ms`,
          { severity: 'FATAL' },
        ),
      );
      this.#socket.destroy();
    }
  };

  #tellClosed(): void {
    const listener = this.#onClosed;
    this.#onClosed = undefined;
    listener?.();
  }
}
