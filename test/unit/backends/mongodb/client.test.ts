import { describe, expect, it } from '@jest/globals';
import { appNameOf, verifyConnectionString } from '../../../../src/backends/mongodb/client.ts';
import { ServiceError } from '../../../../src/errors.ts';

function refusalOf(uri: string): ServiceError {
  try {
    verifyConnectionString(uri);
  } catch (error) {
    if (error instanceof ServiceError) {
      return error;
    }
    throw error;
  }
  throw new Error(`${uri} was taken`);
}

describe('A connection string', () => {
  it.each([
    'mongodb://app:s3cret@a:1,b:2/orders?replicaSet=rs&tls=true',
    'mongodb+srv://app:s3cret@cluster.example/orders?appName=x',
  ])('is taken as the driver takes it, without a look at the network: %s', (uri) => {
    expect(() => {
      verifyConnectionString(uri);
    }).not.toThrow();
  });

  it.each([
    ['mongodb://app:s3cret@a/db?poolSize=5', ': option poolsize is not supported'],
    ['mongodb://app:s3cret@a/db?foo=1&bar=2', ': options foo, bar are not supported'],
    ['mongodb://app:s3cret@a/db?readPreference=s3cret', ''],
    ['mongodb://app:s3cret@a/db?authMechanism=s3cret', ''],
    ['mongodb://app:s3cret@a/db?tls=s3cret', ''],
  ])('is refused with what is wrong, where that is no value of it: %s', (uri, said) => {
    const { message, severity, sqlState, hint } = refusalOf(uri);
    expect(message).toBe(`The MongoDB driver refuses the connection string (MONGODB_URI)${said}`);
    expect([severity, sqlState]).toEqual(['FATAL', '08006']);
    expect(`${message} ${hint ?? ''}`).not.toContain('s3cret');
  });
});

describe('The name that MongoDB knows a session by', () => {
  it.each([
    ['psql', '10.0.0.1', 'gatepost/psql@10.0.0.1'],
    ['', '::1', 'gatepost/@::1'],
    ['a\nb\u0000', '10.0.0.1', 'gatepost/a?b?@10.0.0.1'],
  ])('says the application %j and the address %s', (applicationName, address, name) => {
    expect(appNameOf({ applicationName, address })).toBe(name);
  });

  it.each([
    ['alice', 'psql', '10.0.0.1', 'gatepost/alice/psql@10.0.0.1'],
    ['a\n', '', '::1', 'gatepost/a?/@::1'],
    ['alice', 'x'.repeat(200), '::1', `gatepost/alice/${'x'.repeat(109)}@::1`],
    ['a'.repeat(63), 'psql', '::1', `gatepost/${'a'.repeat(63)}/psql@::1`],
    ['a'.repeat(200), 'psql', '::1', `gatepost/${'a'.repeat(114)}/@::1`],
    ['ä'.repeat(63), 'psql', '::1', `gatepost/${'ä'.repeat(57)}/@::1`],
  ])('says the account %j before %j', (account, applicationName, address, name) => {
    expect(appNameOf({ account, applicationName, address })).toBe(name);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(128);
  });

  it('is cut at the edge of a character, and keeps the address', () => {
    const name = appNameOf({ applicationName: '🐘'.repeat(100), address: '10.0.0.1' });
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(128);
    expect(name).toMatch(/^gatepost\/(🐘)+@10\.0\.0\.1$/u);
  });
});
