import { describe, expect, test } from '@jest/globals';
import {
  DEFAULT_BACKEND,
  LISTENER_KEYS,
  LISTENER_SECRETS,
  listenerSchema,
  otherBackendOf,
} from '../../src/config-listener-keys.ts';

const POSTGRES_KEYS = ['upstream_dsn', 'upstream_dsn_file'];
const MONGODB_KEYS = ['javascript', 'mongodb_uri', 'mongodb_uri_file'];

describe('the keys of a listener', () => {
  test('are each named once, those of both backends included', () => {
    expect(new Set(LISTENER_KEYS).size).toBe(LISTENER_KEYS.length);
    expect(LISTENER_KEYS).toEqual(
      expect.arrayContaining([...POSTGRES_KEYS, ...MONGODB_KEYS, 'name', 'port', 'backend']),
    );
  });

  test.each(LISTENER_KEYS)('belong to the backends that they are for: %s', (key) => {
    expect(otherBackendOf(key, 'postgres')).toBe(
      MONGODB_KEYS.includes(key) ? 'mongodb' : undefined,
    );
    expect(otherBackendOf(key, 'mongodb')).toBe(
      POSTGRES_KEYS.includes(key) ? 'postgres' : undefined,
    );
  });

  test.each(['mysql', '', 1, undefined])('are nobody else’s when the backend is %j', (backend) => {
    expect(LISTENER_KEYS.map((key) => otherBackendOf(key, backend)).some(Boolean)).toBe(false);
  });

  test('name a file for each secret', () => {
    expect(LISTENER_SECRETS.map(([key, fileKey]) => [`${key}_file`, fileKey])).toEqual(
      LISTENER_SECRETS.map(([, fileKey]) => [fileKey, fileKey]),
    );
    expect(LISTENER_KEYS).toEqual(expect.arrayContaining(LISTENER_SECRETS.flat()));
  });
});

describe('a listener', () => {
  const needed = { name: 'a', port: '6000' };

  test('has the default backend, which is one', () => {
    expect(listenerSchema.parse({ ...needed, backend: DEFAULT_BACKEND })).toEqual({
      name: 'a',
      port: 6000,
      backend: 'postgres',
    });
  });

  test('reads the lists as its backend means them', () => {
    const lists = { ...needed, allow: 'drop', deny: 'drop' };
    expect(listenerSchema.parse({ ...lists, backend: 'postgres' })).toMatchObject({
      allow: ['DROP'],
      deny: ['DROP'],
    });
    expect(listenerSchema.parse({ ...lists, backend: 'mongodb' })).toMatchObject({
      allow: ['drop'],
      deny: ['drop'],
    });
  });

  test.each([undefined, 'mysql', 'MongoDB', ''])(
    'with the backend %j is refused at it',
    (backend) => {
      const { error } = listenerSchema.safeParse({ ...needed, backend });
      expect(error?.issues).toMatchObject([
        { path: ['backend'], message: 'accepted is postgres or mongodb' },
      ]);
    },
  );

  test.each([
    ['postgres', 'mongodb_uri', 'mongodb://h'],
    ['mongodb', 'upstream_dsn', 'postgres://h'],
  ])('of backend %s has no key %s', (backend, key, text) => {
    expect(listenerSchema.safeParse({ ...needed, backend, [key]: text }).success).toBe(false);
  });
});
