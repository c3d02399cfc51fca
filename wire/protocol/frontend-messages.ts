// What a frontend says (PostgreSQL manual, "Message Formats"): read for sessions, encoded where
// Gatepost is itself the frontend of an upstream.
import { FRAME_HEADER_BYTES, FRONTEND, ProtocolError } from './frame.ts';
import { encodeByte, encodeFrame, encodeInt32, encodeString } from './frame-writer.ts';

const CANCEL_REQUEST_CODE = 80877102;
const SSL_REQUEST_CODE = 80877103;
const GSSENC_REQUEST_CODE = 80877104;

/** Length of a CancelRequest's body with a four-byte key, the only kind of protocol 3.0. */
const CANCEL_BODY_BYTES = 12;

/** More names than any client sends; the packet's own limit allows some thousands. */
const STARTUP_PARAMETERS_MAX = 200;

/** What the first packets of a connection can be, the startup packet taken apart. */
export type StartupRequest =
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gssenc' }
  /** `key` is undefined for a key of a length that no upstream of ours has given out. */
  | {
      readonly kind: 'cancel';
      readonly key: { readonly processId: number; readonly secretKey: number } | undefined;
    }
  | {
      readonly kind: 'startup';
      readonly major: number;
      readonly minor: number;
      readonly parameters: readonly (readonly [name: string, value: string])[];
    };

/**
 * Reads a startup packet's body, which begins with its request code.
 *
 * @throws ProtocolError 08P01 when its layout is broken
 */
export function readStartupRequest(body: Buffer): StartupRequest {
  const code = body.readUInt32BE(0);
  switch (code) {
    case SSL_REQUEST_CODE:
      return { kind: 'ssl' };
    case GSSENC_REQUEST_CODE:
      return { kind: 'gssenc' };
    case CANCEL_REQUEST_CODE:
      return { kind: 'cancel', key: readCancelKey(body) };
    default:
      return readStartupMessage(code, body);
  }
}

function readCancelKey(body: Buffer): { processId: number; secretKey: number } | undefined {
  return body.length === CANCEL_BODY_BYTES
    ? { processId: body.readUInt32BE(4), secretKey: body.readUInt32BE(8) }
    : undefined;
}

function readStartupMessage(code: number, body: Buffer): StartupRequest {
  const version = { kind: 'startup', major: code >>> 16, minor: code & 0xffff } as const;
  // Another major version lays its parameters out in another way; it is refused by its number.
  return { ...version, parameters: version.major === 3 ? readParameters(body.subarray(4)) : [] };
}

function readParameters(bytes: Buffer): (readonly [string, string])[] {
  if (bytes.at(-1) !== 0) {
    throw new ProtocolError('invalid startup packet layout: expected terminator as last byte');
  }
  const words = bytes.toString('utf8').split('\0');
  const parameters: (readonly [string, string])[] = [];
  let index = 0;
  // The list ends with an empty name; a value may be empty.
  for (let name = words[index] ?? ''; name !== ''; name = words[index] ?? '') {
    parameters.push([name, words[index + 1] ?? '']);
    index += 2;
  }
  // The split leaves one more empty word behind the terminator of the list.
  if (index !== words.length - 2) {
    throw new ProtocolError('invalid startup packet layout: expected terminator as last byte');
  }
  if (parameters.length > STARTUP_PARAMETERS_MAX) {
    throw new ProtocolError(`startup packet holds more than ${STARTUP_PARAMETERS_MAX} parameters`);
  }
  return parameters;
}

/**
 * The text of a Query frame, without its terminator.
 *
 * @throws ProtocolError 08P01 when the terminator is missing or the text goes on behind it
 */
export function readQueryText(frame: Buffer): Buffer {
  const terminator = frame.indexOf(0, FRAME_HEADER_BYTES);
  if (terminator !== frame.length - 1) {
    throw new ProtocolError(
      terminator === -1 ? 'invalid string in message' : 'invalid message format',
    );
  }
  return frame.subarray(FRAME_HEADER_BYTES, terminator);
}

