// What a name that is not known is asked to prove itself against: it looks like an account's.
import { createHmac, randomBytes } from 'node:crypto';
import type { ScramVerifier } from '../scram-verifier.ts';

/** As long as the salts that are made for accounts. */
const SALT_BYTES = 16;

const KEY_BYTES = 32;

/**
 * A verifier that nothing proves. Its salt is the same each time, at every replica and after every
 * start, as an account's is: one that changed would tell that there is none.
 */
export function createMockVerifier(
  mockKey: string,
  foldedName: string,
  iterations: number,
): ScramVerifier {
  const salt = createHmac('sha256', mockKey).update(foldedName).digest().subarray(0, SALT_BYTES);
  // Nobody knows what these are the hash of.
  return {
    iterations,
    salt,
    storedKey: randomBytes(KEY_BYTES),
    serverKey: randomBytes(KEY_BYTES),
  };
}
