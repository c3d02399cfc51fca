import { describe, expect, test } from '@jest/globals';
import { attributesOf, cookieOf, hasCookie } from '../../../routes/web-session-cookie.ts';

describe('the cookie', () => {
  test.each([
    [false, false, 'gatepost.sid'],
    [true, false, '__Host-gatepost.sid'],
    [false, true, '__Host-gatepost.sid'],
    [true, true, '__Host-gatepost.sid'],
  ])('by TLS: %s, only by TLS: %s, is %s', (secure, isTlsRequired, name) => {
    const kind = cookieOf({ secure }, isTlsRequired);
    expect(kind).toEqual({ name, isSecure: name !== 'gatepost.sid' });
    expect(attributesOf(kind)).toEqual({
      ...{ httpOnly: true, sameSite: 'strict', path: '/', secure: kind.isSecure },
    });
  });

  const plain = cookieOf({ secure: false }, false);

  test.each([
    ['gatepost.sid=x', true],
    ['a=b; gatepost.sid=x', true],
    ['a=b;gatepost.sid=', true],
    ['__Host-gatepost.sid=x', false],
    ['xgatepost.sid=x', false],
    ['a=gatepost.sid=x', false],
    ['gatepost.sid', false],
    ['', false],
    [undefined, false],
  ])('is in %j: %s', (cookie, isThere) => {
    const headers = cookie === undefined ? {} : { cookie };
    expect(hasCookie({ headers }, plain)).toBe(isThere);
  });
});
