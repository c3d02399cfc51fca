import { describe, expect, it } from '@jest/globals';
import {
  assertDatabaseAllowed,
  hiddenDatabaseError,
  initialDatabase,
} from '../../../src/backends/session-admission.ts';

describe('A session', () => {
  it.each([
    ['all of them', undefined],
    ['this one among others', ['blog', 'shop']],
  ])('is let in to a database where it may use %s', (_name, databases) => {
    expect(() => {
      assertDatabaseAllowed({ user: 'u', account: 'alice', databases }, 'shop');
    }).not.toThrow();
  });

  it.each([
    ['others only', ['blog', 'shops'], 'Its databases are blog, shops'],
    ['none', [], undefined],
    ['one of other capitals', ['SHOP'], 'Its databases are SHOP'],
  ])('is refused where it may use %s', (_name, databases, hint) => {
    const refused = expect.objectContaining({
      severity: 'FATAL',
      sqlState: '28000',
      message: 'account "alice" is not allowed to use database "shop"',
      ...(hint === undefined ? {} : { hint }),
    });
    expect(() => {
      assertDatabaseAllowed({ user: 'u', account: 'alice', databases }, 'shop');
    }).toThrow(refused);
  });

  it('is called by the name of its user where it has no account', () => {
    expect(() => {
      assertDatabaseAllowed({ user: 'u', databases: [] }, 'shop');
    }).toThrow('account "u" is not allowed to use database "shop"');
  });

  it("is told of Gatepost's own database what it is", () => {
    expect(hiddenDatabaseError('gatepost')).toMatchObject({
      severity: 'FATAL',
      sqlState: '3D000',
      message: `database "gatepost" is Gatepost's own`,
      hint: expect.stringContaining('name another'),
    });
  });
});

describe('The database of a session that names none', () => {
  it.each([
    ['its own where all are allowed', 'shop', undefined, 'shop'],
    ['its own where it is allowed', 'shop', ['blog', 'shop'], 'shop'],
    ['the first that is allowed', 'shop', ['blog', 'wiki'], 'blog'],
    ['its own where none is: it is refused then', 'shop', [], 'shop'],
  ])('is %s', (_name, own, databases, expected) => {
    expect(initialDatabase(own, databases)).toBe(expected);
  });
});
