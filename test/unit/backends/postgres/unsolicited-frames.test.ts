import { beforeEach, describe, expect, test } from '@jest/globals';
import { ProtocolError } from '../../../../wire/protocol/frame.ts';
import { WHOLE_FRAME_BYTES_MAX } from '../../../../wire/protocol/frame-scanner.ts';
import { ReportedParameters } from '../../../../src/backends/postgres/reported-parameters.ts';
import { UnsolicitedFrames } from '../../../../src/backends/postgres/unsolicited-frames.ts';
import {
  backendFrame,
  commandComplete,
  dataRow,
  errorResponse,
  parameterStatus,
  readyForQuery,
  sizedFrame,
} from '../../../support/backend-frames.ts';

let parameters: ReportedParameters;
let unsolicited: UnsolicitedFrames;

beforeEach(() => {
  parameters = new ReportedParameters();
  unsolicited = new UnsolicitedFrames(parameters);
});

function judge(frame: Buffer): string {
  return unsolicited.judge(frame.readUInt8(0), frame.length, frame, 0);
}

describe('what an upstream may say while nothing has been asked', () => {
  test.each([
    ['a notice', backendFrame('N', 'SNOTICE\0\0')],
    ['a notification', backendFrame('A', '\0\0\0\x01channel\0payload\0')],
    ['a changed setting', parameterStatus('TimeZone', 'UTC')],
    ['an error', errorResponse('42P01')],
    ['a notice of the greatest size', sizedFrame('N', WHOLE_FRAME_BYTES_MAX)],
  ])('%s', (_name, frame) => {
    expect(judge(frame)).toBe('forward');
    expect(unsolicited.hasFatal).toBe(false);
  });

  test.each([
    ['a row', dataRow('1')],
    ['the end of a statement', commandComplete('SELECT 1')],
    ['ReadyForQuery', readyForQuery()],
    ['a request to log in', backendFrame('R', '\0\0\0\x03')],
    ['what no version of the protocol knows', backendFrame('~', '')],
  ])('is not %s', (_name, frame) => {
    expect(() => judge(frame)).toThrow(new ProtocolError('it answered what was not asked'));
  });

  test('is nothing that is too large to be looked at whole', () => {
    const frame = sizedFrame('N', WHOLE_FRAME_BYTES_MAX + 1);
    expect(() => judge(frame)).toThrow(
      new ProtocolError('it sent an oversized message while idle'),
    );
  });

  test('is remembered where it is a setting', () => {
    judge(parameterStatus('TimeZone', 'Europe/Berlin'));
    expect(parameters.values.get('TimeZone')).toBe('Europe/Berlin');
  });

  test('is remembered where it is the last word, whatever follows', () => {
    judge(errorResponse('57P01', 'FATAL'));
    judge(errorResponse('42P01'));
    expect(unsolicited.hasFatal).toBe(true);
  });
});
