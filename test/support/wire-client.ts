// A client that speaks the protocol byte by byte over a real socket, so that a test sees frames.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** How long a test waits for a fact before it fails. */
const FACT_TIMEOUT_MS = 10_000;

/** One backend frame. */
export interface ReceivedFrame {
  readonly type: string;
  readonly bytes: Buffer;
}

/** A raw connection. Every wait fails after FACT_TIMEOUT_MS, so that no test hangs. */
export class WireClient {
  #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  /** What came behind it; joined when it is looked at, so that large frames cost what they are. */
  #arrived: Buffer[] = [];
  #unreadBytes = 0;
  #isClosed = false;
  #wakes: (() => void)[] = [];
  /** All bytes received, in order. */
  readonly transcript: Buffer[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#attach(socket);
  }

  /**
   * Connects, and sends nothing.
   *
   * @param localAddress where from, such as 127.0.0.2: who somebody else is to be
   */
  static async open(port: number, host = '127.0.0.1', localAddress?: string): Promise<WireClient> {
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ port, host, noDelay: true, ...from });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new WireClient(socket);
  }

  /** Connects and logs in; resolves at ReadyForQuery. */
  static async login(
    port: number,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<WireClient> {
    const client = await WireClient.open(port);
    client.send(startupPacket({ user: 'tester', ...parameters }));
    await client.untilReady();
    return client;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  send(...chunks: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(chunks));
  }

  /** Sends in pieces, each in a packet of its own as far as the kernel goes along. */
  async sendInPieces(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => {
        this.#socket.write(piece, () => {
          setImmediate(resolve);
        });
      });
    }
  }

  /** Stops reading: the kernel's buffers fill, and then the server's. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Goes on in TLS, on the same socket. */
  async startTls(options: ConnectionOptions = {}): Promise<void> {
    const plain = this.#socket;
    for (const event of ['data', 'close', 'error', 'end']) {
      plain.removeAllListeners(event);
    }
    const secure = connectTls({ socket: plain, rejectUnauthorized: false, ...options });
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
      secure.once('close', () => {
        reject(new Error('closed during the TLS handshake'));
      });
    });
    this.#socket = secure;
    this.#attach(secure);
  }

  /** Gives exactly so many bytes. */
  async bytes(length: number): Promise<Buffer> {
    await this.#until(() => this.#unreadBytes >= length, `${length} bytes`);
    const unread = this.#unread();
    this.#received = unread.subarray(length);
    this.#unreadBytes = this.#received.length;
    return unread.subarray(0, length);
  }

  /** Gives the next frame. */
  async frame(): Promise<ReceivedFrame> {
    await this.#until(() => this.#unreadBytes >= 5, 'a frame header');
    const length = this.#unread().readUInt32BE(1) + 1;
    const bytes = await this.bytes(length);
    return { type: String.fromCharCode(bytes.readUInt8(0)), bytes };
  }

  /** Gives all frames up to the first of this type, that one included. */
  async until(type: string): Promise<ReceivedFrame[]> {
    const frames: ReceivedFrame[] = [];
    for (;;) {
      const frame = await this.frame();
      frames.push(frame);
      if (frame.type === type) {
        return frames;
      }
    }
  }

  /** Gives all frames up to ReadyForQuery. */
  async untilReady(): Promise<ReceivedFrame[]> {
    return await this.until('Z');
  }

  /** Sends a simple query and gives its whole answer. */
  async query(text: string): Promise<ReceivedFrame[]> {
    this.send(queryFrame(text));
    return await this.untilReady();
  }

  /** Resolves when the server has closed; gives what it sent before. */
  async closed(): Promise<Buffer> {
    this.#socket.resume();
    await this.#until(() => this.#isClosed, 'the server to close', true);
    return this.#unread();
  }

  /** Leaves without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Leaves with a reset, as a process does that ends with bytes unread. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Says that nothing more will be sent, and still reads. */
  end(): void {
    this.#socket.end();
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.transcript.push(chunk);
      this.#arrived.push(chunk);
      this.#unreadBytes += chunk.length;
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.#isClosed = true;
      this.#wake();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  #unread(): Buffer {
    if (this.#arrived.length > 0) {
      this.#received = Buffer.concat([this.#received, ...this.#arrived]);
      this.#arrived = [];
    }
    return this.#received;
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) {
      wake();
    }
  }

  async #until(fact: () => boolean, name: string, mayBeClosed = false): Promise<void> {
    if (fact()) {
      return;
    }
    const deadline = AbortSignal.timeout(FACT_TIMEOUT_MS);
    deadline.addEventListener('abort', () => {
      this.#wake();
    });
    while (!fact()) {
      if (this.#isClosed && !mayBeClosed) {
        throw new Error(`The server closed while the test waited for ${name}`);
      }
      if (deadline.aborted) {
        throw new Error(`Waited ${FACT_TIMEOUT_MS} ms for ${name}`);
      }
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }
}

