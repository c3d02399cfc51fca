import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeAuthenticationOk,
  encodeBackendKeyData,
  encodeCommandComplete,
  encodeErrorResponse,
  encodeErrorResponseV2,
  encodeNegotiateProtocolVersion,
  encodeNoticeResponse,
  encodeParameterStatus,
  encodeReadyForQuery,
  readCommandTag,
  readErrorSummary,
  readParameterStatus,
  readTransactionStatus,
} from '../../../../wire/protocol/backend-messages.ts';
import {
  backendFrame,
  commandComplete,
  errorResponse,
  parameterStatus,
  parseBackendFrames,
  readyForQuery,
  report,
  splitFrames,
} from '../../../support/backend-frames.ts';
import { RECORDED_SESSION } from '../../../support/recorded-session.ts';
import { reportFields } from '../../../support/wire-client.ts';

const FULL_REPORT = {
  severity: 'ERROR',
  sqlState: '54000',
  message: 'Result cut at the limit of 5 rows per query',
  detail: 'Session 1. Größe: 5 €',
  hint: 'Narrow the query',
  position: 17,
};

const BARE_REPORT = { severity: 'FATAL', sqlState: '57P01', message: 'Bye' };

describe('what we encode is what pg-protocol reads', () => {
  test.each([
    ['AuthenticationOk', encodeAuthenticationOk(), { name: 'authenticationOk', length: 8 }],
    [
      'ParameterStatus',
      encodeParameterStatus('DateStyle', 'ISO, MDY'),
      { name: 'parameterStatus', parameterName: 'DateStyle', parameterValue: 'ISO, MDY' },
    ],
    [
      'ParameterStatus without a value',
      encodeParameterStatus('application_name', ''),
      { name: 'parameterStatus', parameterName: 'application_name', parameterValue: '' },
    ],
    [
      'BackendKeyData with the highest bits set',
      encodeBackendKeyData(4_294_967_295, 2_147_483_648),
      { name: 'backendKeyData', processID: -1, secretKey: -2_147_483_648 },
    ],
    ['CommandComplete', encodeCommandComplete('DO'), { name: 'commandComplete', text: 'DO' }],
    [
      'ErrorResponse with every field',
      encodeErrorResponse(FULL_REPORT),
      {
        name: 'error',
        severity: 'ERROR',
        code: '54000',
        message: FULL_REPORT.message,
        detail: FULL_REPORT.detail,
        hint: 'Narrow the query',
        position: '17',
      },
    ],
    [
      'ErrorResponse with the least',
      encodeErrorResponse(BARE_REPORT),
      {
        name: 'error',
        severity: 'FATAL',
        code: '57P01',
        message: 'Bye',
        detail: undefined,
        hint: undefined,
        position: undefined,
      },
    ],
    [
      'NoticeResponse',
      encodeNoticeResponse({ ...FULL_REPORT, severity: 'WARNING', sqlState: '01000' }),
      { name: 'notice', severity: 'WARNING', code: '01000', hint: 'Narrow the query' },
    ],
  ])('%s', async (_name, frame, message) => {
    expect(await parseBackendFrames(frame)).toEqual([expect.objectContaining(message)]);
    expect(splitFrames(frame)).toHaveLength(1);
  });

  test.each(['I', 'T', 'E'] as const)('ReadyForQuery with the status %s', async (status) => {
    expect(await parseBackendFrames(encodeReadyForQuery(status))).toEqual([
      expect.objectContaining({ name: 'readyForQuery', status, length: 5 }),
    ]);
  });

  test('severity is said twice: for people, and as the one that is never translated', () => {
    expect(reportFields({ type: 'E', bytes: encodeErrorResponse(BARE_REPORT) })).toEqual({
      S: 'FATAL',
      V: 'FATAL',
      C: '57P01',
      M: 'Bye',
    });
  });

  test('an empty detail is sent as an empty field, and not left out', () => {
    const bytes = encodeErrorResponse({ ...BARE_REPORT, detail: '' });
    expect(bytes.includes('D\0')).toBe(true);
  });

  test('no text can begin a field or a frame of its own', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\0', 'Z', 'ü', '\n') });
    await fc.assert(
      fc.asyncProperty(text, text, async (message, detail) => {
        const frame = encodeErrorResponse({ ...BARE_REPORT, message, detail });
        expect(await parseBackendFrames(frame)).toEqual([
          expect.objectContaining({
            code: '57P01',
            message: message.replaceAll('\0', ''),
            detail: detail.replaceAll('\0', ''),
            hint: undefined,
          }),
        ]);
      }),
      { seed: 4 },
    );
  });

  test('is also what PostgreSQL itself sends, byte for byte', () => {
    const ours = Buffer.concat([
      encodeAuthenticationOk(),
      encodeParameterStatus('in_hot_standby', 'off'),
      encodeParameterStatus('integer_datetimes', 'on'),
    ]);
    expect(RECORDED_SESSION.subarray(0, ours.length)).toEqual(ours);
  });
});

