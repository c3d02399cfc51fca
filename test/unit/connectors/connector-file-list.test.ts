import { describe, expect, it } from '@jest/globals';
import { listConnectors } from '../../../src/connectors/connector-file-list.ts';
import type { ConnectorList } from '../../../src/connectors/connector-file-list.ts';
import { createInputs, load, SINK_TOML, SOURCE_TOML } from '../../support/connector-files.ts';
import type { TestInputs } from '../../support/connector-files.ts';

const DIRECTORY = '/srv/gate/connectors';

function list(files: NonNullable<TestInputs['files']>, problems: string[] = []): ConnectorList {
  return listConnectors(DIRECTORY, { env: [], inputs: createInputs({ files }) }, problems);
}

function withKey(toml: string, key: string, top = ''): string {
  return `${top}\n${toml.replace('key = "mongodb"', `key = "${key}"`)}`;
}

describe('listConnectors', () => {
  it('given_files_in_any_order_should_list_connectors_by_type_and_key', () => {
    const { connectors } = list({
      'connectors/0.toml': withKey(SOURCE_TOML, 'a'),
      'connectors/1.toml': withKey(SINK_TOML, 'z'),
      'connectors/2.toml': withKey(SINK_TOML, 'b'),
    });
    expect(connectors.map(({ type, key }) => `${type} ${key}`)).toEqual([
      'sink b',
      'sink mongodb',
      'sink z',
      'source a',
    ]);
  });

  it('given_one_key_of_a_sink_and_a_source_should_take_both', () => {
    const { connectors } = list({ 'connectors/source.toml': SOURCE_TOML });
    expect(connectors.map(({ type, key, problem }) => [type, key, problem])).toEqual([
      ['sink', 'mongodb', undefined],
      ['source', 'mongodb', undefined],
    ]);
  });

  it('given_two_sinks_of_one_group_and_topic_should_refuse_both', () => {
    const grouped = (key: string, top = ''): string =>
      withKey(SINK_TOML, key, top).replace('[[streams]]', '[[streams]]\nconsumer_group = "g"');
    const { connectors } = list({
      'connectors/a.toml': grouped('a'),
      'connectors/b.toml': grouped('b'),
      'connectors/c.toml': grouped('c', 'enabled = false'),
    });
    const problems = connectors.map(({ key, problem }) => [key, problem?.message]);
    expect(problems).toEqual([
      ['a', expect.stringMatching(/^consumer_group, .* "g", .* in sink "a" and in sink "b": /)],
      ['b', expect.stringMatching(/ in sink "b" and in sink "a": .* each its own group$/)],
      ['c', undefined],
      ['mongodb', undefined],
    ]);
  });

  it('given_files_of_other_kinds_should_skip_them', () => {
    const { connectors, refusedFiles } = list({
      'connectors/.hidden.toml': 'nonsense',
      'connectors/.active_versions.toml': 'nonsense',
      'connectors/Cargo.toml': '[package]',
      'connectors/README.md': '# x',
      'connectors/sink.toml.bak': 'nonsense',
    });
    expect(connectors).toHaveLength(1);
    expect(refusedFiles).toEqual([]);
  });

  it('given_a_broken_file_should_refuse_it_and_run_the_others', () => {
    const { connectors, refusedFiles } = list({ 'connectors/broken.toml': 'type = ' });
    expect(connectors).toMatchObject([{ key: 'mongodb', problem: undefined }]);
    expect(refusedFiles).toMatchObject([
      {
        file: `${DIRECTORY}/broken.toml`,
        problem: { message: expect.stringContaining('broken.toml is not TOML at line 1') },
      },
    ]);
  });

  it('given_a_wrong_connector_should_leave_the_others_unaffected', () => {
    const { connectors } = list({
      'connectors/wrong.toml': withKey(SINK_TOML, 'wrong', 'enabled = 3'),
    });
    expect(connectors.map(({ key, problem }) => [key, problem?.kind])).toEqual([
      ['mongodb', undefined],
      ['wrong', 'invalid-config'],
    ]);
  });

  it('given_a_key_twice_should_refuse_both', () => {
    const { connectors } = list({ 'connectors/again.toml': SINK_TOML });
    const message =
      'key is "mongodb" in again.toml and sink.toml, which is one and the same to the ' +
      'environment: give another key, or, for the same one, another version';
    expect(connectors).toMatchObject([{ problem: { message } }, { problem: { message } }]);
  });

  it('given_keys_that_the_environment_cannot_tell_apart_should_refuse_both', () => {
    const { connectors } = list({
      'connectors/one.toml': withKey(SINK_TOML, 'my-sink'),
      'connectors/two.toml': withKey(SINK_TOML, 'MY_SINK', 'version = 2'),
    });
    expect(connectors.map(({ key, problem }) => [key, problem?.kind])).toEqual([
      ['MY_SINK', 'invalid-config'],
      ['mongodb', undefined],
      ['my-sink', 'invalid-config'],
    ]);
  });

  it('given_versions_should_take_the_highest_and_note_the_others', () => {
    const { connectors } = list({
      'connectors/v2.toml': `version = 2\n${SINK_TOML}`,
      'connectors/v10.toml': `version = 10\n${SINK_TOML}`,
    });
    expect(connectors).toMatchObject([
      {
        file: `${DIRECTORY}/v10.toml`,
        problem: undefined,
        notes: [
          'v2.toml is not active: its version is 2, and another is 10',
          'sink.toml is not active: its version is 0, and another is 10',
        ],
      },
    ]);
  });

  it('given_a_version_twice_should_refuse_all_of_them', () => {
    const { connectors } = list({
      'connectors/v1.toml': `version = 1\n${SINK_TOML}`,
      'connectors/w1.toml': `version = 1\n${SINK_TOML}`,
    });
    expect(connectors.map(({ problem }) => problem?.kind)).toEqual([
      'invalid-config',
      'invalid-config',
      'invalid-config',
    ]);
  });

  it('given_a_directory_that_is_not_there_should_say_so', () => {
    const problems: string[] = [];
    const inputs = createInputs();
    const { connectors } = listConnectors('/srv/gone', { env: [], inputs }, problems);
    expect(connectors).toEqual([]);
    expect(problems).toEqual([
      'connectors.config_dir is "/srv/gone", which cannot be read: there is no such file',
    ]);
  });

  it('given_a_directory_of_something_else_should_refuse_it_as_a_whole', () => {
    const names = Array.from({ length: 1001 }, (_, index) => `${index}.toml`);
    const problems: string[] = [];
    const inputs = createInputs({ listDirectory: () => names });
    listConnectors(DIRECTORY, { env: [], inputs }, problems);
    expect(problems).toEqual([expect.stringContaining('which has 1001 files: accepted are 1000')]);
  });

  it('given_an_empty_directory_should_list_nothing', () => {
    const inputs = createInputs({ listDirectory: () => [] });
    const problems: string[] = [];
    expect(listConnectors(DIRECTORY, { env: [], inputs }, problems)).toEqual({
      connectors: [],
      refusedFiles: [],
      unclaimed: [],
    });
    expect(problems).toEqual([]);
  });

  it('given_variables_should_give_them_to_their_connectors_only', () => {
    const { connectors } = load({
      files: { 'connectors/two.toml': withKey(SINK_TOML, 'mongodb-two') },
      env: {
        IGGY_CONNECTORS_SINK_MONGODB_NAME: 'first',
        IGGY_CONNECTORS_SINK_MONGODB_TWO_NAME: 'second',
      },
    });
    expect(connectors.map(({ key, name, problem }) => [key, name, problem])).toEqual([
      ['mongodb', 'first', undefined],
      ['mongodb-two', 'second', undefined],
    ]);
  });
});
