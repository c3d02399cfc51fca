import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import {
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
  encodeAuthenticationSaslFinal,
  readSaslInitialResponse,
  readSaslResponse,
} from '../../../../wire/protocol/authentication-messages.ts';
import { ProtocolError } from '../../../../wire/protocol/frame.ts';
import { frontendFrame, int32 } from '../../../support/wire-client.ts';

/** A SASLInitialResponse of these parts, whether they fit or not. */
function initialResponse(mechanism: string, length: number, response = ''): Buffer {
  const parts = [Buffer.from(mechanism), int32(length), Buffer.from(response)];
  return frontendFrame('p', Buffer.concat(parts));
}

describe('An Authentication message', () => {
  test('offers mechanisms', () => {
    const frame = encodeAuthenticationSasl(['SCRAM-SHA-256', 'OTHER']);
    const body = Buffer.concat([int32(10), Buffer.from('SCRAM-SHA-256\0OTHER\0\0')]);
    expect(frame).toEqual(frontendFrame('R', body));
  });

  test.each([
    ['goes on', encodeAuthenticationSaslContinue, 11],
    ['ends', encodeAuthenticationSaslFinal, 12],
  ])('%s with the mechanism’s message and no terminator', (_name, encode, code) => {
    const body = Buffer.concat([int32(code), Buffer.from('r=ü,s=')]);
    expect(encode('r=ü,s=')).toEqual(frontendFrame('R', body));
    expect(encode('')).toEqual(frontendFrame('R', int32(code)));
  });
});

describe('readSaslInitialResponse', () => {
  test('reads what node’s pg writes', () => {
    const frame = serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', 'n,,n=*,r=abc');
    expect(readSaslInitialResponse(frame)).toEqual({
      mechanism: 'SCRAM-SHA-256',
      response: Buffer.from('n,,n=*,r=abc'),
    });
  });

  test('tells an empty response from none', () => {
    expect(readSaslInitialResponse(initialResponse('X\0', 0)).response).toHaveLength(0);
    expect(readSaslInitialResponse(initialResponse('X\0', -1)).response).toBeUndefined();
  });

  test.each([
    ['of length -2', initialResponse('X\0', -2, 'ab'), 'insufficient data left in message'],
    [
      'of the least length',
      initialResponse('X\0', -0x80000000),
      'insufficient data left in message',
    ],
    [
      'of the greatest length',
      initialResponse('X\0', 0x7fffffff),
      'insufficient data left in message',
    ],
    [
      'one byte longer than its frame',
      initialResponse('X\0', 3, 'ab'),
      'insufficient data left in message',
    ],
    ['one byte shorter than its frame', initialResponse('X\0', 1, 'ab'), 'invalid message format'],
    [
      'without a response, and bytes behind',
      initialResponse('X\0', -1, 'ab'),
      'invalid message format',
    ],
    ['without a length', frontendFrame('p', 'X\0'), 'insufficient data left in message'],
    ['with half a length', frontendFrame('p', 'X\0\0\0'), 'insufficient data left in message'],
    [
      'of a mechanism without NUL',
      frontendFrame('p', 'SCRAM-SHA-256'),
      'invalid string in message',
    ],
    ['of no byte', frontendFrame('p', ''), 'invalid string in message'],
  ])('refuses one %s', (_name, frame, message) => {
    expect(() => readSaslInitialResponse(frame)).toThrow(new ProtocolError(message));
  });

  test('reads or refuses any bytes, and never looks beyond the frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const frame = frontendFrame('p', Buffer.from(bytes));
        try {
          const { mechanism, response } = readSaslInitialResponse(frame);
          expect(mechanism.length + 1 + 4 + (response?.length ?? 0)).toBe(bytes.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

test('A SASLResponse is all of its body', () => {
  const frame = serialize.sendSCRAMClientFinalMessage('c=biws,r=abc,p=');
  expect(readSaslResponse(frame).toString()).toBe('c=biws,r=abc,p=');
  expect(readSaslResponse(frontendFrame('p', ''))).toHaveLength(0);
});
