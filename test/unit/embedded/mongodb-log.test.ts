import { describe, expect, test } from '@jest/globals';
import { complaintOf } from '../../../src/embedded/mongodb-log.ts';

/** As mongod writes it: padded columns, the attributes last. */
function lineOf(severity: string, message: string, attributes?: string): string {
  const time = '{"$date":"2026-11-21T14:48:45.625+00:00"}';
  const head = `{"t":${time},"s":"${severity}",  "c":"STORAGE",  `;
  const tail = attributes === undefined ? '' : `,"attr":${attributes}`;
  return `${head}"id":28661,   "ctx":"initandlisten","msg":"${message}"${tail}}`;
}

describe("A line of mongod's log", () => {
  test.each([
    ['an error', lineOf('E', 'Error setting up listener'), 'Error setting up listener'],
    ['a fatal error', lineOf('F', 'Fatal assertion', '{"msgid":1}'), 'Fatal assertion {"msgid":1}'],
    [
      'nested attributes',
      lineOf('E', 'Failed', '{"error":{"code":9001,"errmsg":"Address already in use"}}'),
      'Failed {"error":{"code":9001,"errmsg":"Address already in use"}}',
    ],
    ['line breaks', lineOf('F', String.raw`\n\n***aborting\n\n`), '***aborting'],
    ['a quoted word', lineOf('E', String.raw`No \"x\" here`, '{}'), String.raw`No \"x\" here {}`],
  ])('complains when it is %s', (_title, line, complaint) => {
    expect(complaintOf(line)).toBe(complaint);
  });

  test.each([
    ['information', lineOf('I', 'Waiting for connections')],
    ['a warning', lineOf('W', 'Access control is not enabled')],
    ['no JSON', 'mongod: error while loading shared libraries'],
    ['empty', ''],
    ['information about an error', lineOf('I', 'Seen', String.raw`{"line":"\"s\":\"E\""}`)],
  ])('does not complain when it is %s', (_title, line) => {
    expect(complaintOf(line)).toBeUndefined();
  });

  test('is cut where it is long', () => {
    const line = lineOf('E', 'Failed', `{"config":"${'x'.repeat(5_000)}"}`);
    expect(complaintOf(line)).toHaveLength(400);
  });

  test('complains also when the log has cut it', () => {
    const line = lineOf('E', 'Failed', `{"config":"${'x'.repeat(5_000)}"}`).slice(0, 300);
    expect(complaintOf(line)).toMatch(/^Failed/);
  });
});
