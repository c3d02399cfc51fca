// SASL's part of a login (PostgreSQL manual, "SASL Authentication" and "Message Formats").
import { BACKEND, FRAME_HEADER_BYTES, ProtocolError } from './frame.ts';
import { encodeByte, encodeFrame, encodeInt32, encodeString } from './frame-writer.ts';

/** What the first word of an Authentication message asks for. */
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

/** The length word of a SASLInitialResponse without a response. */
const NO_RESPONSE = -1;

/** AuthenticationSASL: the mechanisms to choose from, best first. */
export function encodeAuthenticationSasl(mechanisms: readonly string[]): Buffer {
  const names = mechanisms.map(encodeString);
  return encodeFrame(BACKEND.authentication, encodeInt32(SASL), ...names, encodeByte(0));
}

/** AuthenticationSASLContinue: the mechanism's next message. */
export function encodeAuthenticationSaslContinue(message: string): Buffer {
  return encodeFrame(BACKEND.authentication, encodeInt32(SASL_CONTINUE), Buffer.from(message));
}

/** AuthenticationSASLFinal: the mechanism's last message. */
export function encodeAuthenticationSaslFinal(message: string): Buffer {
  return encodeFrame(BACKEND.authentication, encodeInt32(SASL_FINAL), Buffer.from(message));
}

/** What a frontend begins SASL with. */
export interface SaslInitialResponse {
  readonly mechanism: string;
  /** Undefined when it wants to be asked for it. */
  readonly response: Buffer | undefined;
}

/**
 * Reads a SASLInitialResponse frame.
 *
 * @throws ProtocolError 08P01 when its lengths do not fit the frame
 */
export function readSaslInitialResponse(frame: Buffer): SaslInitialResponse {
  const terminator = frame.indexOf(0, FRAME_HEADER_BYTES);
  if (terminator === -1) {
    throw new ProtocolError('invalid string in message');
  }
  const lengthEnd = terminator + 1 + 4;
  if (lengthEnd > frame.length) {
    throw new ProtocolError('insufficient data left in message');
  }
  const length = frame.readInt32BE(terminator + 1);
  const mechanism = frame.toString('latin1', FRAME_HEADER_BYTES, terminator);
  const responseEnd = lengthEnd + (length === NO_RESPONSE ? 0 : length);
  if (responseEnd < lengthEnd || responseEnd > frame.length) {
    throw new ProtocolError('insufficient data left in message');
  }
  if (responseEnd < frame.length) {
    throw new ProtocolError('invalid message format');
  }
  return {
    mechanism,
    response: length === NO_RESPONSE ? undefined : frame.subarray(lengthEnd, responseEnd),
  };
}

/** The mechanism's message in a SASLResponse frame: all of its body. */
export function readSaslResponse(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEADER_BYTES);
}
