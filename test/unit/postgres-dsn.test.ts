import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parseDsn } from '../../src/postgres-dsn.ts';

const DSN = 'postgresql://gate:secret@db.example:6543/shop?sslmode=disable';

describe('parseDsn', () => {
  test('reads a connection string as pg does', () => {
    expect(parseDsn(DSN)).toMatchObject({
      host: 'db.example',
      port: 6543,
      user: 'gate',
      password: 'secret',
      database: 'shop',
      ssl: false,
    });
  });

  test('asks no environment for TLS or the database', () => {
    expect(parseDsn('postgresql://gate:secret@db.example')).toMatchObject({
      ssl: false,
      database: 'gate',
    });
  });

  test.each([
    ['a port that is none', 'postgresql://gate:secret@db.example:port/shop'],
    ['an address that is none', 'postgresql://gate:secret@[::1/shop'],
    ['a certificate that cannot be read', `${DSN}&sslrootcert=/nowhere/ca.pem`],
  ])('refuses %s without showing the password', (_name, dsn) => {
    let thrown: unknown;
    try {
      parseDsn(dsn);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      name: 'ServiceError',
      sqlState: '08001',
      message: 'The connection string of a PostgreSQL cannot be read',
      hint: expect.stringContaining('postgresql://user:password@host:port/database'),
    });
    expect(inspect(thrown, { depth: 5 })).not.toContain('secret');
  });
});
