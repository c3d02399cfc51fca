// The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), as PostgreSQL plays it. It computes a
// few HMACs and no PBKDF2: that is the client's work. Pure but for its nonce.
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { ServiceError, SQLSTATE } from './errors.ts';
import { isProofOf, parseBase64, serverSignatureOf } from './scram-verifier.ts';
import type { ScramVerifier } from './scram-verifier.ts';

/** The only mechanism; without PLUS, no client can bind its proof to the TLS channel. */
export const SCRAM_MECHANISM = 'SCRAM-SHA-256';

/** PostgreSQL's own (SCRAM_RAW_NONCE_LEN). */
const NONCE_BYTES = 18;

/** Longest nonce that is taken from a client; libpq's has 24 characters. */
const CLIENT_NONCE_LENGTH_MAX = 512;

const PROOF_BYTES = 32;

/** What `c=` must say: the base64 of the GS2 header that the client began with. */
const CHANNEL_BINDING = { n: 'biws', y: 'eSws' } as const;

/** What a client's first message asks to go on with. */
export interface ScramChallenge {
  /** The server-first-message. */
  readonly serverFirst: string;
  readonly verifier: ScramVerifier;
  /** client-first-message-bare and server-first-message, as the proof signs them. */
  readonly signed: string;
  /** The client's and ours together. */
  readonly nonce: string;
  readonly channelBinding: string;
}

/** What a client's proof came to. */
export interface ScramVerdict {
  readonly isProven: boolean;
  /** The server-final-message, which is for a client that has proved itself only. */
  readonly serverFinal: string;
}

/**
 * Answers a client-first-message. The name in it is ignored, as PostgreSQL does: the startup
 * packet has said whose verifier it is.
 *
 * @param serverNonce for tests against published exchanges
 * @throws ServiceError FATAL 08P01 for what is malformed, 0A000 for what is not supported
 */
export function challengeClient(
  clientFirst: Buffer,
  verifier: ScramVerifier,
  serverNonce: string = randomBytes(NONCE_BYTES).toString('base64'),
): ScramChallenge {
  const message = new AttributeReader(readMessage(clientFirst));
  const channelBinding = readHeader(message);
  const bare = message.rest;
  if (message.next === 'm') {
    throw notSupported('client requires an unsupported SCRAM extension');
  }
  message.value('n');
  const clientNonce = readClientNonce(message);
  message.skipExtensions();
  const nonce = `${clientNonce}${serverNonce}`;
  const serverFirst = `r=${nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`;
  return { serverFirst, verifier, signed: `${bare},${serverFirst}`, nonce, channelBinding };
}

/**
 * Judges a client-final-message.
 *
 * @throws ServiceError FATAL 08P01 for what is malformed, or belongs to another exchange
 */
export function judgeProof(challenge: ScramChallenge, clientFinal: Buffer): ScramVerdict {
  const text = readMessage(clientFinal);
  const message = new AttributeReader(text);
  if (message.value('c') !== challenge.channelBinding) {
    throw violation('unexpected SCRAM channel-binding attribute in client-final-message');
  }
  const nonce = message.value('r');
  const proofStart = message.skipTo('p');
  const proof = parseBase64(message.value('p'));
  if (proof?.length !== PROOF_BYTES) {
    throw malformed('Malformed proof in client-final-message');
  }
  if (!message.isAtEnd) {
    throw malformed('Garbage found at the end of client-final-message');
  }
  if (nonce !== challenge.nonce) {
    throw violation('invalid SCRAM response', 'Nonce does not match');
  }
  // The comma before the proof is not signed.
  const signed = `${challenge.signed},${text.slice(0, proofStart - 1)}`;
  return {
    isProven: isProofOf(challenge.verifier, signed, proof),
    serverFinal: `v=${serverSignatureOf(challenge.verifier, signed).toString('base64')}`,
  };
}

