import { describe, expect, it } from '@jest/globals';
import {
  openConnectorFile,
  parseToml,
  toProblem,
} from '../../../src/connectors/connector-file-open.ts';
import { createInputs, SINK_TOML } from '../../support/connector-files.ts';

const FILE = '/srv/gate/connectors/sink.toml';

function open(toml: string): ReturnType<typeof openConnectorFile> {
  return openConnectorFile(FILE, createInputs({ files: { 'connectors/sink.toml': toml } }));
}

function problemOf(toml: string): string {
  const opened = open(toml);
  return 'problem' in opened ? opened.problem.message : 'none';
}

describe('openConnectorFile', () => {
  it('given_a_file_should_take_it_apart', () => {
    expect(open(`enabled = false\n${SINK_TOML}`)).toMatchObject({
      file: FILE,
      type: 'sink',
      key: 'mongodb',
      version: 0,
      top: { enabled: false },
      streams: [{ stream: 'shop', topics: ['orders'] }],
      pluginConfig: { database: 'shop' },
    });
  });

  it('given_a_key_of_64_characters_should_take_it', () => {
    const key = `a${'-_9Z'.repeat(16)}`.slice(0, 64);
    expect(open(`type = "source"\nkey = "${key}"\nversion = 3`)).toMatchObject({ key, version: 3 });
  });

  it.each([
    ['a missing type', 'key = "a"', 'type (sink.toml) is missing: accepted is one of sink, source'],
    [
      'an unknown type',
      'type = "pipe"\nkey = "a"',
      'type (sink.toml) is "pipe": accepted is one of sink, source',
    ],
    ['a missing key', 'type = "sink"', 'key (sink.toml) is missing: accepted is text'],
    ['a key of a number', 'type = "sink"\nkey = 1', 'key (sink.toml) is 1: accepted is text'],
    [
      'a negative version',
      'type = "sink"\nkey = "a"\nversion = -1',
      'version (sink.toml) is -1: accepted is a whole number of at least 0',
    ],
  ])('given_%s_should_refuse_the_file', (_what, toml, problem) => {
    expect(problemOf(toml)).toBe(problem);
  });

  it.each(['../escape', 'a/b', 'a.b', 'a b', '', '-a', '_a', '__proto__', 'ä', 'a'.repeat(65)])(
    'given_the_key_%j_should_refuse_it_because_it_becomes_a_file_name',
    (key) => {
      expect(problemOf(`type = "sink"\nkey = ${JSON.stringify(key)}`)).toContain(
        'accepted are letters, digits, - and _, at most 64, the first a letter or a digit',
      );
    },
  );

  it('given_a_file_that_is_not_there_should_say_so', () => {
    const opened = openConnectorFile('/srv/gate/gone.toml', createInputs());
    expect(opened).toMatchObject({
      file: '/srv/gate/gone.toml',
      problem: {
        kind: 'invalid-config',
        message: 'gone.toml cannot be read: there is no such file',
      },
    });
  });
});

describe('parseToml', () => {
  it('given_broken_toml_should_tell_the_place_and_not_the_text_around_it', () => {
    const problem = problemOf('type = "sink"\nconnection_uri = "mongodb://a:hunter2@db');
    expect(problem).toMatch(/^sink\.toml is not TOML at line 2, column \d+: /);
    expect(problem).not.toContain('hunter2');
  });

  it.each([
    ['a key twice', 'a = 1\na = 2'],
    ['an integer beyond those of numbers', 'a = 9007199254740993'],
    ['tables without end', `a = ${'['.repeat(5000)}`],
  ])('given_%s_should_refuse_the_file', (_what, toml) => {
    const problems: string[] = [];
    const inputs = createInputs({ files: { 'connectors/sink.toml': toml } });
    expect(parseToml(FILE, inputs, problems)).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining('sink.toml is not TOML at line')]);
  });

  it('given_a_reader_that_refuses_a_huge_file_should_pass_its_words_on', () => {
    const problems: string[] = [];
    const readTextFile = (): never => {
      throw new Error('it has more than 1 MB');
    };
    expect(parseToml(FILE, createInputs({ readTextFile }), problems)).toBeUndefined();
    expect(problems).toEqual(['sink.toml cannot be read: it has more than 1 MB']);
  });
});

describe('toProblem', () => {
  it('given_several_problems_should_tell_all_in_one_error', () => {
    expect(toProblem(['one', 'two'])).toMatchObject({
      kind: 'invalid-config',
      message: 'one; two',
    });
  });
});
