// Caches of answers over a test's own database, as replicas have them.
import type { Db } from 'mongodb';
import type { Observer } from '../../src/observation.ts';
import { ResponseCache } from '../../src/store/response-cache.ts';
import type { Claim, Question } from '../../src/store/response-cache.ts';
import type { Fill } from '../../src/store/response-cache-fills.ts';
import type { TestMongodbDatabase } from './mongodb.ts';
import { createRecorder } from './observations.ts';

/** A look may take long where other tests run beside it. */
const LOOK_TIMEOUT_MS = 10_000;

export interface CacheOptions {
  readonly observer?: Observer;
  readonly lookTimeoutMs?: number;
}

/** The cache of one replica; those of one database share what they keep. */
export function createTestCache(
  { client, name }: TestMongodbDatabase,
  { observer = createRecorder(), lookTimeoutMs = LOOK_TIMEOUT_MS }: CacheOptions = {},
): ResponseCache {
  const open = async (): Promise<Db> => await Promise.resolve(client.db(name));
  return new ResponseCache({ store: { open }, observer, lookTimeoutMs });
}

let keys = 0;

/** A question that nobody has asked before. */
export function createQuestion(changes: Partial<Question> = {}): Question {
  keys += 1;
  return {
    key: `key-${keys}`,
    tags: ['table', 'backend'],
    maxAgeMs: 60_000,
    waitMs: 5000,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** What has to be made, of a claim that has to say so. */
export function fillOf(claim: Claim): Fill {
  if (claim.kind !== 'miss' || claim.fill === undefined) {
    throw new Error(`That is no answer to be made: ${claim.kind}`);
  }
  return claim.fill;
}

/** Makes the answer. */
export function keepText(claim: Claim, text: string, dependsOn?: readonly string[]): void {
  const fill = fillOf(claim);
  fill.add(Buffer.from(text));
  fill.keep({ 'Content-Type': 'text/plain' }, dependsOn);
}

/** `hit …` with the text that it gives, `miss`, or `bypass`. */
export function describeClaim(claim: Claim): string {
  return claim.kind === 'hit' ? `hit ${claim.answer.body.toString()}` : claim.kind;
}
