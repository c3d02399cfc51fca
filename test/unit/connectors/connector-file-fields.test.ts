import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { coerceText, fieldsOf } from '../../../src/connectors/connector-file-fields.ts';

const SCHEMA = z.strictObject({
  text: z.string(),
  word: z.enum(['one', 'two']).default('one'),
  whole: z.int().min(1).max(9).default(3),
  open_whole: z.int().min(2).optional(),
  number: z.number().optional(),
  flag: z.boolean().default(true),
  list: z.array(z.string()).default([]),
  either: z.union([z.string().min(1), z.array(z.string())]).optional(),
  only: z.literal('local').optional(),
  uri: z.string().meta({ secret: 'uri' }).optional(),
  key: z.string().meta({ secret: 'text' }).optional(),
  duration: z
    .string()
    .transform((text) => text.length)
    .optional(),
  never: z.never().optional(),
});

describe('fieldsOf', () => {
  const fields = fieldsOf(SCHEMA);

  it.each([
    ['text', 'string', 'text'],
    ['word', 'string', 'one of one, two'],
    ['whole', 'integer', 'a whole number from 1 to 9'],
    ['open_whole', 'integer', 'a whole number of at least 2'],
    ['number', 'number', 'a number'],
    ['flag', 'boolean', 'true or false'],
    ['list', 'array', 'a list of texts'],
    ['either', undefined, 'text that is not empty or a list of texts'],
    ['only', 'string', '"local"'],
    ['duration', 'string', 'text'],
    ['never', undefined, 'nothing, because it is not supported: leave it out'],
  ])('given_the_field_%s_should_tell_its_type_and_what_is_accepted', (name, type, accepted) => {
    expect(fields.get(name)).toMatchObject({ name, type, accepted, secret: undefined });
  });

  it('given_marks_of_secrets_should_tell_which_kind', () => {
    expect(fields.get('uri')?.secret).toBe('uri');
    expect(fields.get('key')?.secret).toBe('text');
  });

  it('given_defaults_should_tell_them_as_they_are_written', () => {
    expect(fields.get('whole')?.defaultValue).toBe(3);
    expect(fields.get('word')?.defaultValue).toBe('one');
    expect(fields.get('text')?.defaultValue).toBeUndefined();
  });

  it('given_a_schema_that_is_refined_and_transformed_should_tell_its_fields_all_the_same', () => {
    const refined = SCHEMA.refine(() => true).transform((values) => ({ ...values, more: 1 }));
    expect([...fieldsOf(refined).keys()]).toEqual([...fields.keys()]);
  });

  it('given_a_schema_without_fields_should_tell_none', () => {
    expect(fieldsOf(z.string()).size).toBe(0);
  });
});

describe('coerceText', () => {
  it.each([
    ['100', 'string', '100'],
    ['true', 'string', 'true'],
    ['[a]', 'string', '[a]'],
    [' kept ', 'string', ' kept '],
    ['100', undefined, '100'],
    ['true', 'boolean', true],
    ['False', 'boolean', false],
    ['yes', 'boolean', 'yes'],
    ['1', 'boolean', '1'],
    ['100', 'integer', 100],
    [' 7 ', 'integer', 7],
    ['-7', 'integer', -7],
    ['1.5', 'number', 1.5],
    ['1e3', 'integer', '1e3'],
    ['0x10', 'integer', '0x10'],
    ['Infinity', 'number', 'Infinity'],
    ['9999999999999999', 'integer', '9999999999999999'],
    ['ten', 'integer', 'ten'],
    ['[a,b]', 'array', ['a', 'b']],
    ['a, b', 'array', ['a', 'b']],
    ['["a b", \'c\']', 'array', ['a b', 'c']],
    ['a', 'array', ['a']],
    ['1,2', 'array', ['1', '2']],
    ['[]', 'array', []],
    ['', 'array', []],
    ['a,,b', 'array', ['a', '', 'b']],
    ["'a", 'array', ["'a"]],
  ])('given_%j_for_a_field_of_type_%s_should_be_%j', (text, type, value) => {
    expect(coerceText(text, type)).toEqual(value);
  });
});
