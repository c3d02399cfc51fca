// Answers out of the cache, or made and kept there, with the headers that say which.
import type { Response } from 'express';
import type { Observer } from '../src/observation.ts';
import { ServiceError } from '../src/errors.ts';
import type { Claim, ResponseCache } from '../src/store/response-cache.ts';
import { backendTag, callerParts, hashKey, tableTag } from './cached-key.ts';
import { beginRecord } from './cached-record.ts';
import type { CacheWish } from './cached-request.ts';
import type { RequestContext } from './request-context.ts';

/** Beyond the timeout of a statement: what the server takes to end one that is not heard of. */
const UNSETTLED_GRACE_MS = 5000;

export interface CachedQuestion {
  readonly response: Response;
  readonly context: RequestContext;
  /** Other than `bypass` it is looked for in the cache. */
  readonly wish: NonNullable<CacheWish>;
  readonly backend: 'postgres' | 'mongodb';
  /** Everything that the answer depends on but who asks, and whom. */
  readonly key: readonly string[];
  /** Of everything that it may be read from. */
  readonly tags: readonly string[];
  /** How long its statement may run. */
  readonly timeoutMs: number;
}

/** A write to a table or a collection. */
export interface CrudWrite {
  readonly backend: 'postgres' | 'mongodb';
  /** Its schema, or its database. */
  readonly container: string;
  readonly name: string;
  readonly timeoutMs: number;
}

export interface CachedAnswersOptions {
  /** Undefined where nothing is cached; then every answer is a bypass. */
  readonly cache: ResponseCache | undefined;
  readonly observer: Observer;
  /** Of a database server and how it is asked, as fingerprintOf has it; it may throw. */
  readonly fingerprint: (backend: 'postgres' | 'mongodb') => string;
}

/** The cache, as routes have it. */
export interface CachedAnswers {
  /**
   * Gives the answer that is kept, or has it made.
   *
   * @param make answers; what it throws is thrown, and not kept
   */
  answer(question: CachedQuestion, make: () => Promise<void>): Promise<void>;
  /** Runs a write, after which nothing is given that was read before: before its own answer. */
  write<T>(write: CrudWrite, run: () => Promise<T>): Promise<T>;
}

export function createCachedAnswers(options: CachedAnswersOptions): CachedAnswers {
  const { cache, observer } = options;
  return {
    answer: async (question, make) => {
      const { response } = question;
      const claim = await ask(options, question);
      observer.observe({ kind: 'cache-answered', result: claim.kind });
      response.set('X-Cache', claim.kind);
      if (claim.kind === 'hit') {
        sendHit(response, claim);
      } else if (claim.kind === 'miss' && claim.fill !== undefined) {
        const record = beginRecord(response, claim.fill);
        try {
          await make();
          record.finish();
        } finally {
          // Nothing where it is kept.
          record.refuse();
        }
      } else {
        await make();
      }
    },
    write: async (write, run) => {
      if (cache === undefined) {
        return await run();
      }
      const { backend, container, name, timeoutMs } = write;
      let unsettledMs = 0;
      try {
        return await run();
      } catch (thrown) {
        // Of these nobody knows whether the server has done it, or will.
        unsettledMs = isUnsettled(thrown) ? timeoutMs + UNSETTLED_GRACE_MS : 0;
        throw thrown;
      } finally {
        await cache.drop([tableTag(backend, container, name), backendTag(backend)], {
          unsettledMs,
        });
      }
    },
  };
}

/** Of routes that were given none. */
export const UNCACHED: CachedAnswers = createCachedAnswers({
  cache: undefined,
  observer: { observe: () => undefined },
  fingerprint: () => '',
});

const BYPASS = { kind: 'bypass' } as const;

async function ask(
  { cache, fingerprint }: CachedAnswersOptions,
  { context, wish, backend, key, tags, timeoutMs }: CachedQuestion,
): Promise<Claim> {
  if (cache === undefined || wish === 'bypass') {
    return BYPASS;
  }
  return await cache.claim({
    key: hashKey([...callerParts(context), fingerprint(backend), backend, ...key]),
    tags,
    maxAgeMs: wish.maxAgeSeconds * 1000,
    waitMs: timeoutMs,
    signal: context.signal,
  });
}

function sendHit(response: Response, { answer, ageMs }: Extract<Claim, { kind: 'hit' }>): void {
  for (const [name, value] of Object.entries(answer.headers)) {
    response.setHeader(name, value);
  }
  response.setHeader('Age', Math.floor(ageMs / 1000));
  // A GET whose If-None-Match names the ETag is answered with 304 by Express.
  response.status(200).send(answer.body);
}

/** Errors of a connection, of a stop, and of faults. */
const UNSETTLED = /^(?:08|57|XX)/;

/** Whether it is no answer of the server to the write; MongoDB's own have its code. */
function isUnsettled(thrown: unknown): boolean {
  return (
    thrown instanceof ServiceError &&
    UNSETTLED.test(thrown.sqlState) &&
    thrown.serverCode === undefined
  );
}
