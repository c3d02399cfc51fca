import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../src/errors.ts';
import { challengeClient, judgeProof } from '../../src/scram-exchange.ts';
import type { ScramChallenge, ScramVerdict } from '../../src/scram-exchange.ts';
import { createScramVerifier, parseScramVerifier } from '../../src/scram-verifier.ts';
import type { ScramVerifier } from '../../src/scram-verifier.ts';
import { proveScram, scramAttributes } from '../support/scram-client.ts';

/** The exchange of RFC 7677, section 3: user "user", password "pencil". */
const RFC_7677 = {
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst:
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
    'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const SERVER_NONCE = 'ours';

let pencil: ScramVerifier;

beforeAll(async () => {
  pencil = await verifierOf('pencil', RFC_7677.salt);
});

async function verifierOf(
  password: string,
  salt: Buffer,
  iterations?: number,
): Promise<ScramVerifier> {
  const text = await createScramVerifier(password, {
    salt,
    ...(iterations === undefined ? {} : { iterations }),
  });
  const verifier = parseScramVerifier(text);
  if (verifier === undefined) {
    throw new Error(`No verifier: ${text}`);
  }
  return verifier;
}

function challenge(clientFirst: string | Buffer, verifier = pencil): ScramChallenge {
  return challengeClient(Buffer.from(clientFirst), verifier, SERVER_NONCE);
}

/** Plays an exchange to its end; the header is repeated as it should be unless said. */
function play(
  password: string,
  { header = 'n,,', bare = 'n=,r=theirs', withoutProof = '', verifier = pencil } = {},
): ScramVerdict & { readonly expected: string } {
  const begun = challenge(`${header}${bare}`, verifier);
  const { clientFinal, serverFinal } = proveScram(password, {
    bare,
    serverFirst: begun.serverFirst,
    withoutProof:
      withoutProof === ''
        ? `c=${Buffer.from(header).toString('base64')},r=${begun.nonce}`
        : withoutProof,
  });
  return { ...judgeProof(begun, Buffer.from(clientFinal)), expected: serverFinal };
}

/** What a call throws, as far as clients see it. */
function refusal(run: () => unknown): Partial<ServiceError> {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ServiceError) {
      const { severity, sqlState, message, detail } = thrown;
      return { severity, sqlState, message, ...(detail === undefined ? {} : { detail }) };
    }
    throw thrown;
  }
  throw new Error('Nothing was thrown');
}

const malformed = (detail: string): Partial<ServiceError> => ({
  severity: 'FATAL',
  sqlState: '08P01',
  message: 'malformed SCRAM message',
  detail,
});

