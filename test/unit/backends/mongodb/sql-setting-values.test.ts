import { describe, expect, test } from '@jest/globals';
import {
  durationMs,
  parseBoolean,
  parseDateStyle,
  parseDuration,
  parseEjsonMode,
  parseEncoding,
  parseInteger,
  parseText,
  parseTimeZone,
  parseWord,
} from '../../../../src/backends/mongodb/sql-setting-values.ts';

describe('values of settings', () => {
  test.each([
    ['ms', '5000', '5s', 5000],
    ['no unit', '250', '250ms', 250],
    ['zero', '0', '0', 0],
    ['seconds', '30s', '30s', 30_000],
    ['spaces', ' 2 min ', '2min', 120_000],
    ['an hour', '60min', '1h', 3_600_000],
    ['days', '2d', '2d', 172_800_000],
    ['a fraction', '1.5s', '1500ms', 1500],
  ])('reads a duration with %s', (_, value, written, ms) => {
    expect(parseDuration(value)).toBe(written);
    expect(durationMs(written)).toBe(ms);
  });

  test.each(['', 'x', '-1', '5 S', '1us', '25d', '99999999999', '1e3', 'ms'])(
    'takes no duration from %j',
    (value) => {
      expect(parseDuration(value)).toBeUndefined();
    },
  );

  test.each([
    ['UTF8', 'UTF8'],
    ['utf-8', 'UTF8'],
    ['Unicode', 'UTF8'],
    ['sql_ascii', 'SQL_ASCII'],
    ['LATIN1', undefined],
    ['', undefined],
  ])('reads the encoding %j as %s', (value, expected) => {
    expect(parseEncoding(value)).toBe(expected);
  });

  test.each([
    ['on', 'on'],
    ['TRUE', 'on'],
    ['y', 'on'],
    ['1', 'on'],
    ['off', 'off'],
    ['of', 'off'],
    ['fal', 'off'],
    ['no', 'off'],
    ['0', 'off'],
    ['o', undefined],
    ['', undefined],
    ['maybe', undefined],
  ])('reads %j as %s', (value, expected) => {
    expect(parseBoolean(value)).toBe(expected);
  });

  test.each([
    ['3', '3'],
    ['-15', '-15'],
    ['+2', '2'],
    ['4', undefined],
    ['-16', undefined],
    ['2.5', undefined],
    ['x', undefined],
    ['', undefined],
    ['9999999999', undefined],
  ])('reads the number %j in a range as %s', (value, expected) => {
    expect(parseInteger(-15, 3)(value, '1')).toBe(expected);
  });

  test.each([
    ['ISO', 'ISO, MDY', 'ISO, MDY'],
    ['iso, dmy', 'ISO, MDY', 'ISO, DMY'],
    ['European', 'ISO, MDY', 'ISO, DMY'],
    ['German', 'ISO, YMD', 'German, YMD'],
    ['sql,us', 'ISO, YMD', 'SQL, MDY'],
    ['', 'ISO, MDY', undefined],
    ['iso, x', 'ISO, MDY', undefined],
    ['constructor', 'ISO, MDY', undefined],
    ['__proto__', 'ISO, MDY', undefined],
  ])('reads the date style %j over %s as %s', (value, current, expected) => {
    expect(parseDateStyle(value, current)).toBe(expected);
  });

  test.each([
    ['UTC', 'UTC'],
    ['Europe/Vienna', 'Europe/Vienna'],
    ['-8', '-8'],
    ['+5.5', '+5.5'],
    ['Nowhere/Land', undefined],
    ['', undefined],
  ])('reads the time zone %j as %s', (value, expected) => {
    expect(parseTimeZone(value)).toBe(expected);
  });

  test.each([
    ['lossless', 'lossless'],
    ['CANONICAL', 'canonical'],
    ['Relaxed', 'relaxed'],
    ['pretty', undefined],
    ['', undefined],
  ])('reads the Extended JSON mode %j as %s', (value, expected) => {
    expect(parseEjsonMode(value)).toBe(expected);
  });

  test('reads words in any case, and texts up to a bound', () => {
    expect(parseWord(['escape', 'hex'])('HEX', '')).toBe('hex');
    expect(parseWord(['escape', 'hex'])('he', '')).toBeUndefined();
    expect(parseText('x'.repeat(1024))).toHaveLength(1024);
    expect(parseText('x'.repeat(1025))).toBeUndefined();
  });
});
