// The key of Apache Iggy's own runtime of connectors.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { contextOf } from './request-context.ts';

/** Who the log names where the key was presented. */
const KEY_BEARER = 'api-key';

/** Lets the bearer of the key do everything; false for whoever has not sent it. */
export function identifyKey(request: Request, apiKey: string): boolean {
  const { 'api-key': presented } = request.headers;
  if (typeof presented !== 'string' || !isSameKey(presented, apiKey)) {
    return false;
  }
  const context = contextOf(request);
  context.caller = KEY_BEARER;
  context.scope = 'admin';
  return true;
}

/** Hashes have one length and are compared in constant time: nothing says what is nearly right. */
function isSameKey(presented: string, apiKey: string): boolean {
  // Node reads a byte of a header as one character.
  const sent = createHash('sha256').update(presented, 'latin1').digest();
  return timingSafeEqual(sent, createHash('sha256').update(apiKey, 'utf8').digest());
}
