// What logs and audit have in common: one value as one line that is safe to show in a terminal,
// and the same names for the same facts.
import type { SessionIdentity } from './observation.ts';

/** A client chooses its user, database and application name: longer ones are cut in every line. */
export const NAME_LENGTH_MAX = 256;

/**
 * What JSON leaves as it is, though a terminal or an editor acts on it: DEL and the C1 controls,
 * line and paragraph separators, and the marks that reorder text.
 */
const ACTING_CHARACTERS =
  /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** JSON of one value without line end; every control character in it is written as an escape. */
export function toJsonLine(value: object): string {
  return JSON.stringify(value).replace(ACTING_CHARACTERS, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The text up to `lengthMax` UTF-16 units; a character of two units is kept or dropped whole. */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) {
    return text;
  }
  const last = text.charCodeAt(lengthMax - 1);
  const isHalfCharacter = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHalfCharacter ? lengthMax - 1 : lengthMax);
}

/** The longest beginning that fits into so many UTF-8 bytes, at a character's edge. */
export function cutUtf8(text: string, bytesMax: number): string {
  // A unit of UTF-16 is three bytes at most.
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) {
    return text;
  }
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytesMax));
  return text.slice(0, read);
}

/** Milliseconds to the microsecond: a clock's further digits are noise. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}

/** Who a session belongs to, by the names that logs and audit share. */
interface SessionFields {
  readonly session: string;
  readonly listener: string;
  readonly backend: string;
  readonly user: string;
  readonly client_addr: string;
  readonly application_name: string;
  readonly database: string;
  readonly tls: boolean;
}

/** The session's part of a line, with what the client chose cut to NAME_LENGTH_MAX. */
export function toSessionFields(session: SessionIdentity): SessionFields {
  return {
    session: session.sessionId,
    listener: session.listener,
    backend: session.backend,
    user: cutText(session.user, NAME_LENGTH_MAX),
    client_addr: session.address,
    application_name: cutText(session.applicationName, NAME_LENGTH_MAX),
    database: cutText(session.database, NAME_LENGTH_MAX),
    tls: session.isEncrypted,
  };
}
