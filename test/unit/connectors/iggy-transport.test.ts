import { afterEach, describe, expect, it } from '@jest/globals';
import { IggyTransport } from '../../../src/connectors/iggy-transport.ts';
import type { TransportOptions } from '../../../src/connectors/iggy-transport.ts';
import { startFakeIggy } from '../../support/fake-iggy.ts';
import type { FakeAnswer, FakeIggy, FakeReply } from '../../support/fake-iggy.ts';

const NEVER = new AbortController().signal;
const WELL: FakeReply = { status: 200, body: '{"id":18446744073709551615}' };
const REQUEST = { method: 'GET', path: '/x', action: 'do it' } as const;
const RETRY = { attemptsMax: 3, firstMs: 1, maxMs: 2, retryAfterMaxMs: 20 };

const open: { readonly close: () => void | Promise<void> }[] = [];

afterEach(async () => {
  for (const { close } of open.splice(0)) {
    await close();
  }
});

/** A server that gives these answers in turn, and then goes well. */
async function openFake(...answers: (FakeReply | FakeAnswer)[]): Promise<FakeIggy> {
  const fake = await startFakeIggy((request, response) => {
    const answer = answers.shift() ?? WELL;
    return typeof answer === 'function' ? answer(request, response) : answer;
  });
  open.push({ close: async () => await fake.stop() });
  return fake;
}

function openTransport(fakes: readonly FakeIggy[], own: Partial<TransportOptions> = {}) {
  const transport = new IggyTransport({
    addresses: fakes.map(({ address }) => address),
    credentials: { kind: 'password', username: 'iggy', password: 'hunter2' },
    bounds: { timeoutMs: 10_000, replyBytesMax: 10_000 },
    retry: RETRY,
    ...own,
  });
  open.unshift({ close: () => transport.close() });
  return transport;
}

const reset: FakeAnswer = (_, response) => void response.socket?.resetAndDestroy();

