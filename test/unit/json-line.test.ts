import { describe, expect, test } from '@jest/globals';
import {
  cutText,
  NAME_LENGTH_MAX,
  roundMs,
  toJsonLine,
  toSessionFields,
} from '../../src/json-line.ts';
import { createSession } from '../support/observations.ts';

describe('toJsonLine', () => {
  test.each([
    ['a line end', '\n', String.raw`\n`],
    ['ESC', '\u001b[31m', String.raw`\u001b[31m`],
    ['NUL', '\u0000', String.raw`\u0000`],
    ['DEL', '\u007f', String.raw`\u007f`],
    ['the one-character CSI', '\u009b31m', String.raw`\u009b31m`],
    ['a line separator', '\u2028', String.raw`\u2028`],
    ['a right-to-left override', '\u202e', String.raw`\u202e`],
    ['an isolate', '\u2066', String.raw`\u2066`],
    ['half a surrogate pair', '\ud800', String.raw`\ud800`],
  ])('escapes %s', (_name, text, escaped) => {
    const line = toJsonLine({ text });
    expect(line).toBe(`{"text":"${escaped}"}`);
    expect(JSON.parse(line)).toEqual({ text });
  });

  test('leaves letters of every script as they are', () => {
    expect(toJsonLine({ text: 'größe – 価格 – 🐘' })).toBe('{"text":"größe – 価格 – 🐘"}');
  });
});

describe('cutText', () => {
  test.each([
    ['shorter', 'abc', 4, 'abc'],
    ['exactly as long', 'abcd', 4, 'abcd'],
    ['longer', 'abcde', 4, 'abcd'],
    ['with a pair across the edge', 'abc🐘', 4, 'abc'],
    ['with a pair before the edge', 'ab🐘c', 4, 'ab🐘'],
  ])('keeps a text that is %s up to the edge of a character', (_name, text, lengthMax, kept) => {
    expect(cutText(text, lengthMax)).toBe(kept);
  });
});

describe('roundMs', () => {
  test.each([
    [0.5763160000000198, 0.576],
    [0.0004, 0],
    [30_000, 30_000],
  ])('writes %d ms as %d', (durationMs, rounded) => {
    expect(roundMs(durationMs)).toBe(rounded);
  });
});

describe('toSessionFields', () => {
  test('names what is known of a session', () => {
    expect(toSessionFields(createSession({ isEncrypted: true }))).toEqual({
      session: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
      listener: 'main',
      backend: 'postgres',
      user: 'alice',
      client_addr: '127.0.0.1',
      application_name: 'psql',
      database: 'shop',
      tls: true,
    });
  });

  test('cuts each name that the client chose', () => {
    const long = 'x'.repeat(10_000);
    const fields = toSessionFields(
      createSession({ user: long, database: long, applicationName: long }),
    );
    expect([fields.user, fields.database, fields.application_name].map((n) => n.length)).toEqual([
      NAME_LENGTH_MAX,
      NAME_LENGTH_MAX,
      NAME_LENGTH_MAX,
    ]);
  });
});
