import { performance } from 'node:perf_hooks';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createTableRules } from '../../../routes/table-rules.ts';
import type { TableRules } from '../../../src/config-api.ts';

type Backend = 'postgres' | 'mongodb';

const NONE: TableRules = { allow: [], deny: [], readOnly: [] };

/** The answer about a table that is written as patterns write it: backend/container.name. */
function visibilityOf(path: string, rules: Partial<TableRules> = {}): string {
  const [, backend = '', container = '', name = ''] = /^(\w+)\/([^.]*)\.(.*)$/.exec(path) ?? [];
  const known: Backend = backend === 'postgres' ? 'postgres' : 'mongodb';
  return createTableRules({ ...NONE, ...rules }).visibility(known, container, name);
}

describe('What is of Gatepost itself', () => {
  const rules = createTableRules(NONE, {
    postgresSchema: 'gatepost',
    mongodbDatabase: 'gatepost',
  });

  test.each([
    ['postgres', 'gatepost', 'hidden'],
    ['postgres', 'Gatepost', 'read-write'],
    ['mongodb', 'gatepost', 'hidden'],
    ['mongodb', 'GatePost', 'hidden'],
    ['mongodb', 'gatepost2', 'read-write'],
  ] as const)('of %s %s is %s', (backend, container, wanted) => {
    expect(rules.visibility(backend, container, 'accounts')).toBe(wanted);
    expect(createTableRules(NONE).visibility(backend, container, 'accounts')).toBe('read-write');
  });
});

describe('without rules', () => {
  test.each(['postgres/public.orders', 'mongodb/shop.orders', 'mongodb/shop.a.b', 'postgres/a.'])(
    '%s may be changed',
    (path) => {
      expect(visibilityOf(path)).toBe('read-write');
    },
  );

  test.each([
    ...['postgres/pg_catalog.pg_class', 'postgres/information_schema.tables'],
    ...['postgres/pg_toast.pg_toast_1', 'postgres/pg_temp_3.t', 'postgres/pg_toast_temp_3.t'],
    ...['mongodb/admin.system.users', 'mongodb/admin.x', 'mongodb/local.oplog.rs'],
    ...['mongodb/config.chunks', 'mongodb/Admin.x', 'mongodb/shop.system.views'],
    'mongodb/shop.system.buckets.t',
  ])('%s is hidden', (path) => {
    expect(visibilityOf(path)).toBe('hidden');
    expect(visibilityOf(path, { allow: ['*/*'] })).toBe('hidden');
  });

  test.each([
    ...['postgres/admin.t', 'postgres/local.t', 'postgres/public.pg_class'],
    ...['postgres/public.system.x', 'mongodb/pg_catalog.t', 'mongodb/shop.systems'],
    ...['mongodb/administration.t', 'postgres/pga.t'],
  ])('%s is not of the system', (path) => {
    expect(visibilityOf(path)).toBe('read-write');
  });
});

describe('a pattern', () => {
  test.each<[string, string, boolean]>([
    ['postgres/public.orders', 'postgres/public.orders', true],
    ['postgres/public.orders', 'postgres/public.order', false],
    ['postgres/public.orders', 'postgres/public.orders2', false],
    ['postgres/public.orders', 'mongodb/public.orders', false],
    ['postgres/public.Orders', 'postgres/public.orders', false],
    ['postgres/public.*', 'postgres/public.orders', true],
    ['postgres/public.*', 'postgres/publics.orders', false],
    ['postgres/*.orders', 'postgres/shop.orders', true],
    ['postgres/*.orders', 'postgres/shop.orders_2', false],
    ['*/audit.*', 'mongodb/audit.x', true],
    ['*/audit.*', 'postgres/audit.x', true],
    ['postgres/*', 'postgres/public.orders', true],
    ['postgres/p*.o*s', 'postgres/public.orders', true],
    ['postgres/p*.o*s', 'postgres/public.order', false],
    ['postgres/public.a*a', 'postgres/public.aa', true],
    ['postgres/public.a*a', 'postgres/public.a', false],
    ['postgres/public.*ab*ab', 'postgres/public.ab', false],
    ['postgres/public.*ab*ab', 'postgres/public.abab', true],
    ['postgres/public.**', 'postgres/public.x', true],
    ['mongodb/shop.o.d', 'mongodb/shop.o.d', true],
    ['mongodb/shop.o.d', 'mongodb/shop.oxd', false],
    ['postgres/public.a+', 'postgres/public.aa', false],
    ['postgres/public.[ab]', 'postgres/public.a', false],
    ['postgres/my%20schema.my%2Ctable', 'postgres/my schema.my,table', true],
    ['postgres/my%20schema.my%2Ctable', 'postgres/my%20schema.my%2Ctable', false],
    ['postgres/public.a%2Ab', 'postgres/public.a*b', true],
    ['postgres/public.a%2Ab', 'postgres/public.axb', false],
    ['postgres/public.50%25', 'postgres/public.50%', true],
    ['postgres/public.%C3%A4*', 'postgres/public.\u00e4pfel', true],
  ])('%s matches %s: %s', (pattern, path, isMatch) => {
    const visibility = visibilityOf(path, { readOnly: [pattern] });
    expect(visibility).toBe(isMatch ? 'read-only' : 'read-write');
  });

  test('matches what a regular expression of the same meaning matches', () => {
    const text = fc.stringMatching(/^[ab.]{0,8}$/);
    const pattern = fc.stringMatching(/^[ab.*]{0,8}$/);
    fc.assert(
      fc.property(pattern, text, (stars, name) => {
        const source = stars.replaceAll('.', '\\.').replaceAll('*', '.*');
        const expected = new RegExp(`^${source}$`).test(name) ? 'read-only' : 'read-write';
        const rules = createTableRules({ ...NONE, readOnly: [`postgres/s.${stars}`] });
        expect(rules.visibility('postgres', 's', name)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('of many stars takes no time over a name that nearly matches', () => {
    const rules = createTableRules({ ...NONE, deny: [`postgres/s.${'a*'.repeat(40)}b`] });
    const startMs = performance.now();
    expect(rules.visibility('postgres', 's', 'a'.repeat(100_000))).toBe('read-write');
    expect(performance.now() - startMs).toBeLessThan(1000);
  });
});

describe('rules together', () => {
  const rules = {
    allow: ['postgres/shop.*', 'mongodb/shop.*'],
    deny: ['*/shop.secret*'],
    readOnly: ['postgres/shop.rates', 'postgres/shop.secrets'],
  };

  test.each([
    ['postgres/shop.orders', 'read-write'],
    ['postgres/shop.rates', 'read-only'],
    ['mongodb/shop.rates', 'read-write'],
    ['postgres/shop.secrets', 'hidden'],
    ['mongodb/shop.secret', 'hidden'],
    ['postgres/public.orders', 'hidden'],
    ['mongodb/other.orders', 'hidden'],
  ])('make %s %s', (path, visibility) => {
    expect(visibilityOf(path, rules)).toBe(visibility);
  });
});
