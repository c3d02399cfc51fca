import { describe, expect, it, test } from '@jest/globals';
import { JsonText } from '../../../../src/backends/json-text.ts';
import {
  appendBase64,
  appendBoolean,
  appendJson,
  appendNumber,
  appendRaw,
  appendText,
  appendTimestamp,
} from '../../../../src/backends/postgres/json-values.ts';
import type { ValueEncoder } from '../../../../src/backends/postgres/json-values.ts';

/** The JSON that stands behind other text. */
function encode(append: ValueEncoder, value: string): string {
  const text = new JsonText();
  text.appendAscii('[');
  append(text, Buffer.from(value));
  return text.take().toString('utf8').slice(1);
}

const LONG = '€'.repeat(40);

describe('a value of PostgreSQL in JSON', () => {
  test.each<[string, ValueEncoder, string, string]>([
    ['text', appendText, 'a"b\\c\n€', String.raw`"a\"b\\c\n€"`],
    ['empty text', appendText, '', '""'],
    ['raw text that is short', appendRaw, '{"é":1}', '{"é":1}'],
    ['raw text that is long', appendRaw, `{"a":"${LONG}"}`, `{"a":"${LONG}"}`],
    ['json of one line', appendJson, '{"a": [1.10, 2]}', '{"a": [1.10, 2]}'],
    ['json of lines', appendJson, '{\r\n "a":\n"x\\n€"}', '{   "a": "x\\n€"}'],
    ['true', appendBoolean, 't', 'true'],
    ['false', appendBoolean, 'f', 'false'],
    ['an integer', appendNumber, '-2147483648', '-2147483648'],
    ['a fraction', appendNumber, '0.30000000000000004', '0.30000000000000004'],
    ['a large number', appendNumber, '1.7976931348623157e+308', '1.7976931348623157e+308'],
    ['a small number', appendNumber, '5e-324', '5e-324'],
    ['minus zero', appendNumber, '-0', '-0'],
    ['NaN', appendNumber, 'NaN', '"NaN"'],
    ['infinity', appendNumber, 'Infinity', '"Infinity"'],
    ['minus infinity', appendNumber, '-Infinity', '"-Infinity"'],
    ['no bytes', appendBase64, '\\x', '""'],
    ['bytes', appendBase64, '\\x00ff10', '"AP8Q"'],
    ['escaped bytes', appendBase64, 'a\\\\b\\000\\377', '"YVxiAP8="'],
    ['a timestamp', appendTimestamp, '2026-01-31 23:59:59', '"2026-01-31T23:59:59"'],
    ['its fraction', appendTimestamp, '2026-01-31 23:59:59.123456', '"2026-01-31T23:59:59.123456"'],
    ['one fraction digit', appendTimestamp, '2026-01-31 23:59:59.1', '"2026-01-31T23:59:59.1"'],
    ['UTC', appendTimestamp, '2026-01-31 23:59:59+00', '"2026-01-31T23:59:59+00:00"'],
    ['a zone', appendTimestamp, '2026-01-31 23:59:59.5-08', '"2026-01-31T23:59:59.5-08:00"'],
    ['half a zone', appendTimestamp, '2026-01-31 23:59:59+05:30', '"2026-01-31T23:59:59+05:30"'],
    [
      'an old zone',
      appendTimestamp,
      '1890-01-01 00:00:00+05:53:28',
      '"1890-01-01 00:00:00+05:53:28"',
    ],
    ['infinity', appendTimestamp, 'infinity', '"infinity"'],
    ['a year before 1', appendTimestamp, '0044-03-15 12:00:00 BC', '"0044-03-15 12:00:00 BC"'],
    ['a far year', appendTimestamp, '10000-01-01 00:00:00', '"10000-01-01 00:00:00"'],
    ['another style', appendTimestamp, '31.01.2026 23:59:59', '"31.01.2026 23:59:59"'],
  ])('%s', (_name, append, value, json) => {
    expect(encode(append, value)).toBe(json);
    expect(() => {
      JSON.parse(json);
    }).not.toThrow();
  });

  it('of a time is read by JavaScript as the same moment', () => {
    const json = encode(appendTimestamp, '2026-01-31 23:59:59.5-08');
    expect(new Date(String(JSON.parse(json))).toISOString()).toBe('2026-02-01T07:59:59.500Z');
  });
});
