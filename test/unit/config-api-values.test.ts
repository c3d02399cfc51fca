import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  apiTokens,
  originList,
  tablePatterns,
  trustedProxies,
} from '../../src/config-api-values.ts';
import type { TextType } from '../../src/config-values.ts';

const HASH = '0f'.repeat(32);
const OTHER = '1e'.repeat(32);

function refusal({ schema, accepted }: TextType<unknown>, text: string): string | undefined {
  const message = schema.safeParse(text).error?.issues[0]?.message;
  return message?.replace(`; accepted is ${accepted}`, '').replace(`accepted is ${accepted}`, '-');
}

describe('a list of tokens', () => {
  const ci = { name: 'ci', scope: 'write', sha256: HASH };
  const me = { name: 'me', scope: 'admin', sha256: OTHER };

  test.each([
    ['one', `ci:write:${HASH}`, [ci]],
    ['two between commas', `ci:write:${HASH},me:admin:${OTHER}`, [ci, me]],
    ['two between blanks', ` ci:write:${HASH}  me:admin:${OTHER} `, [ci, me]],
    ['two with both', `ci:write:${HASH}, me:admin:${OTHER},`, [ci, me]],
    ['a hash in capitals', `ci:write:${HASH.toUpperCase()}`, [ci]],
    [
      'a file',
      `# who may\n\nci:write:${HASH} # the pipeline, until May\r\n#old:read:x\nme:admin:${OTHER}\n`,
      [ci, me],
    ],
  ])('may be %s', (_, text, tokens) => {
    expect(apiTokens.schema.parse(text)).toEqual(tokens);
  });

  test.each([
    ['', 'it has no entry'],
    [' , ', 'it has no entry'],
    ['# nothing\n', 'it has no entry'],
    ['hunter2', 'entry 1 is not name:scope:sha256'],
    ['ci:read', 'entry 1 is not name:scope:sha256'],
    [`ci:read:${HASH}:x`, 'entry 1 is not name:scope:sha256'],
    [`ci:write:${HASH} hunter2`, 'entry 2 is not name:scope:sha256'],
    [`ci:owner:${HASH}`, 'entry 1 has a scope that is not read, write, admin'],
    [`ci:Read:${HASH}`, 'entry 1 has a scope that is not read, write, admin'],
    [
      `:read:${HASH}`,
      'entry 1 has a name that is not 1 to 63 letters, digits and . _ @ -, and not anonymous',
    ],
    [
      `anonymous:read:${HASH}`,
      'entry 1 has a name that is not 1 to 63 letters, digits and . _ @ -, and not anonymous',
    ],
    [
      'ci:read:gp_hunter2',
      'entry 1 has a hash that is not 64 hexadecimal digits: it takes the SHA-256, not the token',
    ],
    [
      `ci:read:${HASH}0`,
      'entry 1 has a hash that is not 64 hexadecimal digits: it takes the SHA-256, not the token',
    ],
    [`ci:read:${HASH},ci:write:${OTHER}`, 'entries 1 and 2 have the same name'],
    [`ci:read:${HASH},CI:write:${OTHER}`, 'entries 1 and 2 have the same name'],
    [`a:read:${HASH},ci:read:${OTHER},b:write:${HASH}`, 'entries 1 and 3 have the same hash'],
  ])('that is %j is refused, and why: %s', (text, reason) => {
    expect(refusal(apiTokens, text)).toBe(reason);
  });

  test('shows nothing of what it refuses', () => {
    const secret = fc.stringMatching(/^[a-z0-9]{8,20}$/).map((text) => `q7${text}`);
    const place = fc.constantFrom(
      (text: string) => text,
      (text: string) => `ci:read:${text}`,
      (text: string) => `ci:${text}:${HASH}`,
      (text: string) => `${text}:${text}:${text}`,
      (text: string) => `ci:read:${HASH} ${text}`,
    );
    fc.assert(
      fc.property(secret, place, (text, put) => {
        const result = apiTokens.schema.safeParse(put(text));
        expect(result.success).toBe(false);
        expect(result.error?.message).not.toContain(text);
      }),
    );
  });
});