describe('IggyTransport', () => {
  it('logs in once, and reads large integers', async () => {
    const fake = await openFake();
    const transport = openTransport([fake]);
    const answers = [1, 2, 3].map(async () => await transport.request(REQUEST, NEVER));
    await expect(Promise.all(answers)).resolves.toEqual(
      Array(3).fill({ id: '18446744073709551615' }),
    );
    expect(fake.logins).toEqual(['/users/login']);
    expect(fake.requests.map(({ bearer }) => bearer)).toEqual(Array(3).fill('token-1'));
  });

  it.each([
    ['401 without a body', { status: 401 }],
    ['a session that is gone', { status: 409, body: '{"id":101}' }],
  ])('logs in again and repeats the request on %s', async (_, answer) => {
    const fake = await openFake(answer);
    await openTransport([fake]).request(REQUEST, NEVER);
    expect(fake.logins).toEqual(['/users/login', '/users/login']);
    expect(fake.requests.map(({ bearer }) => bearer)).toEqual(['token-1', 'token-2']);
  });

  it('gives up when the new token is refused as well', async () => {
    const fake = await openFake({ status: 401 }, { status: 401 });
    await expect(openTransport([fake]).request(REQUEST, NEVER)).rejects.toMatchObject({
      kind: 'unauthenticated',
    });
    expect(fake.requests.length).toBe(2);
  });

  it.each<[string, FakeReply | FakeAnswer]>([
    ['429', { status: 429 }],
    ['503', { status: 503, body: '{"id":57}' }],
    ['504', { status: 504 }],
    ['500', { status: 500 }],
    ['a reset', reset],
  ])('tries again after %s', async (_, failure) => {
    const fake = await openFake(failure, failure);
    const seen: unknown[] = [];
    const transport = openTransport([fake], { onRetry: (error) => seen.push(error) });
    await expect(transport.request(REQUEST, NEVER)).resolves.toBeDefined();
    expect(fake.requests.length).toBe(3);
    expect(seen.length).toBe(2);
  });

  it('throws the last failure when the attempts are used up', async () => {
    const fake = await openFake({ status: 503 }, { status: 503 }, { status: 429 });
    await expect(openTransport([fake]).request(REQUEST, NEVER)).rejects.toMatchObject({
      kind: 'busy',
    });
    expect(fake.requests.length).toBe(3);
  });

  it('tries once what would be refused again', async () => {
    const fake = await openFake({ status: 400, body: '{"id":4009,"reason":"Empty batch"}' });
    await expect(openTransport([fake]).request(REQUEST, NEVER)).rejects.toThrow(
      'Iggy did not do it: Empty batch (HTTP 400, code 4009)',
    );
    expect(fake.requests.length).toBe(1);
  });

  it('waits as long as Retry-After asks for', async () => {
    const fake = await openFake({ status: 429, headers: { 'Retry-After': '0.2' } });
    const start = performance.now();
    const policy = { ...RETRY, retryAfterMaxMs: 1000 };
    await openTransport([fake], { retry: policy }).request(REQUEST, NEVER);
    expect(performance.now() - start).toBeGreaterThan(190);
  });

  it('does not wait longer than its own bound', async () => {
    const fake = await openFake({ status: 429, headers: { 'Retry-After': '3600' } });
    await expect(openTransport([fake]).request(REQUEST, NEVER)).resolves.toBeDefined();
  });

  it.each<[string, FakeReply | FakeAnswer]>([
    ['503', { status: 503, headers: { 'Retry-After': '3600' } }],
    ['code 58', { status: 400, body: '{"id":58}' }],
    ['a lost connection', reset],
  ])('goes on at the next server on %s, at once, and stays there', async (_, failure) => {
    const [first, second] = [await openFake(failure), await openFake()];
    const slow = { ...RETRY, firstMs: 60_000, maxMs: 60_000, retryAfterMaxMs: 60_000 };
    const transport = openTransport([first, second], { retry: slow });
    await transport.request(REQUEST, NEVER);
    await transport.request(REQUEST, NEVER);
    expect([first.requests.length, second.requests.length]).toEqual([1, 2]);
    expect(second.logins).toEqual(['/users/login']);
  });

  it('comes back to the first server after the last', async () => {
    const [first, second] = [await openFake(reset), await openFake(reset)];
    const transport = openTransport([first, second]);
    await transport.request(REQUEST, NEVER);
    expect([first.requests.length, second.requests.length]).toEqual([2, 1]);
  });

  it('stays with a server that only has too much to do', async () => {
    const [first, second] = [await openFake({ status: 429 }), await openFake()];
    await openTransport([first, second]).request(REQUEST, NEVER);
    expect([first.requests.length, second.requests.length]).toEqual([2, 0]);
  });

  it.each(['token-1', 'hunter2'])('shows no %s that a server repeats', async (secret) => {
    const fake = await openFake({ status: 400, body: `you said ${secret}` });
    await expect(openTransport([fake]).request(REQUEST, NEVER)).rejects.toThrow(
      /^Iggy did not do it: you said \*\*\* \(HTTP 400\)$/,
    );
  });

  it('shows nothing of an answer that is no JSON', async () => {
    const fake = await openFake({ status: 200, body: '<html>secret' });
    await expect(openTransport([fake]).request(REQUEST, NEVER)).rejects.toThrow(
      /^Iggy's answer is not JSON: it was asked to do it$/,
    );
  });

  it('ends a long pause when the signal aborts', async () => {
    const stop = new AbortController();
    const fake = await openFake({ status: 503 });
    const transport = openTransport([fake], {
      retry: { ...RETRY, firstMs: 60_000, maxMs: 60_000 },
      onRetry: () => queueMicrotask(() => stop.abort(new Error('stopped'))),
    });
    await expect(transport.request(REQUEST, stop.signal)).rejects.toThrow('stopped');
  });

  it('ends what is under way when it is closed, and takes nothing afterwards', async () => {
    const fake = await openFake(() => {
      transport.close();
      return undefined;
    });
    const transport = openTransport([fake]);
    await expect(transport.request(REQUEST, NEVER)).rejects.toThrow('is closed');
    await expect(transport.request(REQUEST, NEVER)).rejects.toThrow('is closed');
  });

  it('needs an address', () => {
    expect(() => openTransport([])).toThrow("Iggy's address is missing; set iggy.address");
  });
});
