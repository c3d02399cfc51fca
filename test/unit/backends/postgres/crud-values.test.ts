import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'lossless-json';
import {
  decodeTextValue,
  encodeJsonValue,
  encodeTextArray,
  encodeTextValue,
  isBoolean,
  isText,
} from '../../../../src/backends/postgres/crud-values.ts';
import { createColumn } from '../../../support/crud-columns.ts';
import type { TypeName } from '../../../support/crud-columns.ts';

/** As PostgreSQL reads a text[] of one dimension whose elements are quoted. */
function parseTexts(text: string): unknown {
  const elements = text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|NULL/gs);
  return [...elements].map(([, quoted]) => quoted?.replaceAll(/\\(.)/gs, '$1') ?? null);
}

type Type = TypeName | `${TypeName}[]`;

function encode(json: string, type: Type): unknown {
  const encoded = encodeJsonValue(parse(json), createColumn('c', type));
  return 'problem' in encoded ? encoded : encoded.text;
}

describe('encodeJsonValue', () => {
  it.each<[Type, string, string | null]>([
    ['bool', 'true', 'true'],
    ['bool', 'false', 'false'],
    ['int4', '5', '5'],
    ['int4', '-2147483648', '-2147483648'],
    ['int4', '"7"', '7'],
    ['int8', '9223372036854775807', '9223372036854775807'],
    ['int8', '"-9223372036854775808"', '-9223372036854775808'],
    ['numeric', '0.1000000000000000000000001', '0.1000000000000000000000001'],
    ['numeric', '1e-7', '1e-7'],
    ['numeric', '"NaN"', 'NaN'],
    ['float8', '"-Infinity"', '-Infinity'],
    ['float8', '1.5e300', '1.5e300'],
    ['money', '"$5.00"', '$5.00'],
    ['text', '"\'; drop"', "'; drop"],
    ['text', '""', ''],
    ['timestamptz', '"2024-01-01T00:00:00Z"', '2024-01-01T00:00:00Z'],
    ['bytea', '"AAH/"', '\\x0001ff'],
    ['bytea', '""', '\\x'],
    ['json', '12345678901234567890.10', '12345678901234567890.10'],
    ['jsonb', '"text"', '"text"'],
    ['jsonb', '{"a":[1,null,{"__proto__":1}]}', '{"a":[1,null,{"__proto__":1}]}'],
    ['jsonb', '[]', '[]'],
    ['int4[]', '[1,null,"3"]', '{"1",NULL,"3"}'],
    ['int4[]', '[]', '{}'],
    ['int4[]', '[[1],[2]]', '{{"1"},{"2"}}'],
    ['text[]', '["NULL","{}","a,b","\\"","\\\\"]', '{"NULL","{}","a,b","\\"","\\\\"}'],
    ['text[]', '"{a,b}"', '{a,b}'],
    ['jsonb[]', '[[1,2],{"a":"b"},"c",null]', '{"[1,2]","{\\"a\\":\\"b\\"}","\\"c\\"",NULL}'],
    ['box[]', '["(1,1),(0,0)","(2,2),(0,0)"]', '{"(1,1),(0,0)";"(2,2),(0,0)"}'],
    ['bytea[]', '["AA=="]', '{"\\\\x00"}'],
    ['text', 'null', null],
    ['json', 'null', null],
    ['int4[]', 'null', null],
  ])('writes for %s the value %s as %j', (type, json, text) => {
    expect(encode(json, type)).toBe(text);
  });

  it.each<[Type, string, string]>([
    ['bool', '1', 'true or false'],
    ['bool', '"true"', 'true or false'],
    ['int2', '32768', '-32768 to 32767'],
    ['int4', '2147483648', 'whole number'],
    ['int4', '1.5', 'whole number'],
    ['int4', '1e3', 'whole number'],
    ['int4', '" 5"', 'whole number'],
    ['int4', '"5; drop"', 'whole number'],
    ['int4', 'true', 'a number'],
    ['int4', '{}', 'a number'],
    ['int8', `"${'9'.repeat(5000)}"`, 'whole number'],
    ['numeric', '"five"', 'a number'],
    ['float8', '"infinite"', 'a number'],
    ['money', '"\\u0000"', 'NUL'],
    ['text', '5', 'a string'],
    ['text', '{"$gt":""}', 'a string'],
    ['text', '["a"]', 'a string'],
    ['text', '"a\\u0000b"', 'NUL'],
    ['timestamptz', '1700000000', 'a string'],
    ['bytea', '"\\\\x00"', 'base64'],
    ['bytea', '"AA"', 'base64'],
    ['bytea', '"AA-_"', 'base64'],
    ['int4[]', '5', 'an array'],
    ['int4[]', '{}', 'an array'],
    ['int4[]', '[1,"x"]', 'Element 2'],
    ['int4[]', '[[[[[[[1]]]]]]]', '6 dimensions'],
    ['text[]', '["\\u0000"]', 'NUL'],
  ])('refuses for %s the value %s: %s', (type, json, reason) => {
    expect(encode(json, type)).toEqual({ problem: expect.stringContaining(reason) });
  });

  it('refuses null where none can be', () => {
    for (const type of ['text', 'int4[]', 'json[]'] as const) {
      const column = createColumn('c', type, { isNullable: false });
      expect(encodeJsonValue(null, column)).toEqual({ problem: 'It cannot be null' });
    }
  });

  it.each(['json', 'jsonb'] as const)(
    'takes null for that of %s where none else can be',
    (type) => {
      const column = createColumn('c', type, { isNullable: false });
      expect(encodeJsonValue(null, column)).toEqual({ text: 'null' });
    },
  );

  it('writes arrays of any texts so that PostgreSQL reads the same ones', () => {
    const value = fc.option(fc.string().filter((text) => !text.includes('\0')));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const encoded = encodeJsonValue(values, createColumn('c', 'text[]'));
        expect('text' in encoded && parseTexts(encoded.text ?? '')).toEqual(values);
      }),
    );
  });
});

