// Puts a frontend's bytes together into frames, however the chunks fall.
import {
  AUTHENTICATION_RESPONSE,
  FRAME_HEADER_BYTES,
  FRONTEND,
  FRONTEND_FRAME_BYTES_MAX,
  isFrontendType,
  LOGIN_FRAME_BYTES_MAX,
  ProtocolError,
  STARTUP_PACKET_BYTES_MAX,
  STARTUP_PACKET_BYTES_MIN,
} from './frame.ts';

const EMPTY: Buffer = Buffer.alloc(0);

/** One encoded message. `bytes` is the whole frame and valid until the next `push`. */
export interface Frame {
  readonly type: number;
  readonly bytes: Buffer;
}

/**
 * Reads startup packets, then frames. Lengths are judged on the header, before a body is waited
 * for. Holds at most one frame of FRONTEND_FRAME_BYTES_MAX and what was pushed behind it, which
 * its caller bounds by not pushing while frames are left.
 */
export class FrameReader {
  #buffer: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  /** Bytes pushed and not yet read as part of a frame. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** The next byte, without reading it. */
  peekByte(): number | undefined {
    return this.#end > this.#start ? this.#buffer[this.#start] : undefined;
  }

  /** Takes a chunk as the socket gave it; the reader may keep slices of it. */
  push(chunk: Buffer): void {
    if (this.bufferedBytes === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    this.#append(chunk);
  }

  /** Takes all unread bytes out, for whoever reads this connection from now on. */
  takeRest(): Buffer {
    const rest = this.#buffer.subarray(this.#start, this.#end);
    this.#clear();
    return rest;
  }

  /**
   * The next startup packet without its length word, or undefined while bytes are missing.
   *
   * @throws ProtocolError on a length that PostgreSQL would not read either
   */
  nextStartupPacket(): Buffer | undefined {
    if (this.bufferedBytes < 4) {
      return undefined;
    }
    const length = this.#buffer.readUInt32BE(this.#start);
    if (length < STARTUP_PACKET_BYTES_MIN || length > STARTUP_PACKET_BYTES_MAX) {
      throw new ProtocolError('invalid length of startup packet');
    }
    return this.bufferedBytes < length ? undefined : this.#take(length).subarray(4);
  }

  /**
   * The next frame, or undefined while bytes are missing.
   *
   * @throws ProtocolError on an unknown type byte, or a length that is impossible or too large
   */
  nextFrame(): Frame | undefined {
    return this.#next(judgeHeader);
  }

  /**
   * The same while the frontend logs in: an answer to an authentication request, or Terminate.
   *
   * @throws ProtocolError on any other type byte, or a length that no answer has
   */
  nextLoginFrame(): Frame | undefined {
    return this.#next(judgeLoginHeader);
  }

  #next(judge: (type: number, frameBytes: number) => void): Frame | undefined {
    if (this.bufferedBytes < FRAME_HEADER_BYTES) {
      return undefined;
    }
    const type = this.#buffer.readUInt8(this.#start);
    const frameBytes = this.#buffer.readUInt32BE(this.#start + 1) + 1;
    judge(type, frameBytes);
    return this.bufferedBytes < frameBytes ? undefined : { type, bytes: this.#take(frameBytes) };
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    if (this.#start === this.#end) {
      this.#clear();
    }
    return taken;
  }

  #clear(): void {
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  /** Appends by doubling, so that a frame trickled in single bytes costs what its bytes cost. */
  #append(chunk: Buffer): void {
    const needed = this.bufferedBytes + chunk.length;
    // A chunk of the socket's is full to its end, so that it is copied and never written to.
    if (this.#end + chunk.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(needed * 2);
      this.#buffer.copy(grown, 0, this.#start, this.#end);
      this.#buffer = grown;
      this.#end -= this.#start;
      this.#start = 0;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }
}

function judgeHeader(type: number, frameBytes: number): void {
  if (!isFrontendType(type)) {
    throw new ProtocolError(`invalid frontend message type ${type}`);
  }
  if (frameBytes < FRAME_HEADER_BYTES) {
    throw new ProtocolError('invalid message length');
  }
  if (frameBytes > FRONTEND_FRAME_BYTES_MAX) {
    throw new ProtocolError(
      `message of ${frameBytes} bytes is over the limit of ${FRONTEND_FRAME_BYTES_MAX} bytes`,
    );
  }
}

/** Nobody is known yet: nothing is waited for that is not part of the login. */
function judgeLoginHeader(type: number, frameBytes: number): void {
  if (type !== AUTHENTICATION_RESPONSE && type !== FRONTEND.terminate) {
    throw new ProtocolError(`expected SASL response, got message type ${type}`);
  }
  if (frameBytes < FRAME_HEADER_BYTES || frameBytes > LOGIN_FRAME_BYTES_MAX) {
    throw new ProtocolError('invalid message length');
  }
}