/** PostgreSQL's checks, and one that it does not need: bytes that are no text sign nothing here. */
function readMessage(bytes: Buffer): string {
  if (bytes.length === 0) {
    throw malformed('The message is empty');
  }
  if (bytes.includes(0)) {
    throw malformed('Message length does not match input length');
  }
  if (!isUtf8(bytes)) {
    throw malformed('The message is not UTF-8');
  }
  return bytes.toString('utf8');
}

/** The GS2 header; what comes behind it is signed. */
function readHeader(message: AttributeReader): string {
  const flag = message.take();
  if (flag === 'p') {
    throw malformed(
      `The client selected ${SCRAM_MECHANISM} without channel binding, but the SCRAM message ` +
        'includes channel binding data',
    );
  }
  if (flag !== 'n' && flag !== 'y') {
    throw malformed(`Unexpected channel-binding flag "${printable(flag)}"`);
  }
  const comma = message.take();
  if (comma !== ',') {
    throw malformed(`Comma expected, but found character "${printable(comma)}"`);
  }
  const authorization = message.take();
  if (authorization === 'a') {
    throw notSupported('client uses authorization identity, but it is not supported');
  }
  if (authorization !== ',') {
    throw malformed(`Unexpected attribute "${printable(authorization)}" in client-first-message`);
  }
  return CHANNEL_BINDING[flag];
}

function readClientNonce(message: AttributeReader): string {
  const nonce = message.value('r');
  // The same printable characters as RFC 5802; a comma has ended it before.
  if (!/^[\x21-\x7e]*$/.test(nonce)) {
    throw violation('non-printable characters in SCRAM nonce');
  }
  if (nonce === '' || nonce.length > CLIENT_NONCE_LENGTH_MAX) {
    throw malformed(`A nonce has 1 to ${CLIENT_NONCE_LENGTH_MAX} characters`);
  }
  return nonce;
}

/** Reads `a=value,b=value` from the left. */
class AttributeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.#text.charAt(this.#at);
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The same, read. */
  take(): string {
    const character = this.next;
    this.#at += 1;
    return character;
  }

  /** The value of the attribute that must come next. */
  value(name: string): string {
    if (this.next !== name) {
      throw malformed(`Expected attribute "${name}" but found "${printable(this.next)}"`);
    }
    return this.#anyValue();
  }

  /** Skips what is not this attribute, and gives where it begins. */
  skipTo(name: string): number {
    while (this.next !== name) {
      this.#skipExtension();
    }
    return this.#at;
  }

  skipExtensions(): void {
    while (!this.isAtEnd) {
      this.#skipExtension();
    }
  }

  #skipExtension(): void {
    if (this.isAtEnd) {
      throw malformed('Attribute expected, but found end of string');
    }
    if (!/^[A-Za-z]$/.test(this.next)) {
      throw malformed(`Attribute expected, but found invalid character "${printable(this.next)}"`);
    }
    this.#anyValue();
  }

  #anyValue(): string {
    const name = this.next;
    if (this.#text.charAt(this.#at + 1) !== '=') {
      throw malformed(`Expected character "=" for attribute "${name}"`);
    }
    const start = this.#at + 2;
    const comma = this.#text.indexOf(',', start);
    const end = comma === -1 ? this.#text.length : comma;
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }
}

/** A character as PostgreSQL shows it; empty stands for the end. */
function printable(character: string): string {
  const code = character.charCodeAt(0);
  return code >= 0x21 && code <= 0x7e
    ? character
    : `0x${(Number.isNaN(code) ? 0 : code).toString(16).padStart(2, '0')}`;
}

function malformed(detail: string): ServiceError {
  return violation('malformed SCRAM message', detail);
}

function violation(message: string, detail?: string): ServiceError {
  return new ServiceError(SQLSTATE.protocolViolation, message, {
    severity: 'FATAL',
    ...(detail === undefined ? {} : { detail }),
  });
}

function notSupported(message: string): ServiceError {
  return new ServiceError(SQLSTATE.featureNotSupported, message, { severity: 'FATAL' });
}
