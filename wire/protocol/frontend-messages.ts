// What a frontend says (PostgreSQL manual, "Message Formats"): read for sessions, encoded where
// Gatepost is itself the frontend of an upstream.
import { FRAME_HEADER_BYTES, FRONTEND, ProtocolError } from './frame.ts';
import { encodeByte, encodeFrame, encodeInt16, encodeInt32, encodeString } from './frame-writer.ts';

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

/**
 * Parse, Bind, Describe and Execute of one statement through the unnamed ones. Parameters are text
 * whose types the server infers, results are text; Sync is not among it.
 */
export function encodeStatement(text: string, parameters: readonly (string | null)[]): Buffer {
  const NONE = encodeInt16(0);
  return Buffer.concat([
    encodeFrame(FRONTEND.parse, UNNAMED, encodeString(text), NONE),
    encodeFrame(
      FRONTEND.bind,
      UNNAMED,
      UNNAMED,
      NONE,
      encodeInt16(parameters.length),
      ...parameters.map(encodeParameter),
      NONE,
    ),
    DESCRIBE_PORTAL,
    EXECUTE_ALL,
  ]);
}

const UNNAMED = encodeString('');
const DESCRIBE_PORTAL = encodeFrame(FRONTEND.describe, encodeByte('P'.charCodeAt(0)), UNNAMED);
const EXECUTE_ALL = encodeFrame(FRONTEND.execute, UNNAMED, encodeInt32(0));

/** Sync: ends what was sent since the last one, as one transaction. */
export const SYNC = encodeFrame(FRONTEND.sync);

const NULL_LENGTH = -1;

function encodeParameter(value: string | null): Buffer {
  if (value === null) {
    return encodeInt32(NULL_LENGTH);
  }
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([encodeInt32(bytes.length), bytes]);
}

/** CopyFail: ends the upstream's COPY FROM STDIN with this reason. */
export function encodeCopyFail(reason: string): Buffer {
  return encodeFrame(FRONTEND.copyFail, encodeString(reason));
}

/** Terminate: says goodbye, so that the upstream logs no lost connection. */
export function encodeTerminate(): Buffer {
  return encodeFrame(FRONTEND.terminate);
}
