// What is kept instead of a password: PostgreSQL's own verifier text (RFC 5803), against which a
// login is checked without ever being told the password.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from '@mongodb-js/saslprep';

/** PostgreSQL's own default (scram_iterations). */
const POSTGRES_ITERATIONS = 4096;

/** The least that RFC 7677 allows, and no more than may be computed for each login over HTTP. */
export const ITERATIONS_MIN = 4096;
export const ITERATIONS_MAX = 1_000_000;

const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Longer ones are refused before anything is computed of them. */
export const PASSWORD_BYTES_MAX = 1024;

export interface ScramVerifier {
  readonly iterations: number;
  /** Of any length: servers make 16 bytes, some of them 32. */
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** The bytes of a base64 text that is written as RFC 4648 wants it; undefined for any other. */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const VERIFIER = /^SCRAM-SHA-256\$(\d{1,9}):([^$:]+)\$([^$:]+):([^$:]+)$/;

/** `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`; undefined for any other text. */
export function parseScramVerifier(text: string): ScramVerifier | undefined {
  const [, digits = '', ...parts] = VERIFIER.exec(text) ?? [];
  const [salt, storedKey, serverKey] = parts.map(parseBase64);
  const iterations = Number(digits);
  if (iterations < 1 || iterations > ITERATIONS_MAX || salt === undefined) {
    return undefined;
  }
  return storedKey?.length === KEY_BYTES && serverKey?.length === KEY_BYTES
    ? { iterations, salt, storedKey, serverKey }
    : undefined;
}

export function formatScramVerifier(verifier: ScramVerifier): string {
  const [salt, storedKey, serverKey] = [verifier.salt, verifier.storedKey, verifier.serverKey].map(
    (bytes) => bytes.toString('base64'),
  );
  return `SCRAM-SHA-256$${verifier.iterations}:${salt}$${storedKey}:${serverKey}`;
}

/** The verifier text of a password. The computation leaves the event loop free. */
export async function createScramVerifier(
  password: string,
  {
    salt = randomBytes(SALT_BYTES),
    iterations = POSTGRES_ITERATIONS,
  }: { readonly salt?: Buffer; readonly iterations?: number } = {},
): Promise<string> {
  const { storedKey, serverKey } = await deriveKeys(password, salt, iterations);
  return formatScramVerifier({ iterations, salt, storedKey, serverKey });
}

/** Whether a password is the one of a verifier. The computation leaves the event loop free. */
export async function isPasswordOf(verifier: ScramVerifier, password: string): Promise<boolean> {
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    return false;
  }
  const { storedKey } = await deriveKeys(password, verifier.salt, verifier.iterations);
  return timingSafeEqual(storedKey, verifier.storedKey);
}

/**
 * Whether a client has proved to know the password (RFC 5802, section 3), in constant time.
 *
 * @param authMessage the three messages before the proof, separated by commas
 */
export function isProofOf(verifier: ScramVerifier, authMessage: string, proof: Buffer): boolean {
  if (proof.length !== KEY_BYTES) {
    return false;
  }
  const signature = hmac(verifier.storedKey, authMessage);
  const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
  return timingSafeEqual(createHash('sha256').update(clientKey).digest(), verifier.storedKey);
}

/** By which the client knows the server. */
export function serverSignatureOf(verifier: ScramVerifier, authMessage: string): Buffer {
  return hmac(verifier.serverKey, authMessage);
}

async function deriveKeys(
  password: string,
  salt: Buffer,
  iterations: number,
): Promise<Pick<ScramVerifier, 'storedKey' | 'serverKey'>> {
  const prepared = preparePassword(password);
  const salted = await promisify(pbkdf2)(prepared, salt, iterations, KEY_BYTES, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  return {
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** As PostgreSQL and libpq do: what SASLprep (RFC 4013) does not take is used as it is. */
function preparePassword(password: string): string {
  try {
    const prepared = saslprep(password);
    return prepared === '' ? password : prepared;
  } catch {
    return password;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
