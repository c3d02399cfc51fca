import { describe, expect, test } from '@jest/globals';
import { isForeignWrite, isSameHost } from '../../../routes/same-origin.ts';
import type { CookieRequest } from '../../../routes/same-origin.ts';

const WRITE: CookieRequest = {
  method: 'POST',
  host: 'gate.example:3000',
  isSecure: false,
  origin: undefined,
  fetchSite: undefined,
};

describe('a write by cookie', () => {
  test.each<[string, Partial<CookieRequest>]>([
    ['says nothing, as programs do', {}],
    ['names our origin', { origin: 'http://gate.example:3000' }],
    [
      'names our origin in capitals',
      { host: 'GATE.example:3000', origin: 'http://gate.example:3000' },
    ],
    ['names ours behind TLS that is not told of', { origin: 'https://gate.example:3000' }],
    ['comes from a page of ours', { fetchSite: 'same-origin' }],
    [
      'comes from a page of ours, and names it',
      {
        ...{ isSecure: true, origin: 'https://gate.example:3000', fetchSite: 'same-origin' },
      },
    ],
    ['names ours without its usual port', { host: 'gate.example', origin: 'https://gate.example' }],
    ['asks for the address', { host: '[::1]:3000', origin: 'http://[::1]:3000' }],
  ])('is ours where it %s', (_does, said) => {
    expect(isForeignWrite({ ...WRITE, ...said })).toBe(false);
  });

  test.each<[string, Partial<CookieRequest>]>([
    ['another host', { origin: 'http://evil.example:3000' }],
    ['another port', { origin: 'http://gate.example:3001' }],
    ['a host that begins as ours', { origin: 'http://gate.example:3000.evil.example' }],
    ['a host that ends as ours', { origin: 'http://evil-gate.example:3000' }],
    ['our name as its user', { origin: 'http://gate.example:3000@evil.example' }],
    ['no origin of its own', { origin: 'null' }],
    ['nothing', { origin: '' }],
    ['a path', { origin: '/' }],
    [
      'our host without TLS, where we have it',
      { isSecure: true, origin: 'http://gate.example:3000' },
    ],
    ['no host, for there is none', { host: '', origin: 'http://gate.example:3000' }],
    ['what is not told of, in HTTP/1.0', { host: undefined, origin: 'http://gate.example:3000' }],
    ['another site', { fetchSite: 'cross-site' }],
    ['a sister site', { fetchSite: 'same-site' }],
    ['the address bar', { fetchSite: 'none' }],
    ['what it wants', { fetchSite: '' }],
    [
      'our origin from another site',
      { origin: 'http://gate.example:3000', fetchSite: 'cross-site' },
    ],
    ['another origin from our site', { origin: 'http://evil.example', fetchSite: 'same-origin' }],
  ])('is foreign where it names %s', (_what, said) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'post']) {
      expect(isForeignWrite({ ...WRITE, ...said, method })).toBe(true);
    }
  });

  test.each(['GET', 'HEAD', 'OPTIONS'])('is no %s: what reads may come from anywhere', (method) => {
    const said = { origin: 'https://evil.example', fetchSite: 'cross-site' };
    expect(isForeignWrite({ ...WRITE, ...said, method })).toBe(false);
  });
});

test.each([
  ['http://a.test', 'a.test', true],
  ['http://a.test:80', 'a.test', true],
  ['http://a.test', 'A.TEST', true],
  ['http://a.test', 'a.test:80', false],
  ['http://a.test', '', false],
  ['', '', false],
  ['a.test', 'a.test', false],
])('%j is of the host %j: %s', (origin, host, isSame) => {
  expect(isSameHost(origin, host)).toBe(isSame);
});