/** A startup packet of protocol 3.0, or of another version word. */
export function startupPacket(
  parameters: Readonly<Record<string, string>>,
  version = 3 << 16,
): Buffer {
  const words = Object.entries(parameters).flatMap(([name, value]) => [name, value]);
  const body = Buffer.from(`${words.map((word) => `${word}\0`).join('')}\0`);
  return Buffer.concat([int32(8 + body.length), int32(version), body]);
}

/** SSLRequest. */
export const SSL_REQUEST = Buffer.concat([int32(8), int32(80877103)]);

/** GSSENCRequest. */
export const GSSENC_REQUEST = Buffer.concat([int32(8), int32(80877104)]);

/** CancelRequest. */
export function cancelRequest(processId: number, secretKey: number): Buffer {
  return Buffer.concat([int32(16), int32(80877102), int32(processId), int32(secretKey)]);
}

/** A frontend frame of any type. */
export function frontendFrame(type: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(type), int32(bytes.length + 4), bytes]);
}

/** A Query frame. */
export function queryFrame(text: string): Buffer {
  return frontendFrame('Q', `${text}\0`);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

/** Takes a stretch of backend bytes apart; the last frame may be cut off. */
export function framesOf(bytes: Buffer): ReceivedFrame[] {
  const frames: ReceivedFrame[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + 1 + bytes.readUInt32BE(offset + 1);
    frames.push({
      type: bytes.toString('latin1', offset, offset + 1),
      bytes: bytes.subarray(offset, end),
    });
    offset = end;
  }
  return frames;
}

/** The letters of the frames' types, in order. */
export function typesOf(frames: readonly ReceivedFrame[]): string {
  return frames.map(({ type }) => type).join('');
}

/** The fields of an ErrorResponse or NoticeResponse by their letters. */
export function reportFields(frame: ReceivedFrame | undefined): Readonly<Record<string, string>> {
  const fields = frame?.bytes.toString('utf8', 5).split('\0') ?? [];
  return Object.fromEntries(
    fields.filter((field) => field !== '').map((field) => [field.charAt(0), field.slice(1)]),
  );
}

/** The fields of the first frame of this type. */
export function firstReport(
  frames: readonly ReceivedFrame[],
  type: 'E' | 'N' = 'E',
): Readonly<Record<string, string>> {
  return reportFields(frames.find((frame) => frame.type === type));
}

/** The transaction status of the ReadyForQuery among the frames. */
export function statusOf(frames: readonly ReceivedFrame[]): string {
  return frames.find(({ type }) => type === 'Z')?.bytes.toString('latin1', 5) ?? '';
}

/** The first row's value in a result of one column; empty without a row. */
export function valueOf(
  frames: readonly ReceivedFrame[],
  encoding: BufferEncoding = 'utf8',
): string {
  // Type byte, length word, number of columns, length of the value.
  return frames.find(({ type }) => type === 'D')?.bytes.toString(encoding, 11) ?? '';
}

/** The CancelKey of a login's BackendKeyData. */
export function keyOf(frames: readonly ReceivedFrame[]): { processId: number; secretKey: number } {
  const bytes = frames.find(({ type }) => type === 'K')?.bytes;
  if (bytes === undefined) {
    throw new Error('No BackendKeyData among the frames');
  }
  return { processId: bytes.readInt32BE(5), secretKey: bytes.readInt32BE(9) };
}