/** Query: text of any number of statements. */
export function encodeQuery(text: string): Buffer {
  return encodeFrame(FRONTEND.query, encodeString(text));
}

/** A statement's text, and the values of its parameters in text format. */
export type Statement = readonly [text: string, parameters: readonly (string | null)[]];

/**
 * Parse, Bind, Describe and Execute of each statement through the unnamed ones, and one Sync behind
 * them, so that they are one transaction. The server infers the types of parameters; results are
 * text.
 */
export function encodeStatements(statements: readonly Statement[]): Buffer {
  let size = SYNC_FRAME.length;
  for (const [text, parameters] of statements) {
    size += parseBytes(text) + bindBytes(parameters) + RUN_PORTAL.length;
  }
  // Written into one piece: these are sent for every request of REST.
  const bytes = Buffer.allocUnsafe(size);
  let offset = 0;
  for (const [text, parameters] of statements) {
    offset = writeParse(bytes, offset, text);
    offset = writeBind(bytes, offset, parameters);
    offset += RUN_PORTAL.copy(bytes, offset);
  }
  SYNC_FRAME.copy(bytes, offset);
  return bytes;
}

const UNNAMED = encodeString('');
const RUN_PORTAL = Buffer.concat([
  encodeFrame(FRONTEND.describe, encodeByte('P'.charCodeAt(0)), UNNAMED),
  encodeFrame(FRONTEND.execute, UNNAMED, encodeInt32(0)),
]);
const SYNC_FRAME = encodeFrame(FRONTEND.sync);

/** Header, two strings, the second of which is the text, and a count of types. */
const PARSE_BYTES_MIN = FRAME_HEADER_BYTES + 2 + 2;

/** Header, two empty strings, and counts of formats, parameters and formats. */
const BIND_BYTES_MIN = FRAME_HEADER_BYTES + 2 + 6;

const NULL_LENGTH = -1;

function parseBytes(text: string): number {
  return PARSE_BYTES_MIN + Buffer.byteLength(text);
}

function bindBytes(parameters: readonly (string | null)[]): number {
  let size = BIND_BYTES_MIN + 4 * parameters.length;
  for (const value of parameters) {
    size += value === null ? 0 : Buffer.byteLength(value);
  }
  return size;
}

function writeParse(bytes: Buffer, start: number, text: string): number {
  let offset = bytes.writeUInt8(FRONTEND.parse, start) + 4;
  offset = bytes.writeUInt8(0, offset);
  offset += bytes.write(text, offset, 'utf8');
  offset = bytes.writeUInt8(0, offset);
  offset = bytes.writeUInt16BE(0, offset);
  bytes.writeUInt32BE(offset - start - 1, start + 1);
  return offset;
}

function writeBind(bytes: Buffer, start: number, parameters: readonly (string | null)[]): number {
  let offset = bytes.writeUInt8(FRONTEND.bind, start) + 4;
  // Two empty names and no formats: everything is text.
  offset = bytes.writeUInt32BE(0, offset);
  offset = bytes.writeUInt16BE(parameters.length, offset);
  for (const value of parameters) {
    const length = value === null ? NULL_LENGTH : Buffer.byteLength(value);
    offset = bytes.writeInt32BE(length, offset);
    offset += value === null ? 0 : bytes.write(value, offset, 'utf8');
  }
  offset = bytes.writeUInt16BE(0, offset);
  bytes.writeUInt32BE(offset - start - 1, start + 1);
  return offset;
}

/** CopyFail: ends the upstream's COPY FROM STDIN with this reason. */
export function encodeCopyFail(reason: string): Buffer {
  return encodeFrame(FRONTEND.copyFail, encodeString(reason));
}

/** Terminate: says goodbye, so that the upstream logs no lost connection. */
export function encodeTerminate(): Buffer {
  return encodeFrame(FRONTEND.terminate);
}
