import { describe, expect, it, test } from '@jest/globals';
import { hash } from 'node:crypto';
import {
  beginningOf,
  keepBeginning,
  RECORD_TEXT_BYTES_MAX,
  TextKeeper,
  WAITING_TEXT_LENGTH_MAX,
} from '../../../src/store/kept-text.ts';

const keep = (text: string): ReturnType<TextKeeper['keep']> => new TextKeeper().keep(text);

describe('TextKeeper', () => {
  it('keeps a short text with its hash and length', () => {
    expect(keep('select 1')).toEqual({
      text: 'select 1',
      textSha256: hash('sha256', 'select 1'),
      textBytes: 8,
      isHashOfBeginning: undefined,
    });
  });

  it('masks before it hashes, and counts the bytes that were sent', () => {
    const text = "alter role a password 'tä'";
    expect(keep(text)).toEqual({
      text: 'alter role a password ***',
      textSha256: hash('sha256', 'alter role a password ***'),
      textBytes: Buffer.byteLength(text),
      isHashOfBeginning: undefined,
    });
  });

  test.each([
    ['one byte', 'x', RECORD_TEXT_BYTES_MAX],
    ['two bytes', 'ä', RECORD_TEXT_BYTES_MAX],
    ['three bytes', '€', RECORD_TEXT_BYTES_MAX - (RECORD_TEXT_BYTES_MAX % 3)],
    ['four bytes', '😀', RECORD_TEXT_BYTES_MAX],
  ])('cuts at the edge of a character of %s', (_name, character, bytes) => {
    const text = character.repeat(RECORD_TEXT_BYTES_MAX);
    const kept = keep(text);
    expect(Buffer.byteLength(kept.text)).toBe(bytes);
    expect(text.startsWith(kept.text)).toBe(true);
    expect(kept.textSha256).toBe(hash('sha256', text));
  });

  it('gives the same for a text that comes again, and for one among many others', () => {
    const keeper = new TextKeeper();
    const first = keeper.keep('select 0');
    for (let index = 0; index < 2000; index += 1) {
      expect(keeper.keep(`select ${index}`).text).toBe(`select ${index}`);
    }
    expect(keeper.keep('select 0')).toEqual(first);
  });
});

describe('beginningOf', () => {
  it('leaves a text as it is that is not too long to wait', () => {
    expect(beginningOf('x'.repeat(WAITING_TEXT_LENGTH_MAX))).toBeUndefined();
  });

  it('is a part of a longer one, with the bytes of the whole', () => {
    const text = 'ä'.repeat(WAITING_TEXT_LENGTH_MAX + 1);
    const beginning = beginningOf(text);
    expect(beginning?.text).toBe('ä'.repeat(WAITING_TEXT_LENGTH_MAX));
    expect(beginning?.wholeBytes).toBe(2 * (WAITING_TEXT_LENGTH_MAX + 1));
  });

  it('is kept with a hash that says of what it is', () => {
    const text = `select 1 ${'x'.repeat(1000)} ${'y '.repeat(WAITING_TEXT_LENGTH_MAX)}`;
    const beginning = beginningOf(text);
    const kept = beginning && keepBeginning(beginning);
    expect(kept?.isHashOfBeginning).toBe(true);
    expect(kept?.textBytes).toBe(text.length);
    expect(text.startsWith(kept?.text ?? '-')).toBe(true);
    expect(kept?.textSha256).not.toBe(hash('sha256', text));
  });

  test.each([0, 1, 4, 10, 39, 50])(
    'shows no part of a secret %i characters before its end',
    (left) => {
      const secret = 'Zq9kTv7wZq9kTv7wZq9kTv7wZq9kTv7wZq9kTv7w';
      for (const before of ["password '", 'postgres://u:', 'gp_', 'Bearer ', 'password=']) {
        const filler = ' '.repeat(WAITING_TEXT_LENGTH_MAX - before.length - left);
        const beginning = beginningOf(`${filler}${before}${secret}' and more${' x'.repeat(100)}`);
        const kept = beginning && keepBeginning(beginning);
        expect(kept?.text).toBeDefined();
        expect(kept?.text).not.toContain('Zq9');
      }
    },
  );
});
