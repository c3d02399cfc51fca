import { describe, expect, it } from '@jest/globals';
import { parse } from 'smol-toml';
import * as z from 'zod';
import { declareTable, isTable, readTable } from '../../../src/connectors/connector-file-table.ts';
import type { EnvText } from '../../../src/connectors/connector-file-table.ts';
import { createInputs } from '../../support/connector-files.ts';

const TABLE = declareTable(
  z
    .strictObject({
      name: z.string(),
      word: z.enum(['one', 'two']).default('one'),
      size: z.int().min(1).max(9).default(3),
      flag: z.boolean().default(false),
      list: z.array(z.string()).default([]),
      uri: z.string().min(1).meta({ secret: 'uri' }).optional(),
      shape: z.string().regex(/^x/, 'must begin with x').optional(),
    })
    .refine(({ name, word }) => name !== word, { path: ['word'], error: 'must not be the name' }),
);

const ENV_NAME = 'IGGY_CONNECTORS_SINK_A_PLUGIN_CONFIG_';

interface Reading {
  readonly values: unknown;
  readonly problems: readonly string[];
}

function read(
  toml: string,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Reading {
  const problems: string[] = [];
  const texts = Object.entries(env).map(([name, text]): [string, EnvText] => [
    name.toLowerCase(),
    { name: `${ENV_NAME}${name}`, text },
  ]);
  const sources = {
    path: 'plugin_config',
    file: 'a.toml',
    toml: parse(toml),
    env: new Map(texts),
  };
  const result = readTable(TABLE, sources, createInputs({ files }), problems);
  return { values: result?.values, problems };
}

describe('readTable', () => {
  it('given_values_of_the_file_should_read_them_and_the_defaults', () => {
    expect(read('name = "n"\nsize = 5')).toEqual({
      values: { name: 'n', word: 'one', size: 5, flag: false, list: [] },
      problems: [],
    });
  });

  it('given_values_of_the_environment_should_prefer_them_by_their_declared_types', () => {
    const env = { NAME: '100', SIZE: '7', FLAG: 'true', LIST: '[a,b]' };
    expect(read('name = "n"\nsize = 5', env).values).toEqual({
      name: '100',
      word: 'one',
      size: 7,
      flag: true,
      list: ['a', 'b'],
    });
  });

  it.each([
    ['size = 0\nname = "n"', 'size (a.toml) is 0: accepted is a whole number from 1 to 9'],
    ['size = 1.5\nname = "n"', 'size (a.toml) is 1.5: accepted is a whole number from 1 to 9'],
    ['size = "5"\nname = "n"', 'size (a.toml) is "5": accepted is a whole number from 1 to 9'],
    ['flag = "true"\nname = "n"', 'flag (a.toml) is "true": accepted is true or false'],
    ['word = "six"\nname = "n"', 'word (a.toml) is "six": accepted is one of one, two'],
    ['name = 5', 'name (a.toml) is 5: accepted is text'],
    ['name = true', 'name (a.toml) is true: accepted is text'],
    ['name = 2024-01-01T00:00:00Z', 'name (a.toml) is a date: accepted is text'],
    ['name = ["n"]', 'name (a.toml) is a list: accepted is text'],
    ['name = { x = 1 }', 'name (a.toml) is a table: accepted is text'],
    ['name = "n"\nlist = [1]', 'list (a.toml) is a list: accepted is a list of texts'],
    ['name = "n"\nshape = "y"', 'shape (a.toml) is "y": must begin with x'],
    ['name = "two"\nword = "two"', 'word (a.toml) is "two": must not be the name'],
    ['', 'name (a.toml) is missing: accepted is text'],
  ])('given_%j_should_name_the_field_its_file_and_what_is_accepted', (toml, problem) => {
    expect(read(toml)).toEqual({ values: undefined, problems: [`plugin_config.${problem}`] });
  });

  it('given_several_wrong_fields_should_name_each', () => {
    expect(read('size = 0\nflag = 1\nnonsense = 2').problems).toHaveLength(4);
  });

  it('given_a_wrong_value_of_the_environment_should_name_the_variable', () => {
    expect(read('name = "n"', { SIZE: 'many' }).problems).toEqual([
      `${ENV_NAME}SIZE is "many": accepted is a whole number from 1 to 9`,
    ]);
  });

  it('given_unknown_fields_should_name_the_nearest_known_ones', () => {
    expect(read('name = "n"\nsise = 1', { WORDS: 'one' }).problems).toEqual([
      'plugin_config.sise (a.toml) is not a field; the nearest known one is size',
      `${ENV_NAME}WORDS is not a field; the nearest known one is ${ENV_NAME}WORD`,
    ]);
  });

  it.each([
    ['__proto__ = { polluted = true }', '__proto__'],
    ['constructor = 1', 'constructor'],
    ['hasOwnProperty = 1', 'hasOwnProperty'],
    ['toString = 1', 'toString'],
  ])('given_the_name_of_every_object_%j_should_refuse_it_as_any_other', (toml, name) => {
    expect(read(`name = "n"\n${toml}`).problems[0]).toContain(`plugin_config.${name} (a.toml)`);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('given_a_key_that_is_no_name_should_show_it_quoted_and_cut', () => {
    const [problem = ''] = read(`name = "n"\n"a\\nb${'x'.repeat(500)}" = 1`).problems;
    expect(problem).toContain('"a\\nb');
    expect(problem.length).toBeLessThan(200);
  });

  it('given_something_else_than_a_table_should_say_so', () => {
    const problems: string[] = [];
    for (const toml of [3, 'text', [{ name: 'n' }]]) {
      const sources = { path: 'plugin_config', file: 'a.toml', toml, env: new Map() };
      expect(readTable(TABLE, sources, createInputs(), problems)).toBeUndefined();
    }
    const problem = 'plugin_config (a.toml) is not a table: write [plugin_config]';
    expect(problems).toEqual([problem, problem, problem]);
  });

  describe('with secrets', () => {
    const SECRET = 'mongodb://app:hunter2@db';

    it('given_a_secret_of_the_wrong_type_should_not_show_it', () => {
      const { problems } = read('name = "n"\nuri = 4711');
      expect(problems).toEqual([
        'plugin_config.uri (a.toml) is a secret that is not accepted: accepted is text that is ' +
          'not empty',
      ]);
    });

    it('given_a_connection_string_in_another_field_should_cut_it', () => {
      const [problem = ''] = read(`name = "n"\nword = "${SECRET}"`).problems;
      expect(problem).toContain('mongodb://***');
      expect(problem).not.toContain('hunter2');
    });

    it('given_a_file_of_the_secret_should_read_it_without_its_last_line_break', () => {
      const { values } = read('name = "n"\nuri_file = "u"', {}, { u: `${SECRET}\n` });
      expect(values).toMatchObject({ uri: SECRET });
    });

    it('given_the_file_in_the_environment_should_count_instead_of_the_text', () => {
      const { values } = read(`name = "n"\nuri = "old"`, { URI_FILE: 'u' }, { u: SECRET });
      expect(values).toMatchObject({ uri: SECRET });
    });

    it('given_the_text_in_the_environment_should_count_instead_of_the_file', () => {
      const { values } = read('name = "n"\nuri_file = "gone"', { URI: SECRET });
      expect(values).toMatchObject({ uri: SECRET });
    });

    it('given_both_at_one_place_should_refuse_them', () => {
      expect(read(`name = "n"\nuri = "${SECRET}"\nuri_file = "u"`).problems).toEqual([
        'uri and plugin_config.uri_file (a.toml) are both given: keep one',
      ]);
      expect(read('name = "n"', { URI: SECRET, URI_FILE: 'u' }).problems).toEqual([
        `uri and ${ENV_NAME}URI_FILE are both given: keep one`,
      ]);
    });

    it.each([
      ['uri_file = "gone"', /uri_file \(a\.toml\) is "gone".*there is no such file$/],
      ['uri_file = "empty"', /uri_file \(a\.toml\) is "empty".*which is empty$/],
      ['uri_file = 5', /uri_file \(a\.toml\) is 5: accepted is the path of a file$/],
    ])('given_%j_should_say_once_why_there_is_no_secret', (toml, problem) => {
      const { problems } = read(`name = "n"\n${toml}`, {}, { empty: '\n' });
      expect(problems).toEqual([expect.stringMatching(problem)]);
    });

    it('given_a_file_for_what_is_no_secret_should_refuse_it', () => {
      expect(read('name = "n"\nword_file = "w"').problems).toEqual([
        'plugin_config.word_file (a.toml) is not a field; the nearest known one is uri_file',
      ]);
    });
  });
});

describe('isTable', () => {
  it('given_values_of_toml_should_tell_tables_from_what_else_is_an_object', () => {
    const { table, list, date } = parse('table = {}\nlist = []\ndate = 2024-01-01');
    expect([table, list, date, 3, 'x'].map((value) => isTable(value ?? ''))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
