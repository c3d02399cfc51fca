import { describe, expect, it, test } from '@jest/globals';
import { BSON } from 'mongodb';
import { BsonError, readPath } from '../../../../src/backends/mongodb/bson-reader.ts';
import {
  EJSON_MODES,
  ExtendedJsonWriter,
  NESTING_MAX,
} from '../../../../src/backends/mongodb/extended-json.ts';
import type { EjsonMode } from '../../../../src/backends/mongodb/extended-json.ts';
import {
  cstring,
  document,
  double,
  element,
  int32,
  int64,
  nested,
  string,
} from '../../../support/bson-bytes.ts';

function textOf(mode: EjsonMode, bson: Uint8Array): string {
  const writer = new ExtendedJsonWriter(mode);
  writer.appendDocument(bson);
  return writer.take().toString('utf8');
}

/** The text of one value, without the document around it. */
function valueText(mode: EjsonMode, type: number, value: Buffer): string {
  return textOf(mode, document(element(type, 'v', value))).slice('{"v":'.length, -1);
}

describe('numbers and dates', () => {
  const long = (digits: string): string => `{"$numberLong":"${digits}"}`;
  const wrapped = (text: string): string => `{"$numberDouble":"${text}"}`;
  const date = (text: string): string => `{"$date":"${text}"}`;
  const dateMs = (text: string): string => `{"$date":${long(text)}}`;

  test.each([
    { value: 0, text: '0' },
    { value: -1, text: '-1' },
    { value: 2 ** 31 - 1, text: '2147483647' },
    { value: -(2 ** 31), text: '-2147483648' },
  ])('Int32 $text is plain except in canonical mode', ({ value, text }) => {
    expect(valueText('relaxed', 0x10, int32(value))).toBe(text);
    expect(valueText('lossless', 0x10, int32(value))).toBe(text);
    expect(valueText('canonical', 0x10, int32(value))).toBe(`{"$numberInt":"${text}"}`);
  });

  test.each([
    { value: 0n, isPlain: false },
    { value: 2n ** 31n - 1n, isPlain: false },
    { value: -(2n ** 31n), isPlain: false },
    { value: 2n ** 31n, isPlain: true },
    { value: -(2n ** 31n) - 1n, isPlain: true },
    { value: 2n ** 53n - 1n, isPlain: true },
    { value: 2n ** 53n, isPlain: true },
    { value: 2n ** 53n + 1n, isPlain: false },
    { value: -(2n ** 53n), isPlain: true },
    { value: -(2n ** 53n) - 1n, isPlain: false },
    { value: 2n ** 62n, isPlain: true },
    { value: 2n ** 63n - 1n, isPlain: false },
    { value: -(2n ** 63n), isPlain: true },
  ])('Int64 $value has all its digits, and is plain in lossless mode: $isPlain', (row) => {
    const digits = String(row.value);
    expect(valueText('relaxed', 0x12, int64(row.value))).toBe(digits);
    expect(valueText('canonical', 0x12, int64(row.value))).toBe(long(digits));
    const lossless = row.isPlain ? digits : long(digits);
    expect(valueText('lossless', 0x12, int64(row.value))).toBe(lossless);
  });

  test.each([
    { value: 1, text: '1.0', isPlain: false },
    { value: 0, text: '0.0', isPlain: false },
    { value: -0, text: '-0.0', isPlain: true },
    { value: 0.1, text: '0.1', isPlain: true },
    { value: 5e-324, text: '5e-324', isPlain: true },
    { value: 2 ** 53, text: '9007199254740992.0', isPlain: false },
    { value: 2 ** 63, text: '9223372036854775808.0', isPlain: false },
    { value: -(2 ** 63), text: '-9223372036854775808.0', isPlain: false },
    { value: 2 ** 63 + 2048, text: '9223372036854777856.0', isPlain: true },
    { value: 1e21, text: '1e+21', isPlain: true },
  ])('Double $text never looks like an integer, lossless plain: $isPlain', (row) => {
    expect(valueText('relaxed', 0x01, double(row.value))).toBe(row.text);
    expect(valueText('canonical', 0x01, double(row.value))).toBe(wrapped(row.text));
    const lossless = row.isPlain ? row.text : wrapped(row.text);
    expect(valueText('lossless', 0x01, double(row.value))).toBe(lossless);
  });

  test.each([NaN, Infinity, -Infinity])('%p is wrapped in every mode', (value) => {
    for (const mode of EJSON_MODES) {
      expect(valueText(mode, 0x01, double(value))).toBe(wrapped(String(value)));
    }
  });

  test.each([
    { ms: 0n, text: date('1970-01-01T00:00:00Z') },
    { ms: 1n, text: date('1970-01-01T00:00:00.001Z') },
    { ms: 1_700_000_000_120n, text: date('2023-11-14T22:13:20.120Z') },
    { ms: 253_402_300_799_999n, text: date('9999-12-31T23:59:59.999Z') },
    { ms: 253_402_300_800_000n, text: dateMs('253402300800000') },
    { ms: -1n, text: dateMs('-1') },
    { ms: 2n ** 63n - 1n, text: dateMs('9223372036854775807') },
    { ms: -(2n ** 63n), text: dateMs('-9223372036854775808') },
  ])('the date of $ms ms is $text', ({ ms, text }) => {
    expect(valueText('relaxed', 0x09, int64(ms))).toBe(text);
    expect(valueText('lossless', 0x09, int64(ms))).toBe(text);
    expect(valueText('canonical', 0x09, int64(ms))).toBe(dateMs(String(ms)));
  });
});