describe('trusted proxies', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['10', 10],
    ['10.1.2.3', ['10.1.2.3']],
    ['10.0.0.0/8, 192.168.0.1', ['10.0.0.0/8', '192.168.0.1']],
    ['::1 fd00::/8', ['::1', 'fd00::/8']],
    ['loopback,linklocal,uniquelocal', ['loopback', 'linklocal', 'uniquelocal']],
  ])('may be %s', (text, value) => {
    expect(trustedProxies.schema.parse(text)).toEqual(value);
  });

  test.each([
    ...['', ',', '-1', '11', '3000', '1.5', 'true', 'all', '*', 'proxy.example.com', '10.0.0.0/33'],
    ...['10.0.0.0/0', '::/0', '::1/129', '10.0.0.0/8/8', '10.0.0', '10.0.0.0/', '1,10.0.0.1'],
  ])('are not %j', (text) => {
    expect(refusal(trustedProxies, text)).toBe('-');
  });
});

describe('a list of origins', () => {
  test.each([
    ['https://app.example.com', ['https://app.example.com']],
    ['http://localhost:5173', ['http://localhost:5173']],
    ['HTTPS://App.Example.com:443', ['https://app.example.com']],
    ['http://[::1]:80', ['http://[::1]']],
    ['https://a.test, http://b.test https://a.test', ['https://a.test', 'http://b.test']],
  ])('of %s is as browsers write it', (text, origins) => {
    expect(originList.schema.parse(text)).toEqual(origins);
  });

  test.each([
    ['', 'it has no entry'],
    ['*', 'entry 1 is not a scheme, a host and a port only'],
    ['null', 'entry 1 is not a scheme, a host and a port only'],
    ['app.example.com', 'entry 1 is not a scheme, a host and a port only'],
    ['https://a.test,https://b.test/', 'entry 2 is not a scheme, a host and a port only'],
    ['https://*.example.com', 'entry 1 is not a scheme, a host and a port only'],
    ['https://u:p@a.test', 'entry 1 is not a scheme, a host and a port only'],
    ['https://a.test?x', 'entry 1 is not a scheme, a host and a port only'],
    ['https://a.test#x', 'entry 1 is not a scheme, a host and a port only'],
    ['https://a.test:x', 'entry 1 is not a scheme, a host and a port only'],
    ['file:///etc', 'entry 1 is not a scheme, a host and a port only'],
  ])('that is %j is refused, and why: %s', (text, reason) => {
    expect(refusal(originList, text)).toBe(reason);
  });
});

describe('a list of table patterns', () => {
  test.each([
    ['postgres/public.orders', ['postgres/public.orders']],
    ['mongodb/shop.*, */audit.*', ['mongodb/shop.*', '*/audit.*']],
    ['postgres/*,postgres/*', ['postgres/*']],
    ['postgres/a.b mongodb/c.d\n*/e.f,,', ['postgres/a.b', 'mongodb/c.d', '*/e.f']],
    ['postgres/my%20schema.50%25', ['postgres/my%20schema.50%25']],
    ['postgres/.hidden.t postgres/a.b.', ['postgres/.hidden.t', 'postgres/a.b.']],
    ['postgres/.* postgres/*.', ['postgres/.*', 'postgres/*.']],
    ['mongodb/shop.orders.2024', ['mongodb/shop.orders.2024']],
  ])('may be %s', (text, patterns) => {
    expect(tablePatterns.schema.parse(text)).toEqual(patterns);
  });

  test.each([
    ['', 'it has no entry'],
    [' , ', 'it has no entry'],
    [
      'postgres/my schema.my table',
      'entry 1 is not postgres/schema.table or mongodb/database.collection',
    ],
    [
      'postgres/public.a public.b',
      'entry 2 is not postgres/schema.table or mongodb/database.collection',
    ],
    ['postgres/public.', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
    ['mongodb/.orders', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
    [
      'postgres/a.b postgres/a.50%',
      'entry 2 has a percent sign that encodes no character; itself it is %25',
    ],
    ['*/a.%ff', 'entry 1 has a percent sign that encodes no character; itself it is %25'],
    ['public.orders', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
    ['*', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
    ['postgres/', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
    ['Postgres/a.b', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
    [
      'postgres/a.b,mongodb/shop',
      'entry 2 is not postgres/schema.table or mongodb/database.collection',
    ],
    ['mysql/a.b', 'entry 1 is not postgres/schema.table or mongodb/database.collection'],
  ])('that is %j is refused, and why: %s', (text, reason) => {
    expect(refusal(tablePatterns, text)).toBe(reason);
  });
});