describe('An exchange', () => {
  test('is the one of RFC 7677', () => {
    const begun = challengeClient(Buffer.from(RFC_7677.clientFirst), pencil, RFC_7677.serverNonce);
    expect(begun.serverFirst).toBe(RFC_7677.serverFirst);
    const verdict = judgeProof(begun, Buffer.from(RFC_7677.clientFinal));
    expect(verdict).toEqual({ isProven: true, serverFinal: RFC_7677.serverFinal });
  });

  test('proves the password and no other, whatever salt, nonce and header', async () => {
    const nonce = fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{1,64}$/);
    const password = fc.string({ minLength: 1, maxLength: 40 });
    const name = fc.constantFrom('', 'user', 'a=2Cb', 'ünï');
    const header = fc.constantFrom('n,,', 'y,,');
    await fc.assert(
      fc.asyncProperty(
        password,
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.record({ header, bare: fc.tuple(name, nonce).map(([n, r]) => `n=${n},r=${r}`) }),
        async (secret, salt, first) => {
          const verifier = await verifierOf(secret, Buffer.from(salt), 1);
          const right = play(secret, { ...first, verifier });
          expect(right).toMatchObject({ isProven: true, serverFinal: right.expected });
          expect(play(`${secret}x`, { ...first, verifier }).isProven).toBe(false);
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  test('has a nonce of its own each time, behind the client’s', () => {
    const nonces = Array.from({ length: 50 }, () => {
      const { serverFirst } = challengeClient(Buffer.from('n,,n=,r=theirs'), pencil);
      return scramAttributes(serverFirst).get('r') ?? '';
    });
    expect(new Set(nonces).size).toBe(50);
    for (const nonce of nonces) {
      expect(nonce).toMatch(/^theirs[A-Za-z0-9+/]{24}$/);
    }
  });

  test('ignores the name in it, and extensions that a client may leave out', () => {
    expect(play('pencil', { bare: 'n=somebody else,r=theirs,x=1,Y=' }).isProven).toBe(true);
    const withoutProof = `c=biws,r=theirs${SERVER_NONCE},x=1,y=pp`;
    expect(play('pencil', { withoutProof }).isProven).toBe(true);
  });

  test('signs extensions: one that was added on the way fails the proof', () => {
    const begun = challenge('n,,n=,r=theirs');
    const { clientFinal } = proveScram('pencil', { bare: 'n=,r=theirs', ...begun });
    const changed = clientFinal.replace(',p=', ',x=1,p=');
    expect(judgeProof(begun, Buffer.from(clientFinal)).isProven).toBe(true);
    expect(judgeProof(begun, Buffer.from(changed)).isProven).toBe(false);
  });

  test('does not take the proof of another one', () => {
    const [first, second] = [challenge('n,,n=,r=a'), challenge('n,,n=,r=b')];
    const { clientFinal } = proveScram('pencil', { bare: 'n=,r=a', ...first });
    expect(refusal(() => judgeProof(second, Buffer.from(clientFinal)))).toEqual({
      severity: 'FATAL',
      sqlState: '08P01',
      message: 'invalid SCRAM response',
      detail: 'Nonce does not match',
    });
  });

  test('takes nonces up to a bound', () => {
    expect(challenge(`n,,n=,r=${'x'.repeat(512)}`).nonce).toHaveLength(512 + SERVER_NONCE.length);
    expect(refusal(() => challenge(`n,,n=,r=${'x'.repeat(513)}`))).toEqual(
      malformed('A nonce has 1 to 512 characters'),
    );
  });
});

describe('A client-first-message is refused', () => {
  test.each([
    ['empty', '', 'The message is empty'],
    ['with NUL', 'n,,n=,r=a\0', 'Message length does not match input length'],
    ['of the wrong beginning', 'x,,n=,r=a', 'Unexpected channel-binding flag "x"'],
    ['of a control character', '\t,,n=,r=a', 'Unexpected channel-binding flag "0x09"'],
    ['of the flag alone', 'n', 'Comma expected, but found character "0x00"'],
    ['without the first comma', 'nn=,r=a', 'Comma expected, but found character "n"'],
    ['without the second comma', 'n,n=,r=a', 'Unexpected attribute "n" in client-first-message'],
    ['of the header alone', 'n,,', 'Expected attribute "n" but found "0x00"'],
    ['without a name', 'n,,r=a', 'Expected attribute "n" but found "r"'],
    ['without a nonce', 'n,,n=', 'Expected attribute "r" but found "0x00"'],
    ['with something between', 'n,,n=,x=1,r=a', 'Expected attribute "r" but found "x"'],
    ['without an equals sign', 'n,,n=,r', 'Expected character "=" for attribute "r"'],
    ['with an empty nonce', 'n,,n=,r=', 'A nonce has 1 to 512 characters'],
    [
      'with garbage behind it',
      'n,,n=,r=a,!',
      'Attribute expected, but found invalid character "!"',
    ],
    ['with an extension of no value', 'n,,n=,r=a,x', 'Expected character "=" for attribute "x"'],
    [
      'that binds the channel',
      'p=tls-server-end-point,,n=,r=a',
      'The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message ' +
        'includes channel binding data',
    ],
  ])('%s', (_name, message, detail) => {
    expect(refusal(() => challenge(message))).toEqual(malformed(detail));
  });

  test('that is not UTF-8', () => {
    const message = Buffer.from('n,,n=\xff,r=a', 'latin1');
    expect(refusal(() => challenge(message))).toEqual(malformed('The message is not UTF-8'));
  });

  test.each([' ', '\x7f', '\n', 'ü'])('with %j in its nonce', (character) => {
    expect(refusal(() => challenge(`n,,n=,r=a${character}b`))).toEqual({
      severity: 'FATAL',
      sqlState: '08P01',
      message: 'non-printable characters in SCRAM nonce',
    });
  });

  test.each([
    ['m=1,n=,r=a', 'n,,', 'client requires an unsupported SCRAM extension'],
    ['n=,r=a', 'n,a=root,', 'client uses authorization identity, but it is not supported'],
  ])('as not supported: %s behind %s', (bare, header, message) => {
    expect(refusal(() => challenge(`${header}${bare}`))).toEqual({
      severity: 'FATAL',
      sqlState: '0A000',
      message,
    });
  });
});

describe('A client-final-message is refused', () => {
  const nonce = `r=theirs${SERVER_NONCE}`;
  const proof = `p=${Buffer.alloc(32, 7).toString('base64')}`;

  test.each([
    ['empty', '', 'The message is empty'],
    ['with NUL', `c=biws,${nonce},${proof}\0`, 'Message length does not match input length'],
    ['without channel binding', `${nonce},${proof}`, 'Expected attribute "c" but found "r"'],
    ['without a nonce', `c=biws,${proof}`, 'Expected attribute "r" but found "p"'],
    ['without a proof', `c=biws,${nonce}`, 'Attribute expected, but found end of string'],
    [
      'with an extension that is none',
      `c=biws,${nonce},=,${proof}`,
      'Attribute expected, but found invalid character "="',
    ],
    [
      'with something behind the proof',
      `c=biws,${nonce},${proof},x=1`,
      'Garbage found at the end of client-final-message',
    ],
    [
      'with the proof twice',
      `c=biws,${nonce},${proof},${proof}`,
      'Garbage found at the end of client-final-message',
    ],
    ...[
      '',
      '*',
      'AAAA',
      Buffer.alloc(31).toString('base64'),
      Buffer.alloc(33).toString('base64'),
      Buffer.alloc(32).toString('base64').slice(0, -1),
      `${Buffer.alloc(32).toString('base64')}=`,
      ` ${Buffer.alloc(32).toString('base64')}`,
      Buffer.alloc(32, 0xff).toString('base64url'),
    ].map((text): [string, string, string] => [
      `with the proof ${JSON.stringify(text)}`,
      `c=biws,${nonce},p=${text}`,
      'Malformed proof in client-final-message',
    ]),
  ])('%s', (_name, message, detail) => {
    const begun = challenge('n,,n=,r=theirs');
    expect(refusal(() => judgeProof(begun, Buffer.from(message)))).toEqual(malformed(detail));
  });

  test.each([
    ['n,,', 'eSws'],
    ['y,,', 'biws'],
    ['n,,', 'cD10bHMtc2VydmVyLWVuZC1wb2ludCws'],
    ['n,,', ''],
    ['n,,', 'biws='],
  ])('behind the header %s with c=%s', (header, channelBinding) => {
    const begun = challenge(`${header}n=,r=theirs`);
    const message = `c=${channelBinding},${nonce},${proof}`;
    expect(refusal(() => judgeProof(begun, Buffer.from(message)))).toEqual({
      severity: 'FATAL',
      sqlState: '08P01',
      message: 'unexpected SCRAM channel-binding attribute in client-final-message',
    });
  });

  test.each(['theirs', `theirs${SERVER_NONCE}x`, `${SERVER_NONCE}theirs`, ''])(
    'with the nonce %j',
    (other) => {
      const begun = challenge('n,,n=,r=theirs');
      const message = `c=biws,r=${other},${proof}`;
      expect(refusal(() => judgeProof(begun, Buffer.from(message)))).toMatchObject({
        sqlState: '08P01',
        message: 'invalid SCRAM response',
      });
    },
  );

  test('by nobody’s verdict: a wrong proof of the right form is judged, not refused', () => {
    const begun = challenge('n,,n=,r=theirs');
    expect(judgeProof(begun, Buffer.from(`c=biws,${nonce},${proof}`)).isProven).toBe(false);
  });
});

describe('Any bytes', () => {
  test('make a challenge or a ServiceError that says FATAL', () => {
    const part = fc.constantFrom('n', 'y', 'p', ',', '=', 'n=', 'r=', 'm=', 'a=', 'x', '\0', 'é');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          challenge(parts.join(''));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ServiceError);
          expect(thrown).toMatchObject({ severity: 'FATAL' });
        }
      }),
      { seed: 8, numRuns: 3000 },
    );
  });

  test('make a verdict that is not proven, or a ServiceError', () => {
    const part = fc.constantFrom('c=biws', ',', 'r=theirsours', 'p=', 'AAAA', '=', 'x=1', 'c');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const begun = challenge('n,,n=,r=theirs');
        try {
          expect(judgeProof(begun, Buffer.from(parts.join(''))).isProven).toBe(false);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ServiceError);
        }
      }),
      { seed: 9, numRuns: 3000 },
    );
  });
});