describe('encodeNegotiateProtocolVersion', () => {
  test.each([
    ['no option', [], '76 0000000c 00030000 00000000'],
    ['one option', ['_pq_.a'], '76 00000013 00030000 00000001 5f70715f2e6100'],
    [
      'options in their order',
      ['_pq_.a', '_pq_.b'],
      '76 0000001a 00030000 00000002 5f70715f2e6100 5f70715f2e6200',
    ],
  ])('offers 3.0 and names %s as unknown', (_name, options, hex) => {
    expect(encodeNegotiateProtocolVersion(options).toString('hex')).toBe(hex.replaceAll(' ', ''));
  });
});

test('an error for a frontend of protocol 2 is a letter and a line', () => {
  const bytes = encodeErrorResponseV2('FATAL', 'unsupported frontend protocol 2.0');
  expect(bytes.toString()).toBe('EFATAL:  unsupported frontend protocol 2.0\n\0');
});

describe('readErrorSummary', () => {
  function summaryOf(frame: Buffer): unknown {
    return readErrorSummary(frame, 0, frame.length);
  }

  test.each([
    ['an ERROR', errorResponse('42P01'), { sqlState: '42P01', isFatal: false }],
    ['a FATAL', errorResponse('57P01', 'FATAL'), { sqlState: '57P01', isFatal: true }],
    ['a PANIC', errorResponse('XX001', 'PANIC'), { sqlState: 'XX001', isFatal: true }],
    ['ours', encodeErrorResponse(BARE_REPORT), { sqlState: '57P01', isFatal: true }],
    [
      'a translated severity',
      report('E', { S: 'SCHWERWIEGEND', V: 'FATAL', C: '57P01', M: 'x' }),
      { sqlState: '57P01', isFatal: true },
    ],
    [
      'a severity that only people are told',
      report('E', { S: 'FATAL', C: '57P01' }),
      { sqlState: '57P01', isFatal: true },
    ],
    [
      'a message that looks like a severity',
      report('E', { S: 'ERROR', V: 'ERROR', C: '22012', M: 'VFATAL' }),
      { sqlState: '22012', isFatal: false },
    ],
    ['no field', report('E', {}), { sqlState: 'XX000', isFatal: false }],
    ['no body', backendFrame('E', ''), { sqlState: 'XX000', isFatal: false }],
    ['no SQLSTATE', report('E', { S: 'ERROR' }), { sqlState: 'XX000', isFatal: false }],
    ['a short SQLSTATE', report('E', { C: '4200' }), { sqlState: 'XX000', isFatal: false }],
    ['a long SQLSTATE', report('E', { C: '420000' }), { sqlState: 'XX000', isFatal: false }],
    ['a lower-case SQLSTATE', report('E', { C: '42p01' }), { sqlState: 'XX000', isFatal: false }],
    [
      'a SQLSTATE that would be a label of its own in metrics',
      report('E', { C: 'a"\n}x' }),
      { sqlState: 'XX000', isFatal: false },
    ],
  ])('reads %s', (_name, frame, summary) => {
    expect(summaryOf(frame)).toEqual(summary);
  });

  test('reads at an offset, and does not look into the next frame', () => {
    const before = readyForQuery();
    const bare = report('E', { S: 'ERROR' });
    const bytes = Buffer.concat([before, bare, errorResponse('57P01', 'FATAL')]);
    expect(readErrorSummary(bytes, before.length, bare.length)).toEqual({
      sqlState: 'XX000',
      isFatal: false,
    });
    const offset = before.length + bare.length;
    expect(readErrorSummary(bytes, offset, bytes.length - offset)).toEqual({
      sqlState: '57P01',
      isFatal: true,
    });
  });

  test('does not take the next frame for the end of a field', () => {
    const cut = backendFrame('E', 'SFATAL\0C57P0');
    const bytes = Buffer.concat([cut, Buffer.from('1\0\0\0\0\0')]);
    expect(readErrorSummary(bytes, 0, cut.length)).toEqual({ sqlState: 'XX000', isFatal: true });
  });

  test('reads what is there of a frame whose end is missing', () => {
    const frame = errorResponse('57P01', 'FATAL');
    for (let length = 5; length <= frame.length; length += 1) {
      const { sqlState, isFatal } = readErrorSummary(frame.subarray(0, length), 0, frame.length);
      expect(isFatal).toBe(length >= frame.indexOf('SFATAL\0') + 7);
      expect(sqlState).toBe(length >= frame.indexOf('C57P01\0') + 7 ? '57P01' : 'XX000');
    }
  });

  test('stops at its bound of fields', () => {
    const letters = Array.from({ length: 32 }, (_, index) => String.fromCharCode(index + 1));
    const flood = letters.map((letter) => `${letter}x\0`).join('');
    const frame = backendFrame('E', `${flood}C57P01\0\0`);
    expect(summaryOf(frame)).toEqual({ sqlState: 'XX000', isFatal: false });
  });

  test('reads any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        const frame = backendFrame('E', Buffer.from(body));
        expect(summaryOf(frame)).toEqual({
          sqlState: expect.stringMatching(/^[0-9A-Z]{5}$/),
          isFatal: expect.any(Boolean),
        });
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe('what is read of other frames', () => {
  const before = readyForQuery();

  test.each([
    ['SELECT 2', commandComplete('SELECT 2'), 'SELECT 2'],
    ['one without a terminator', backendFrame('C', 'DO'), 'DO'],
    ['an empty one', commandComplete(''), ''],
    ['one without a body', backendFrame('C', ''), ''],
    ['one with bytes behind the terminator', backendFrame('C', 'DO\0X\0'), 'DO'],
  ])('the command tag of %s', (_name, frame, commandTag) => {
    const bytes = Buffer.concat([before, frame, commandComplete('NEXT')]);
    expect(readCommandTag(bytes, before.length, frame.length)).toBe(commandTag);
  });

  test.each([
    ['as it should be', parameterStatus('TimeZone', 'Etc/UTC'), ['TimeZone', 'Etc/UTC']],
    ['an empty value', parameterStatus('application_name', ''), ['application_name', '']],
    ['outside ASCII', parameterStatus('application_name', 'Zoë'), ['application_name', 'Zoë']],
    ['no terminators', backendFrame('S', 'TimeZone'), ['TimeZone', '']],
    ['no last terminator', backendFrame('S', 'TimeZone\0UTC'), ['TimeZone', 'UTC']],
    ['no body', backendFrame('S', ''), ['', '']],
  ])('name and value of a ParameterStatus: %s', (_name, frame, pair) => {
    const bytes = Buffer.concat([before, frame, parameterStatus('next', 'one')]);
    expect(readParameterStatus(bytes, before.length, frame.length)).toEqual(pair);
  });

  test.each([
    ['I', 'I'],
    ['T', 'T'],
    ['E', 'E'],
    ['X', undefined],
    ['i', undefined],
    ['\0', undefined],
  ])('the transaction status %j', (letter, status) => {
    const bytes = Buffer.concat([before, readyForQuery(letter)]);
    expect(readTransactionStatus(bytes, before.length)).toBe(status);
  });

  test('everything that PostgreSQL sent', () => {
    const frames = splitFrames(RECORDED_SESSION);
    const ofType = (type: string): Buffer[] =>
      frames.filter((frame) => frame.toString('latin1', 0, 1) === type);
    expect(ofType('C').map((frame) => readCommandTag(frame, 0, frame.length))).toEqual([
      'SELECT 1',
      'SELECT 2',
      'SET',
      'DO',
      'LISTEN',
      'NOTIFY',
      'BEGIN',
      'ROLLBACK',
      'SELECT 2',
    ]);
    expect(
      ofType('Z')
        .map((frame) => readTransactionStatus(frame, 0))
        .join(''),
    ).toBe('IIIIIIITEII');
    expect(ofType('E').map((frame) => readErrorSummary(frame, 0, frame.length))).toEqual([
      { sqlState: '22012', isFatal: false },
    ]);
    const parameters = new Map(
      ofType('S').map((frame) => readParameterStatus(frame, 0, frame.length)),
    );
    expect(parameters.get('client_encoding')).toBe('UTF8');
    expect(parameters.get('application_name')).toBe('recorded');
  });
});