describe('the other types, alike in all modes', () => {
  const oid = Buffer.from('0123456789abcdef01234567', 'hex');
  const scope = document(element(0x0a, 'n'));
  const scoped = Buffer.concat([string('f'), scope]);

  test.each([
    { name: 'string', type: 0x02, value: string('aé"'), text: '"aé\\""' },
    { name: 'document', type: 0x03, value: document(), text: '{}' },
    { name: 'array', type: 0x04, value: document(), text: '[]' },
    {
      name: 'binary',
      type: 0x05,
      value: Buffer.concat([int32(2), Buffer.of(0x80, 0xff, 0xfe)]),
      text: '{"$binary":{"base64":"//4=","subType":"80"}}',
    },
    {
      name: 'binary with two lengths',
      type: 0x05,
      value: Buffer.concat([int32(5), Buffer.of(2), int32(1), Buffer.of(1)]),
      text: '{"$binary":{"base64":"AQ==","subType":"02"}}',
    },
    { name: 'undefined', type: 0x06, value: Buffer.of(), text: '{"$undefined":true}' },
    { name: 'id', type: 0x07, value: oid, text: '{"$oid":"0123456789abcdef01234567"}' },
    { name: 'false', type: 0x08, value: Buffer.of(0), text: 'false' },
    { name: 'true', type: 0x08, value: Buffer.of(1), text: 'true' },
    { name: 'null', type: 0x0a, value: Buffer.of(), text: 'null' },
    {
      name: 'regular expression with options out of order',
      type: 0x0b,
      value: Buffer.concat([cstring('^a"'), cstring('xmi')]),
      text: '{"$regularExpression":{"pattern":"^a\\"","options":"imx"}}',
    },
    {
      name: 'database pointer',
      type: 0x0c,
      value: Buffer.concat([string('d.c'), oid]),
      text: '{"$dbPointer":{"$ref":"d.c","$id":{"$oid":"0123456789abcdef01234567"}}}',
    },
    { name: 'code', type: 0x0d, value: string('f'), text: '{"$code":"f"}' },
    { name: 'symbol', type: 0x0e, value: string('s'), text: '{"$symbol":"s"}' },
    {
      name: 'code with scope',
      type: 0x0f,
      value: Buffer.concat([int32(scoped.length + 4), scoped]),
      text: '{"$code":"f","$scope":{"n":null}}',
    },
    {
      name: 'timestamp',
      type: 0x11,
      value: Buffer.concat([int32(-1), int32(-2)]),
      text: '{"$timestamp":{"t":4294967294,"i":4294967295}}',
    },
    {
      name: 'decimal',
      type: 0x13,
      value: Buffer.from(BSON.Decimal128.fromString('1.50').bytes),
      text: '{"$numberDecimal":"1.50"}',
    },
    { name: 'maximum key', type: 0x7f, value: Buffer.of(), text: '{"$maxKey":1}' },
    { name: 'minimum key', type: 0xff, value: Buffer.of(), text: '{"$minKey":1}' },
  ])('$name', ({ type, value, text }) => {
    for (const mode of EJSON_MODES) {
      expect(valueText(mode, type, value)).toBe(text);
    }
  });
});

