import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import { ProtocolError } from '../../../../wire/protocol/frame.ts';
import {
  encodeCopyFail,
  encodeTerminate,
  readQueryText,
  readStartupRequest,
} from '../../../../wire/protocol/frontend-messages.ts';
import {
  cancelRequest,
  frontendFrame,
  GSSENC_REQUEST,
  int32,
  queryFrame,
  startupPacket,
} from '../../../support/wire-client.ts';

const LAYOUT = 'invalid startup packet layout: expected terminator as last byte';

/** A packet without its length word, as the reader gives it. */
function bodyOf(packet: Buffer): Buffer {
  return packet.subarray(4);
}

function versionBody(major: number, minor: number, list = '\0'): Buffer {
  return Buffer.concat([int32((major << 16) | minor), Buffer.from(list)]);
}

describe('readStartupRequest', () => {
  test.each([
    ['an SSLRequest', serialize.requestSsl(), { kind: 'ssl' }],
    ['a GSSENCRequest', GSSENC_REQUEST, { kind: 'gssenc' }],
    [
      'a CancelRequest',
      serialize.cancel(4711, 815),
      { kind: 'cancel', key: { processId: 4711, secretKey: 815 } },
    ],
    [
      'a CancelRequest with the highest bits set',
      serialize.cancel(-1, -2_147_483_648),
      { kind: 'cancel', key: { processId: 4_294_967_295, secretKey: 2_147_483_648 } },
    ],
    [
      'a startup packet',
      serialize.startup({ user: 'alice', database: 'shop' }),
      {
        kind: 'startup',
        major: 3,
        minor: 0,
        parameters: [
          ['user', 'alice'],
          ['database', 'shop'],
          ['client_encoding', 'UTF8'],
        ],
      },
    ],
  ])('reads %s', (_name, packet, request) => {
    expect(readStartupRequest(bodyOf(packet))).toEqual(request);
  });

  test.each([0, 4, 8, 12, 32, 256])(
    'reads a CancelRequest with a key of %d bytes as one that means no session of ours',
    (keyBytes) => {
      const body = Buffer.concat([
        bodyOf(cancelRequest(1, 2)).subarray(0, 4),
        Buffer.alloc(keyBytes),
      ]);
      const key = keyBytes === 8 ? { processId: 0, secretKey: 0 } : undefined;
      expect(readStartupRequest(body)).toEqual({ kind: 'cancel', key });
    },
  );

  test.each([
    ['3.0', 3, 0, 1],
    ['3.2', 3, 2, 1],
    ['3.9999, which clients send to see whether it is negotiated', 3, 9999, 1],
    ['2.0, whose parameters are laid out in another way', 2, 0, 0],
    ['4.0', 4, 0, 0],
    ['0.0', 0, 0, 0],
    ['the highest number', 0xffff, 0xffff, 0],
  ])('reads the version %s', (_name, major, minor, parameterCount) => {
    const request = readStartupRequest(versionBody(major, minor, 'user\0alice\0\0'));
    expect(request).toMatchObject({ kind: 'startup', major, minor });
    expect('parameters' in request && request.parameters).toHaveLength(parameterCount);
  });

  // Each list was sent to PostgreSQL 16 as well: it reads the same ones.
  test.each([
    ['none', '\0', []],
    ['one', 'user\0a\0\0', [['user', 'a']]],
    [
      'an empty value',
      'DateStyle\0\0user\0a\0\0',
      [
        ['DateStyle', ''],
        ['user', 'a'],
      ],
    ],
    [
      'an empty value at the end',
      'user\0a\0options\0\0\0',
      [
        ['user', 'a'],
        ['options', ''],
      ],
    ],
    [
      'a name twice, in order',
      'x\0a\0x\0b\0\0',
      [
        ['x', 'a'],
        ['x', 'b'],
      ],
    ],
    ['letters outside ASCII', 'user\0Zoë\0\0', [['user', 'Zoë']]],
  ])('reads parameters: %s', (_name, list, parameters) => {
    expect(readStartupRequest(versionBody(3, 0, list))).toMatchObject({ parameters });
  });

  test.each([
    ['no list at all', ''],
    ['no terminator of the list', 'user\0a\0'],
    ['a text that does not end', 'user\0a'],
    ['a name without a value', 'user\0a\0database\0'],
    ['a name whose value is the terminator', 'user\0a\0x\0\0'],
    ['bytes behind the terminator', 'user\0a\0\0x\0'],
    ['zeros behind the terminator', 'user\0a\0\0\0'],
  ])('refuses %s, as PostgreSQL does', (_name, list) => {
    expect(() => readStartupRequest(versionBody(3, 0, list))).toThrow(new ProtocolError(LAYOUT));
  });

  test.each([
    [200, true],
    [201, false],
  ])('reads %d parameters: %s', (count, isRead) => {
    const list = `${'a\0b\0'.repeat(count)}\0`;
    const read = (): unknown => readStartupRequest(versionBody(3, 0, list));
    if (isRead) {
      expect(read()).toHaveProperty('parameters.length', count);
    } else {
      expect(read).toThrow('startup packet holds more than 200 parameters');
    }
  });

  test('reads back whatever parameters a packet was made of', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    const text = word.filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 5 }), (parameters) => {
        const request = readStartupRequest(bodyOf(startupPacket(parameters)));
        expect(request).toMatchObject({ parameters: Object.entries(parameters) });
      }),
      { seed: 2 },
    );
  });

  test('reads random bytes, or says that they are not the protocol', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const body = Buffer.concat([int32(3 << 16), bytes]);
        try {
          expect(readStartupRequest(body)).toHaveProperty('kind', 'startup');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError);
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe('readQueryText', () => {
  test.each(['', 'select 1', 'select 1; select 2', "select 'ü€😀'", ' \n\t;', "select E'\\0'"])(
    'gives the text of %j as it was sent',
    (text) => {
      expect(readQueryText(serialize.query(text)).toString()).toBe(text);
    },
  );

  test('gives bytes that are no UTF-8 unchanged, and copies nothing', () => {
    const frame = frontendFrame('Q', Buffer.from([0xff, 0xc3, 0x28, 0x00]));
    const text = readQueryText(frame);
    expect([...text]).toEqual([0xff, 0xc3, 0x28]);
    expect(text.buffer).toBe(frame.buffer);
  });

  test.each([
    ['the terminator is missing', 'select 1', 'invalid string in message'],
    ['there is no body at all', '', 'invalid string in message'],
    ['a statement goes on behind it', 'select 1\0; drop table t\0', 'invalid message format'],
    ['a zero goes on behind it', 'select 1\0\0', 'invalid message format'],
    ['the text ends unterminated behind it', 'select 1\0x', 'invalid message format'],
  ])('refuses a frame when %s', (_name, body, message) => {
    const frame = frontendFrame('Q', body);
    expect(() => readQueryText(frame)).toThrow(new ProtocolError(message));
  });

  test('does not take the length for a terminator', () => {
    // A length with zero bytes in it, which every short frame has.
    expect(readQueryText(queryFrame('x'.repeat(300)))).toHaveLength(300);
  });
});

describe('messages to an upstream', () => {
  test.each(['', 'COPY is not supported', 'für nichts'])('CopyFail says %j', (reason) => {
    expect(encodeCopyFail(reason)).toEqual(serialize.copyFail(reason));
  });

  test('Terminate has no body', () => {
    expect(encodeTerminate()).toEqual(serialize.end());
  });
});
