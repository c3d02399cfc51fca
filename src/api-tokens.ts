// The bearer tokens of the REST API: made here, kept only as hashes.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token may be for; each scope includes the ones before it. */
export const TOKEN_SCOPES = ['read', 'write', 'admin'] as const;

export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** A token that is accepted; the token itself is known to its callers only. */
export interface ApiTokenConfig {
  /** Who the audit and the log name as the caller. */
  readonly name: string;
  readonly scope: TokenScope;
  /** SHA-256 of the token, 64 hexadecimal digits in lower case. */
  readonly sha256: string;
}

/** As many bits as the hash keeps: nothing shorter is worth guessing at, nothing longer helps. */
const TOKEN_BYTES = 32;

/** Lets scanners for leaked secrets, and people, see what it is. */
const TOKEN_PREFIX = 'gp_';

const TOKEN = /^gp_[\w-]{43}$/;

/** Whoever needs no token is called so: no token may be. */
export const ANONYMOUS = 'anonymous';

const TOKEN_NAME = /^[a-z0-9][a-z0-9._@-]{0,62}$/i;

/** How the name of a token is written, as errors say it. */
export const TOKEN_NAME_FORM = '1 to 63 letters, digits and . _ @ -, and not anonymous';

export function isTokenName(name: string): boolean {
  return TOKEN_NAME.test(name) && name.toLowerCase() !== ANONYMOUS;
}

/** Makes a new token; the only place where it and its hash are together. */
export function createApiToken(): { readonly token: string; readonly sha256: string } {
  const token = `${TOKEN_PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  return { token, sha256: hashToken(token) };
}

/** Whether a text has the form of the tokens that are made here. */
export function isApiToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The SHA-256 of a token; a slow hash would guard short secrets, which these are not. */
export function hashToken(token: string): string {
  return digest(token).toString('hex');
}

/**
 * The accepted token that was presented, if any. Each is compared, and in constant time: how long
 * it takes says nothing about which one was nearly right.
 */
export function findToken(
  tokens: readonly ApiTokenConfig[],
  presented: string,
): ApiTokenConfig | undefined {
  const hash = digest(presented);
  let found: ApiTokenConfig | undefined;
  for (const token of tokens) {
    if (timingSafeEqual(hash, Buffer.from(token.sha256, 'hex'))) {
      found = token;
    }
  }
  return found;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
