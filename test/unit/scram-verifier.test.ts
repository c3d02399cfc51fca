import { describe, expect, test } from '@jest/globals';
import { createHash, createHmac } from 'node:crypto';
import { createScramVerifier } from '../../src/scram-verifier.ts';

/** The exchange of RFC 7677, section 3: user "user", password "pencil". */
const RFC_7677 = {
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  authMessage:
    'n=user,r=rOprNGfwEbeRWgbNEkqO,' +
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,' +
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientProof: Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64'),
  serverSignature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

/** The two keys of a verifier `SCRAM-SHA-256$iterations:salt$storedKey:serverKey`. */
function keysOf(verifier: string): { storedKey: Buffer; serverKey: Buffer } {
  const [storedKey = '', serverKey = ''] = verifier.slice(verifier.lastIndexOf('$') + 1).split(':');
  return {
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
  };
}

describe('A SCRAM verifier', () => {
  test('accepts the client proof of RFC 7677', async () => {
    const { storedKey } = keysOf(await createScramVerifier('pencil', { salt: RFC_7677.salt }));
    const signature = createHmac('sha256', storedKey).update(RFC_7677.authMessage).digest();
    const clientKey = RFC_7677.clientProof.map((byte, index) => byte ^ (signature[index] ?? 0));
    expect(createHash('sha256').update(clientKey).digest()).toEqual(storedKey);
  });

  test('gives the server signature of RFC 7677', async () => {
    const { serverKey } = keysOf(await createScramVerifier('pencil', { salt: RFC_7677.salt }));
    const signature = createHmac('sha256', serverKey).update(RFC_7677.authMessage);
    expect(signature.digest('base64')).toBe(RFC_7677.serverSignature);
  });

  test('is written as PostgreSQL stores it', async () => {
    const base64 = '[A-Za-z0-9+/]+={0,2}';
    expect(await createScramVerifier('pencil')).toMatch(
      new RegExp(`^SCRAM-SHA-256\\$4096:${base64}\\$${base64}:${base64}$`),
    );
  });

  test('holds neither the password nor what another one of it holds', async () => {
    const [first, second] = [
      await createScramVerifier('pencil'),
      await createScramVerifier('pencil'),
    ];
    expect(first).not.toBe(second);
    expect(first).not.toContain('pencil');
  });
});