describe('encodeTextValue', () => {
  it.each<[Type, string, string]>([
    ['int4', '5', '5'],
    ['text', 'true', 'true'],
    ['bytea', 'AAE=', '\\x0001'],
    ['bool', 't', 't'],
    ['timestamptz', 'infinity', 'infinity'],
    ['int4[]', '{1,2}', '{1,2}'],
    ['jsonb', '{"a":1}', '{"a":1}'],
  ])('writes for %s the text %s as %s', (type, text, written) => {
    expect(encodeTextValue(text, createColumn('c', type))).toEqual({ text: written });
  });

  it.each<[Type, string]>([
    ['int4', 'five'],
    ['int4', ''],
    ['numeric', '0x10'],
    ['bytea', '!'],
    ['text', 'a\0'],
    ['bool', '\0'],
    ['int4[]', '{\0}'],
  ])('refuses for %s the text %j', (type, text) => {
    expect(encodeTextValue(text, createColumn('c', type))).toHaveProperty('problem');
  });

  it('reads back what decodeTextValue shows', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const column = createColumn('c', 'bytea');
        const text = `\\x${Buffer.from(bytes).toString('hex')}`;
        expect(encodeTextValue(decodeTextValue(text, column), column)).toEqual({ text });
      }),
    );
    expect(decodeTextValue('\\x00', createColumn('c', 'text'))).toBe('\\x00');
  });
});

describe('kinds of columns', () => {
  it('are known by their types', () => {
    expect(isText(createColumn('c', 'text'))).toBe(true);
    expect(isText(createColumn('c', 'text[]'))).toBe(false);
    expect(isText(createColumn('c', 'int4'))).toBe(false);
    expect(isBoolean(createColumn('c', 'bool'))).toBe(true);
    expect(isBoolean(createColumn('c', 'bool[]'))).toBe(false);
  });
});

describe('encodeTextArray', () => {
  it('quotes every text, so that it is the same one in the array', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (texts) => {
        expect(parseTexts(encodeTextArray(texts))).toEqual(texts);
      }),
    );
  });
});
