import { describe, expect, it } from '@jest/globals';
import {
  IggyError,
  isServersOwnFault,
  isTransientIggyError,
  refusalError,
} from '../../../src/connectors/iggy-error.ts';

function reply(status: number, body: unknown = '', retryAfter?: string) {
  return { status, text: typeof body === 'string' ? body : JSON.stringify(body), retryAfter };
}

describe('refusalError', () => {
  it.each([
    ['an empty 401 of 0.8', reply(401), 'unauthenticated'],
    ['a token that is not taken', reply(401, { id: 78, code: 'x' }), 'unauthenticated'],
    ['a session that is gone', reply(409, { id: 101, code: 'x' }), 'unauthenticated'],
    ['a wrong password', reply(400, { id: 42, code: 'invalid_credentials' }), 'credentials'],
    ['a wrong personal access token', reply(401, { id: 53 }), 'credentials'],
    ['a missing permission', reply(403, { id: 41 }), 'forbidden'],
    ['a 404 of our own making', reply(404, { id: 404, code: 'not_found' }), 'not-found'],
    ['a missing stream in 0.8', reply(400, { id: 1009 }), 'not-found'],
    ['a missing partition', reply(404, { id: 3007 }), 'not-found'],
    ['a missing resource at HEAD', reply(404, { id: 20 }), 'not-found'],
    ['a stream that is there', reply(400, { id: 1012 }), 'exists'],
    ['a topic that is there', reply(400, { id: 2013 }), 'exists'],
    ['a full topic', reply(400, { id: 3009 }), 'topic-full'],
    ['an offset past the end', reply(400, { id: 4100 }), 'offset-range'],
    ['a body over the limit', reply(413, 'length limit exceeded'), 'too-large'],
    ['too many requests', reply(429, { id: 429, code: 'too_many' }), 'busy'],
    ['a follower', reply(503, { id: 58 }), 'unavailable'],
    ['a follower that answers 400', reply(400, { id: 58 }), 'unavailable'],
    ['a gateway without a server', reply(502, '<html>'), 'unavailable'],
    ['any fault of the server', reply(500), 'unavailable'],
    ['a send that took too long', reply(504, { id: 504, code: 'produce_timeout' }), 'timeout'],
    ['an empty batch', reply(400, { id: 4009 }), 'refused'],
    ['a body that is not understood', reply(422, 'Failed to deserialize'), 'refused'],
  ])('reads %s', (_, refused, kind) => {
    expect(refusalError('do it', refused).kind).toBe(kind);
  });

  it.each([
    [
      reply(400, { id: 4100, code: 'invalid_offset', reason: 'Invalid offset: 9' }),
      'Iggy did not store it: Invalid offset: 9 (HTTP 400, code 4100)',
    ],
    [reply(404, { id: 404, code: 'not_found' }), 'Iggy did not store it: not_found (HTTP 404)'],
    [reply(413, 'too long'), 'Iggy did not store it: too long (HTTP 413)'],
    [reply(401), 'Iggy did not store it: unauthenticated (HTTP 401)'],
    [reply(500, 'a\r\n\u0000b'), 'Iggy did not store it: a b (HTTP 500)'],
    [reply(400, { id: 1, reason: 5 }), 'Iggy did not store it: refused (HTTP 400, code 1)'],
  ])('says what, why and by which numbers: %#', (refused, message) => {
    expect(refusalError('store it', refused).message).toBe(message);
  });

  it('shows only the beginning of a long text', () => {
    expect(refusalError('store it', reply(500, 'x'.repeat(10_000))).message.length).toBeLessThan(
      300,
    );
  });

  it('carries status, code and how long to wait', () => {
    expect(refusalError('store it', reply(503, { id: 57 }, '2'))).toMatchObject({
      status: 503,
      code: 57,
      retryAfterMs: 2000,
    });
  });
});

describe('IggyError', () => {
  it.each([
    ['unreachable', true, true],
    ['timeout', true, true],
    ['unavailable', true, true],
    ['busy', true, false],
    ['refused', false, false],
    ['too-large', false, false],
    ['topic-full', false, false],
    ['credentials', false, false],
  ] as const)('%s is transient: %p, and the one server’s own: %p', (kind, transient, own) => {
    const error = new IggyError(kind, 'It failed');
    expect([isTransientIggyError(error), isServersOwnFault(error)]).toEqual([transient, own]);
  });

  it('is not what any other error is', () => {
    expect(isTransientIggyError(new Error('timeout'))).toBe(false);
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new IggyError('timeout', 'Late', { cause }).cause).toBe(cause);
  });
});
