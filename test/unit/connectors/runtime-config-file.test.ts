import { describe, expect, it } from '@jest/globals';
import { parse } from 'smol-toml';
import { refuseForeignTables, sortByTables } from '../../../src/connectors/runtime-config-file.ts';
import type { RuntimeSources } from '../../../src/connectors/runtime-config-file.ts';

interface Sorted {
  readonly sources: RuntimeSources;
  readonly problems: readonly string[];
}

function sort(toml: string, env: Readonly<Record<string, string>> = {}): Sorted {
  const problems: string[] = [];
  const texts = Object.entries(env).map(([name, text]) => ({
    name: `IGGY_CONNECTORS_${name}`,
    text,
  }));
  const sources = sortByTables({ name: 'config.toml', toml: parse(toml) }, texts, problems);
  refuseForeignTables(sources, problems);
  return { sources, problems };
}

describe('sortByTables', () => {
  it('given_inner_tables_should_keep_them_apart_from_the_outer_ones', () => {
    const { sources, problems } = sort('[iggy]\nusername = "u"\n[iggy.tls]\nenabled = true');
    expect(problems).toEqual([]);
    expect(sources.get('iggy')?.toml).toEqual({ username: 'u' });
    expect(sources.get('iggy.tls')?.toml).toEqual({ enabled: true });
    expect(sources.get('state')?.toml).toBeUndefined();
  });

  it('given_empty_texts_should_take_them_for_nothing', () => {
    expect(sort('[iggy]\ntoken = ""\nusername = "u"').sources.get('iggy')?.toml).toEqual({
      username: 'u',
    });
  });

  it('given_variables_should_give_each_to_the_innermost_table', () => {
    const { sources, problems } = sort('', {
      IGGY_ADDRESS: 'iggy',
      IGGY_TLS_ENABLED: 'true',
      HTTP_METRICS_ENDPOINT: '/metrics',
      CONNECTORS_CONFIG_DIR: 'here',
    });
    expect(problems).toEqual([]);
    expect(sources.get('iggy')?.env.get('address')?.text).toBe('iggy');
    expect(sources.get('iggy.tls')?.env.get('enabled')?.text).toBe('true');
    expect(sources.get('http.metrics')?.env.get('endpoint')?.text).toBe('/metrics');
    expect(sources.get('connectors')?.env.get('config_dir')?.text).toBe('here');
  });

  it('given_a_variable_of_no_table_should_name_it', () => {
    expect(sort('', { STATES_PATH: 'x', ENV_PATH: '.env' }).problems).toEqual([
      'IGGY_CONNECTORS_STATES_PATH is not a setting; the nearest known ones are ' +
        'IGGY_CONNECTORS_STATE_…',
      expect.stringContaining('IGGY_CONNECTORS_ENV_PATH is not a setting'),
    ]);
  });

  it.each([
    ['igy = 1', 'igy (config.toml) is not a table; the nearest known one is [iggy]'],
    ['__proto__ = { x = 1 }', '__proto__ (config.toml) is not a table'],
    ['"a b" = 1', 'A key (config.toml) is not a table'],
  ])('given_%j_should_say_that_it_is_no_table', (toml, problem) => {
    expect(sort(toml).problems).toEqual([expect.stringContaining(problem)]);
    expect(Reflect.get({}, 'x')).toBeUndefined();
  });

  it('given_something_else_where_a_table_belongs_should_leave_it_to_be_refused', () => {
    const { sources } = sort('iggy = 3');
    expect(sources.get('iggy')?.toml).toBe(3);
    expect(sources.get('iggy.tls')?.toml).toBeUndefined();
  });
});

describe('refuseForeignTables', () => {
  it.each([
    ['nothing', ''],
    ['a table that is off', '[http.cors]\nenabled = false\nallowed_origins = ["*"]'],
    ['a table that is off by default', '[http.tls]\ncert_file = "x"'],
    ['inner tables', '[telemetry]\nenabled = false\n[telemetry.logs]\ntransport = "grpc"'],
  ])('given_%s_should_take_it', (_what, toml) => {
    expect(sort(toml).problems).toEqual([]);
  });

  it.each([
    ['http.cors', '[http.cors]\nenabled = true'],
    ['http.tls', '[http.tls]\nenabled = "yes"'],
    ['telemetry', '[telemetry]\nenabled = true'],
    ['telemetry', 'telemetry = true'],
  ])('given_%s_that_is_on_should_refuse_it', (place, toml) => {
    expect(sort(toml).problems).toEqual([
      `${place} (config.toml) switches on what Gatepost does not have: leave it out, or set ` +
        `${place}.enabled = false`,
    ]);
  });

  it('given_a_variable_should_count_instead_of_the_file', () => {
    expect(sort('[telemetry]\nenabled = true', { TELEMETRY_ENABLED: 'false' }).problems).toEqual(
      [],
    );
    expect(sort('', { HTTP_CORS_ENABLED: 'true' }).problems).toEqual([
      expect.stringContaining('IGGY_CONNECTORS_HTTP_CORS_ENABLED switches on what'),
    ]);
  });
});
