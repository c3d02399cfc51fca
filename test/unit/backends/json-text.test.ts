import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonText } from '../../../src/backends/json-text.ts';

const RUNS = { numRuns: 500, seed: 20_260_401 };

/** What is appended for these bytes, which stand among others. */
function stringText(bytes: Uint8Array): Buffer {
  const field = Buffer.concat([Buffer.from('"\\'), bytes, Buffer.from('é\n')]);
  const text = new JsonText();
  text.appendString(field, 2, 2 + bytes.length);
  return text.take();
}

describe('a string', () => {
  it('is what JSON.stringify makes of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
        expect(stringText(Buffer.from(value)).toString('utf8')).toBe(JSON.stringify(value));
      }),
      RUNS,
    );
  });

  it('is escaped like JSON.stringify does for every ASCII character', () => {
    const all = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
    expect(stringText(Buffer.from(all)).toString('utf8')).toBe(JSON.stringify(all));
  });

  it('has U+FFFD for each part that is no UTF-8, as a decoder has', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(stringText(bytes).toString('utf8')).toBe(JSON.stringify(decoder.decode(bytes)));
      }),
      RUNS,
    );
  });

  test.each([
    { what: 'a lone surrogate', hex: 'eda080', text: '"\ufffd\ufffd\ufffd"' },
    { what: 'a character that is cut off', hex: '61e282', text: '"a\ufffd"' },
    { what: 'a NUL in two bytes', hex: 'c080', text: '"\ufffd\ufffd"' },
    { what: 'a byte order mark, which is text', hex: 'efbbbf61', text: '"\ufeff\u0061"' },
    { what: 'a character beyond the first plane', hex: 'f09f9880', text: '"😀"' },
    { what: 'no bytes', hex: '', text: '""' },
  ])('of $what is valid UTF-8', ({ hex, text }) => {
    expect(stringText(Buffer.from(hex, 'hex')).toString('utf8')).toBe(text);
  });

  it('leaves what stood before it alone when it has to be repaired', () => {
    const text = new JsonText();
    text.appendAscii('[');
    text.appendString(Buffer.of(0x22, 0xff), 0, 2);
    text.appendByte(0x5d);
    expect(text.take().toString('utf8')).toBe('["\\"\ufffd"]');
  });

  test.each([
    { what: 'plain', unit: 'a' },
    { what: 'escaped', unit: '\u0001' },
    { what: 'of two bytes', unit: 'é' },
    { what: 'mixed', unit: 'a"é' },
  ])('of 200 000 characters, $what, has room', ({ unit }) => {
    const value = unit.repeat(200_000 / unit.length);
    expect(stringText(Buffer.from(value)).toString('utf8') === JSON.stringify(value)).toBe(true);
  });

  it('that is invalid and grows by its repair has room', () => {
    const bytes = Buffer.alloc(100_000, 0xff);
    expect(stringText(bytes).toString('utf8') === `"${'\ufffd'.repeat(100_000)}"`).toBe(true);
  });
});

describe('other text', () => {
  test.each([0, 1, 48, 49, 200_000])('of %d ASCII characters is copied', (size) => {
    const text = new JsonText();
    text.appendAscii('x'.repeat(size));
    expect(text.length).toBe(size);
    expect(text.take().equals(Buffer.alloc(size, 'x'))).toBe(true);
  });

  it('of bytes has two small hexadecimal digits for each', () => {
    const text = new JsonText();
    text.appendHex(Buffer.from('ff00a9ff', 'hex'), 1, 3);
    expect(text.take().toString('utf8')).toBe('00a9');
  });
});

describe('what was taken', () => {
  it('stays as it is while more is appended, across many buffers', () => {
    const text = new JsonText();
    const taken: Buffer[] = [];
    const expected: string[] = [];
    for (let row = 0; row < 3_000; row++) {
      const value = `row ${row} `.repeat(row % 50);
      text.appendString(Buffer.from(value), 0, value.length);
      taken.push(text.take());
      expected.push(JSON.stringify(value));
    }
    expect(taken.map(String)).toEqual(expected);
  });

  it('is not given back by truncate, which forgets only what is new', () => {
    const text = new JsonText();
    text.appendAscii('taken');
    const taken = text.take();
    text.appendAscii('kept');
    const { length } = text;
    text.appendAscii('x'.repeat(100_000));
    text.truncate(length);
    expect(text.length).toBe(4);
    expect(text.take().toString('utf8')).toBe('kept');
    expect(taken.toString('utf8')).toBe('taken');
  });

  it('does not keep the buffer that a huge document needed', () => {
    const text = new JsonText();
    text.appendAscii('x'.repeat(3_000_000));
    expect(text.take().length).toBe(3_000_000);
    text.appendAscii('small');
    const small = text.take();
    expect(small.toString('utf8')).toBe('small');
    expect(small.buffer.byteLength).toBe(64 * 1024);
  });
});
