import { describe, expect, it } from '@jest/globals';
import { reloadConnector } from '../../../src/connectors/runtime-config-load.ts';
import {
  CONFIG_TOML,
  createInputs,
  loadOne,
  SINK_TOML,
  SOURCE_TOML,
} from '../../support/connector-files.ts';
import type { TestInputs } from '../../support/connector-files.ts';

describe('reloadConnector', () => {
  const before = loadOne();

  it('given_a_changed_file_should_read_it_again', () => {
    const inputs = createInputs({
      files: { 'connectors/sink.toml': `enabled = false\n${SINK_TOML}` },
      env: { IGGY_CONNECTORS_SINK_MONGODB_NAME: 'new' },
    });
    expect(reloadConnector(inputs, before)).toMatchObject({
      name: 'new',
      isEnabled: false,
      problem: undefined,
    });
  });

  it('given_a_file_that_was_wrong_and_is_put_right_should_be_ready', () => {
    const wrong = loadOne({ files: { 'connectors/sink.toml': `enabled = 1\n${SINK_TOML}` } });
    expect(wrong.problem).toBeDefined();
    expect(reloadConnector(createInputs(), wrong).problem).toBeUndefined();
  });

  it('given_a_file_that_is_wrong_now_should_say_what_is', () => {
    const inputs = createInputs({ files: { 'connectors/sink.toml': `enabled = 1\n${SINK_TOML}` } });
    expect(reloadConnector(inputs, before).problem?.message).toContain('enabled (sink.toml) is 1');
  });

  it('given_a_newer_version_in_another_file_should_take_it', () => {
    const inputs = createInputs({ files: { 'connectors/v2.toml': `version = 2\n${SINK_TOML}` } });
    expect(reloadConnector(inputs, before)).toMatchObject({
      file: '/srv/gate/connectors/v2.toml',
      problem: undefined,
    });
  });

  it.each<[string, TestInputs, string]>([
    [
      'no toml any more',
      { files: { 'connectors/sink.toml': 'nonsense' } },
      'sink.toml is not TOML at line 1',
    ],
    [
      'another connector now',
      { files: { 'connectors/sink.toml': SOURCE_TOML } },
      'sink.toml no longer defines sink "mongodb": put it back',
    ],
    [
      'gone',
      { listDirectory: () => [] },
      'sink.toml no longer defines sink "mongodb": put it back',
    ],
    [
      'in a directory that is gone',
      {
        listDirectory: () => {
          throw Object.assign(new Error('gone'), { code: 'ENOENT' });
        },
      },
      'connectors.config_dir is "/srv/gate/connectors", which cannot be read: there is no such',
    ],
  ])('given_a_file_that_is_%s_should_refuse_the_connector', (_what, inputs, problem) => {
    const reloaded = reloadConnector(createInputs(inputs), before);
    expect(reloaded).toMatchObject({
      type: 'sink',
      key: 'mongodb',
      problem: { kind: 'invalid-config' },
    });
    expect(reloaded.problem?.message).toContain(problem);
  });

  it('given_a_config_toml_that_is_broken_now_should_not_mind', () => {
    const inputs = createInputs({ files: { 'config.toml': `${CONFIG_TOML}\nnonsense` } });
    expect(reloadConnector(inputs, before).problem).toBeUndefined();
  });
});
