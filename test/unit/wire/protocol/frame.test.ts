import { describe, expect, test } from '@jest/globals';
import {
  BACKEND,
  FRAME_HEADER_BYTES,
  FRONTEND,
  FRONTEND_FRAME_BYTES_MAX,
  isFrontendType,
  ProtocolError,
  STARTUP_PACKET_BYTES_MAX,
  STARTUP_PACKET_BYTES_MIN,
} from '../../../../wire/protocol/frame.ts';

/** Every type byte of a frontend in the manual's "Message Formats", but for logging in. */
const MANUAL_FRONTEND = {
  bind: 'B',
  close: 'C',
  copyData: 'd',
  copyDone: 'c',
  copyFail: 'f',
  describe: 'D',
  execute: 'E',
  flush: 'H',
  functionCall: 'F',
  parse: 'P',
  query: 'Q',
  sync: 'S',
  terminate: 'X',
};

const MANUAL_BACKEND = {
  authentication: 'R',
  backendKeyData: 'K',
  commandComplete: 'C',
  copyBothResponse: 'W',
  copyInResponse: 'G',
  copyOutResponse: 'H',
  dataRow: 'D',
  emptyQueryResponse: 'I',
  errorResponse: 'E',
  negotiateProtocolVersion: 'v',
  noticeResponse: 'N',
  notificationResponse: 'A',
  parameterStatus: 'S',
  readyForQuery: 'Z',
  rowDescription: 'T',
};

function letters(types: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, String.fromCharCode(type)]),
  );
}

describe('type bytes', () => {
  test("are the manual's letters", () => {
    expect(letters(FRONTEND)).toEqual(MANUAL_FRONTEND);
    expect(letters(BACKEND)).toEqual(MANUAL_BACKEND);
  });

  test('of a frontend are known, and no other byte is', () => {
    const known = Array.from({ length: 256 }, (_, type) => type).filter(isFrontendType);
    expect(String.fromCharCode(...known)).toBe('BCDEFHPQSXcdf');
  });
});

test('bounds are those that the manual and the documents of Gatepost name', () => {
  expect(FRAME_HEADER_BYTES).toBe(5);
  expect(FRONTEND_FRAME_BYTES_MAX).toBe(16_777_216);
  expect(STARTUP_PACKET_BYTES_MIN).toBe(8);
  expect(STARTUP_PACKET_BYTES_MAX).toBe(10_000);
});

describe('ProtocolError', () => {
  test.each([
    ['protocol_violation unless said', [], '08P01'],
    ['what it is told', ['22021'], '22021'],
  ])('has the SQLSTATE %s', (_name, sqlState, expected) => {
    const error = new ProtocolError('invalid message format', ...sqlState);
    expect(error).toMatchObject({
      name: 'ProtocolError',
      message: 'invalid message format',
      sqlState: expected,
    });
    expect(error).toBeInstanceOf(Error);
  });
});
