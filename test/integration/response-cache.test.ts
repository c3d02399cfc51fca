// Answers in MongoDB, as replicas share them: kept, found, dropped by writes, made once.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import type { ResponseCache } from '../../src/store/response-cache.ts';
import { CACHE_COLLECTION } from '../../src/store/response-cache-collection.ts';
import { BODY_BYTES_MAX } from '../../src/store/response-cache-fills.ts';
import { untilFact } from '../support/facts.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import {
  createQuestion,
  createTestCache,
  describeClaim,
  fillOf,
  keepText,
} from '../support/response-caches.ts';

const DEADLINE_MS = 5000;

describeMongodb('the cache of answers', () => {
  let database: TestMongodbDatabase;
  let one: ResponseCache;
  let other: ResponseCache;

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  beforeEach(() => {
    one = createTestCache(database);
    other = createTestCache(database);
  });

  afterEach(async () => {
    await stopAll();
  });

  async function stopAll(): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    await Promise.all([one.stop(deadline), other.stop(deadline)]);
  }

  function documents(kind: string) {
    const cache = database.client.db(database.name).collection(CACHE_COLLECTION);
    return cache.find(kind === '' ? {} : { kind });
  }

  async function ask(cache: ResponseCache, question: ReturnType<typeof createQuestion>) {
    // A signal each, as requests have.
    const { signal } = new AbortController();
    return describeClaim(await cache.claim({ ...question, signal }));
  }

  it('gives an answer to whoever asks the same, on every replica', async () => {
    const question = createQuestion();
    keepText(await one.claim(question), 'made');
    const claim = await one.claim(question);
    expect(claim).toMatchObject({
      kind: 'hit',
      answer: { headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('made') },
    });
    await one.stop(AbortSignal.timeout(DEADLINE_MS));
    expect(await ask(other, question)).toBe('hit made');
    expect(await ask(other, createQuestion())).toBe('miss');
  });

  it('keeps bytes and headers as they are', async () => {
    const question = createQuestion();
    const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const headers = { ETag: '"$a.b"', Link: '<$$NOW>; rel="next"' };
    const fill = fillOf(await one.claim(question));
    fill.add(body);
    fill.keep(headers);
    await stopAll();
    expect(await other.claim(question)).toMatchObject({ kind: 'hit', answer: { headers, body } });
  });

  it('gives no answer that is older than the asker wants', async () => {
    const question = createQuestion({ maxAgeMs: 60_000 });
    keepText(await one.claim(question), 'made');
    await stopAll();
    await untilFact(async () => {
      const [kept] = await documents('answer').sort({ readAt: -1 }).toArray();
      const readAt: unknown = kept?.['readAt'];
      return readAt instanceof Date && Date.now() - readAt.getTime() > 50;
    }, 'an age of 50 ms');
    const claim = await other.claim(question);
    expect(claim.kind === 'hit' && claim.ageMs > 50).toBe(true);
    expect(await ask(other, { ...question, maxAgeMs: 50 })).toBe('miss');
  });

  it('keeps an answer for as long as was asked for, and MongoDB then removes it', async () => {
    const question = createQuestion({ maxAgeMs: 200 });
    keepText(await one.claim(question), 'made');
    await stopAll();
    const later = { ...question, maxAgeMs: 60_000 };
    await untilFact(async () => {
      const claim = await other.claim(later);
      if (claim.kind === 'miss') {
        claim.fill?.abandon();
      }
      return claim.kind === 'miss';
    }, 'an end of its time');
    const indexes = await database.client.db(database.name).collection(CACHE_COLLECTION).indexes();
    expect(indexes).toContainEqual(
      expect.objectContaining({ key: { expireAt: 1 }, expireAfterSeconds: 0 }),
    );
    const lasting = await documents('answer').toArray();
    expect(lasting.every(({ expireAt }) => expireAt instanceof Date)).toBe(true);
  });

  it('gives nothing that was read before a write was noted', async () => {
    const question = createQuestion();
    keepText(await one.claim(question), 'old');
    await stopAll();
    expect(await ask(one, question)).toBe('hit old');
    await other.drop(['table']);
    expect(await ask(one, question)).toBe('miss');
  });

  it('leaves what a write did not touch', async () => {
    const [plain, view] = [createQuestion(), createQuestion()];
    keepText(await one.claim(plain), 'plain', ['table']);
    keepText(await one.claim(view), 'view');
    await stopAll();
    await other.drop(['other table', 'backend']);
    expect(await ask(one, plain)).toBe('hit plain');
    expect(await ask(one, view)).toBe('miss');
  });

  it('does not keep for long what was read while a write was done', async () => {
    const question = createQuestion();
    // The filler is held: it has read, and a write passes before it is kept.
    const held = await one.claim(question);
    fillOf(held).add(Buffer.from('old'));
    await other.drop(['table']);
    fillOf(held).keep({});
    await stopAll();
    expect(await ask(one, question)).toBe('miss');
  });

  it('gives a follower nothing that was read before a write which he has to see', async () => {
    const question = createQuestion();
    const held = await one.claim(question);
    await one.drop(['table']);
    const followed = one.claim(question);
    keepText(held, 'old');
    expect(describeClaim(await followed)).toBe('miss');
  });

  it('lets one make an answer while others wait, in one process and among replicas', async () => {
    const question = createQuestion();
    const first = await one.claim(question);
    const others = Promise.all(
      Array.from({ length: 20 }, async (_, index) => await ask(index % 2 ? one : other, question)),
    );
    keepText(first, 'made');
    expect(new Set(await others)).toEqual(new Set(['hit made']));
  });

  it('has one filler when all come at once', async () => {
    const question = createQuestion();
    const kinds: string[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const { signal } = new AbortController();
        const claim = await (index % 2 ? one : other).claim({ ...question, signal });
        kinds.push(claim.kind);
        if (claim.kind === 'miss') {
          keepText(claim, 'made');
        }
      }),
    );
    expect(kinds.filter((kind) => kind === 'miss')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'hit')).toHaveLength(49);
  });

  it('sends followers on when the filler gives up', async () => {
    const question = createQuestion();
    const first = await one.claim(question);
    const followers = [one.claim(question), one.claim(question), other.claim(question)];
    fillOf(first).abandon();
    const claims = await Promise.all(followers);
    expect(claims.map(({ kind }) => kind)).toEqual(['miss', 'miss', 'miss']);
    // Of each process one at most keeps what it makes; nobody waits again.
    for (const claim of claims) {
      if (claim.kind === 'miss') {
        claim.fill?.abandon();
      }
    }
  });

  it('waits no longer than a follower has time', async () => {
    const question = createQuestion({ waitMs: 100 });
    const held = await one.claim(createQuestion({ ...question, waitMs: 5000 }));
    const startedAtMs = performance.now();
    expect(await ask(one, question)).toBe('miss');
    const claim = await other.claim(question);
    expect(claim.kind).toBe('miss');
    fillOf(claim).abandon();
    expect(performance.now() - startedAtMs).toBeLessThan(4000);
    fillOf(held).abandon();
  });

  it('takes over from a filler that has died, when its lease is over', async () => {
    const question = createQuestion({ waitMs: 300 });
    await one.claim(question);
    const claim = await other.claim({ ...question, waitMs: 5000 });
    expect(claim.kind).toBe('miss');
    keepText(claim, 'made');
    await other.stop(AbortSignal.timeout(DEADLINE_MS));
    expect(await ask(createTestCache(database), question)).toBe('hit made');
  });

  it('frees leases, whether there is an answer or none', async () => {
    const questions = [createQuestion(), createQuestion()] as const;
    keepText(await one.claim(questions[0]), 'made');
    fillOf(await one.claim(questions[1])).abandon();
    await stopAll();
    const ids = new Set((await documents('').toArray()).map(({ _id }) => String(_id)));
    expect(ids.has(`answer:${questions[0].key}`)).toBe(true);
    expect(questions.map(({ key }) => ids.has(`lease:${key}`))).toEqual([false, false]);
  });

  it('keeps a body of 1 MiB, and no larger one', async () => {
    const [fits, exceeds] = [createQuestion(), createQuestion()];
    const whole = 'x'.repeat(BODY_BYTES_MAX);
    keepText(await one.claim(fits), whole);
    keepText(await one.claim(exceeds), `${whole}x`);
    await stopAll();
    expect(await other.claim(fits)).toMatchObject({ kind: 'hit' });
    const claim = await other.claim(exceeds);
    expect(claim.kind).toBe('miss');
    fillOf(claim).abandon();
  });

  it('ends the wait of whoever goes away', async () => {
    const question = createQuestion();
    const held = await one.claim(question);
    const gone = new AbortController();
    const followed = one.claim({ ...question, signal: gone.signal });
    const elsewhere = other.claim({ ...question, signal: gone.signal });
    gone.abort(new Error('the client has gone'));
    await expect(followed).rejects.toThrow('the client has gone');
    await expect(elsewhere).rejects.toThrow();
    fillOf(held).abandon();
  });
});
