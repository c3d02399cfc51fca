import express from 'express';
import supertest from 'supertest';
import { describe, expect, it, test } from '@jest/globals';
import { createCachedAnswers, UNCACHED } from '../../../routes/cached-answers.ts';
import type { CachedAnswers, CachedQuestion } from '../../../routes/cached-answers.ts';
import { sendBody } from '../../../routes/cached-record.ts';
import type { RequestContext } from '../../../routes/request-context.ts';
import { ServiceError, SQLSTATE } from '../../../src/errors.ts';
import { ResponseCache } from '../../../src/store/response-cache.ts';
import { createRecorder } from '../../support/observations.ts';

const CONTEXT: RequestContext = {
  requestId: 'a request',
  address: '127.0.0.1',
  signal: new AbortController().signal,
  caller: 'ada',
  owner: 'token:ada',
  scope: 'read',
};

const WRITE = { backend: 'postgres', container: 'public', name: 'items', timeoutMs: 100 } as const;

interface Stage {
  readonly cached: CachedAnswers;
  readonly observations: readonly unknown[];
  /** How often MongoDB was asked for. */
  readonly opens: () => number;
}

/** Answers over a cache whose MongoDB is away. */
function openStage(fingerprint = (): string => ''): Stage {
  const observer = createRecorder();
  let opens = 0;
  const open = async (): Promise<never> => {
    opens += 1;
    return await Promise.reject(new Error('away'));
  };
  const cache = new ResponseCache({ store: { open }, observer });
  const cached = createCachedAnswers({ cache, observer, fingerprint });
  return { cached, observations: observer.observations, opens: () => opens };
}

async function ask(
  cached: CachedAnswers,
  changes: Partial<CachedQuestion> = {},
): Promise<supertest.Response> {
  const app = express();
  app.get('/', async (_request, response) => {
    const question: CachedQuestion = {
      response,
      context: CONTEXT,
      backend: 'postgres',
      wish: { maxAgeSeconds: 60 },
      key: ['select 1'],
      tags: ['postgres'],
      timeoutMs: 1000,
      ...changes,
    };
    await cached.answer(question, async () => {
      sendBody(response.type('text'), Buffer.from('made'));
      await Promise.resolve();
    });
  });
  return await supertest(app).get('/');
}

describe('answers past the cache', () => {
  it('are made where there is none', async () => {
    const { status, text, headers } = await ask(UNCACHED);
    expect([status, text, headers['x-cache']]).toEqual([200, 'made', 'bypass']);
  });

  it('are made where its MongoDB is away, which is observed', async () => {
    const { cached, observations, opens } = openStage();
    const { text, headers } = await ask(cached);
    expect([text, headers['x-cache'], headers['age']]).toEqual(['made', 'bypass', undefined]);
    expect(opens()).toBe(1);
    expect(observations).toEqual([
      expect.objectContaining({ kind: 'component-reported', component: 'cache' }),
      { kind: 'cache-answered', result: 'bypass' },
    ]);
  });

  it('are made where the request wants the one of now, and nobody looks', async () => {
    const { cached, opens } = openStage();
    expect((await ask(cached, { wish: 'bypass' })).headers['x-cache']).toBe('bypass');
    expect(opens()).toBe(0);
  });

  it('fail as the statement would where the server is not known', async () => {
    const { cached } = openStage(() => {
      throw new ServiceError(SQLSTATE.connectionFailure, 'not yet');
    });
    expect((await ask(cached)).status).toBe(500);
  });
});

describe('writes that the cache learns of', () => {
  it('are as they are where there is none', async () => {
    expect(await UNCACHED.write(WRITE, async () => await Promise.resolve(5))).toBe(5);
    const failed = UNCACHED.write(WRITE, async () => await Promise.reject(new Error('no')));
    await expect(failed).rejects.toThrow('no');
  });

  test.each([
    ['done', undefined],
    ['refused', new ServiceError('23505', 'duplicate')],
    ['not clear', new ServiceError(SQLSTATE.connectionFailure, 'lost')],
  ])('are told before their answer, when they are %s', async (_title, error) => {
    const { cached, opens } = openStage();
    const written = cached.write(WRITE, async () => {
      expect(opens()).toBe(0);
      return error === undefined ? await Promise.resolve('done') : await Promise.reject(error);
    });
    await (error === undefined
      ? expect(written).resolves.toBe('done')
      : expect(written).rejects.toBe(error));
    expect(opens()).toBe(1);
  });

  it('that could not be told keep readers away from it', async () => {
    const { cached, opens } = openStage();
    await cached.write(WRITE, async () => await Promise.resolve());
    expect((await ask(cached)).headers['x-cache']).toBe('bypass');
    expect(opens()).toBe(1);
  });
});
