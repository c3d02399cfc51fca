import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { declareTable } from '../../../src/connectors/connector-file-table.ts';
import { createPlugin, showValues } from '../../../src/connectors/plugin-config.ts';
import { createInputs, pluginSchema, URI } from '../../support/connector-files.ts';

const PLUGIN = createPlugin({
  schema: pluginSchema,
  payloadSchemaOf: ({ payload_format: format }) => (format === 'binary' ? 'raw' : format),
  create: (context: string, config) => ({ context, config }),
});

function configure(toml: Parameters<typeof PLUGIN.configure>[0]['toml']): {
  plugin: ReturnType<typeof PLUGIN.configure>;
  problems: readonly string[];
} {
  const problems: string[] = [];
  const sources = { path: 'plugin_config', file: 'a.toml', toml, env: new Map() };
  return { plugin: PLUGIN.configure(sources, createInputs(), problems), problems };
}

describe('createPlugin', () => {
  it('given_a_configuration_should_create_the_connector_with_it', () => {
    const { plugin } = configure({ connection_uri: URI, database: 'shop', batch_size: 7 });
    const { context, config } = plugin?.create('here') ?? {};
    expect(context).toBe('here');
    expect(config).toMatchObject({ connection_uri: URI, batch_size: 7, is_ordered: true });
  });

  it('given_a_payload_format_should_tell_the_schema_of_it', () => {
    const given = { connection_uri: URI, database: 'shop' };
    expect(configure(given).plugin?.payloadSchema).toBe('raw');
    expect(configure({ ...given, payload_format: 'json' }).plugin?.payloadSchema).toBe('json');
  });

  it('given_a_wrong_configuration_should_create_nothing_and_say_why', () => {
    const { plugin, problems } = configure({ connection_uri: URI });
    expect(plugin).toBeUndefined();
    expect(problems).toEqual(['plugin_config.database (a.toml) is missing: accepted is text']);
  });

  it('given_no_table_at_all_should_name_what_is_required', () => {
    expect(configure(undefined).problems).toEqual([
      'plugin_config.connection_uri (a.toml) is missing: accepted is text that is not empty',
      'plugin_config.database (a.toml) is missing: accepted is text',
    ]);
  });

  it('given_secrets_should_show_them_masked_and_everything_else_with_its_default', () => {
    const { plugin } = configure({
      connection_uri: URI,
      access_key: 'hunter2-of-keys',
      database: 'shop',
      retry_delay: '1m 30s',
    });
    expect(plugin?.shown).toEqual({
      connection_uri: 'mongodb://app***',
      access_key: '***',
      database: 'shop',
      initial_offset: null,
      batch_size: 100,
      is_ordered: true,
      fields: [],
      retry_delay: '1m 30s',
      payload_format: 'binary',
    });
    expect(JSON.stringify(plugin?.shown)).not.toContain('hunter2');
  });
});

describe('showValues', () => {
  const table = declareTable(
    z
      .strictObject({
        wait: z
          .string()
          .transform((text) => text.length)
          .prefault('10s'),
        secret: z.string().meta({ secret: 'text' }).optional(),
        derived: z.string().optional(),
      })
      .transform(({ derived = 'made', ...rest }) => ({ ...rest, derived })),
  );
  const show = (given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
    showValues(table, new Map(Object.entries(given)), table.schema.parse(given));

  it('given_a_value_that_is_transformed_should_show_it_as_it_was_written', () => {
    expect(show({ wait: '5ms' })).toMatchObject({ wait: '5ms' });
  });

  it('given_nothing_should_show_what_the_schema_made_of_it', () => {
    expect(show({})).toEqual({ wait: expect.anything(), secret: null, derived: 'made' });
  });

  it('given_a_secret_that_is_no_text_should_mask_it_too', () => {
    const given = new Map<string, unknown>([['secret', 4711]]);
    expect(showValues(table, given, { wait: 1, derived: '' })).toMatchObject({ secret: '***' });
  });
});