describe('what a JavaScript object cannot hold', () => {
  it('keeps duplicate names and the order of names that are indexes', () => {
    const bson = document(
      element(0x10, 'b', int32(1)),
      element(0x10, '1', int32(2)),
      element(0x10, '0', int32(3)),
      element(0x10, 'b', int32(4)),
      element(0x10, '__proto__', int32(5)),
    );
    expect(textOf('relaxed', bson)).toBe('{"b":1,"1":2,"0":3,"b":4,"__proto__":5}');
  });

  it('writes a reference as the document that it is, in stored order', () => {
    const bson = document(
      element(0x02, '$db', string('d')),
      element(0x10, '$id', int32(7)),
      element(0x02, '$ref', string('a.b')),
    );
    expect(textOf('lossless', bson)).toBe('{"$db":"d","$id":7,"$ref":"a.b"}');
  });

  it('takes the elements of an array by place, whatever their names are', () => {
    const array = document(element(0x10, 'x', int32(1)), element(0x10, '0', int32(2)));
    expect(valueText('relaxed', 0x04, array)).toBe('[1,2]');
  });

  it('repairs names and strings that are no UTF-8', () => {
    const bson = document(element(0x02, Buffer.of(0x61, 0xff), string(Buffer.of(0xc3, 0x22))));
    const writer = new ExtendedJsonWriter('relaxed');
    writer.appendDocument(bson);
    expect(writer.take().toString('utf8')).toBe('{"a\ufffd":"\ufffd\\""}');
  });
});

describe('ExtendedJsonWriter', () => {
  const one = document(element(0x10, 'a', int32(1)));

  it('gives what was appended since the last take, and counts it in bytes', () => {
    const writer = new ExtendedJsonWriter('relaxed');
    expect(writer.length).toBe(0);
    writer.appendDocument(one);
    writer.appendDocument(document(element(0x02, 'é', string('é'))));
    expect(writer.length).toBe(7 + 11);
    expect(writer.take().toString('utf8')).toBe('{"a":1}{"é":"é"}');
    expect(writer.length).toBe(0);
    expect(writer.take()).toHaveLength(0);
  });

  it('appends one value as its document has it', () => {
    const writer = new ExtendedJsonWriter('canonical');
    const list = readPath(document(element(0x04, 'list', one)), ['list']);
    const item = readPath(document(element(0x04, 'list', one)), ['list', 0]);
    for (const value of [list, item]) {
      if (value !== undefined) {
        writer.appendValue(value);
      }
    }
    expect(writer.take().toString('utf8')).toBe('[{"$numberInt":"1"}]{"$numberInt":"1"}');
  });

  test.each([
    { what: 'an end that is not its own', type: 0x10, end: 3 },
    { what: 'an end beyond the bytes', type: 0x12, end: 8 },
    { what: 'a type that does not exist', type: 0x42, end: 4 },
  ])('refuses a value with $what', ({ type, end }) => {
    const writer = new ExtendedJsonWriter('relaxed');
    const value = { type, bytes: int32(1), offset: 0, end };
    expect(() => writer.appendValue(value)).toThrow(BsonError);
    expect(writer.length).toBe(0);
  });

  it('leaves nothing of a document that is malformed, and goes on with the next', () => {
    const writer = new ExtendedJsonWriter('relaxed');
    writer.appendDocument(one);
    const broken = document(element(0x10, 'a', int32(1)), element(0x42, 'b'));
    expect(() => writer.appendDocument(broken)).toThrow(BsonError);
    expect(() => writer.appendDocument(nested(NESTING_MAX + 1))).toThrow(BsonError);
    writer.appendDocument(nested(NESTING_MAX));
    const text = writer.take().toString('utf8');
    expect(text.startsWith('{"a":1}{')).toBe(true);
    // The innermost is a document without elements: no pair of brackets has a comma.
    expect(text).not.toContain(',');
  });

  it('counts scopes as documents within each other', () => {
    let scope = document();
    for (let level = 0; level < NESTING_MAX; level++) {
      const parts = Buffer.concat([string(''), scope]);
      scope = document(element(0x0f, 'c', Buffer.concat([int32(parts.length + 4), parts])));
    }
    expect(() => textOf('relaxed', scope)).toThrow(`More than ${NESTING_MAX} documents`);
  });
});
