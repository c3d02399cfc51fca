import { describe, expect, it } from '@jest/globals';
import {
  mongodbSourceConfigSchema,
  payloadFormatOf,
  payloadSchemaOf,
} from '../../../src/connectors/mongodb-source-config.ts';
import type { MongodbSourceConfig } from '../../../src/connectors/mongodb-source-config.ts';

const REQUIRED = { connection_uri: 'mongodb://localhost', database: 'db', collection: 'items' };

function parse(fields: Readonly<Record<string, unknown>> = {}): MongodbSourceConfig {
  return mongodbSourceConfigSchema.parse({ ...REQUIRED, ...fields });
}

function problemsOf(fields: Readonly<Record<string, unknown>>): string[] {
  const parsed = mongodbSourceConfigSchema.safeParse({ ...REQUIRED, ...fields });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('mongodbSourceConfigSchema', () => {
  it('given_required_fields_should_fill_in_the_defaults_of_the_specification', () => {
    expect(parse()).toEqual({
      ...REQUIRED,
      poll_interval: '10s',
      batch_size: 1000,
      tracking_field: '_id',
      snake_case_fields: false,
      include_metadata: false,
      payload_format: 'json',
      delete_after_read: false,
      max_retries: 3,
      retry_delay: '1s',
      on_failure: 'halt',
      verbose_logging: false,
    });
  });

  it('given_every_field_should_keep_them', () => {
    const all = {
      poll_interval: '1m 30s',
      batch_size: 5,
      max_pool_size: 2,
      tracking_field: 'meta.updatedAt',
      initial_offset: '{"$date":"2026-01-01T00:00:00Z"}',
      query_filter: '{"owner":{"$oid":"507f1f77bcf86cd799439011"}}',
      projection: '{"a":1}',
      snake_case_fields: true,
      include_metadata: true,
      payload_field: 'body.text',
      payload_format: 'text',
      delete_after_read: false,
      processed_field: 'flags.sent',
      max_retries: 0,
      retry_delay: '0s',
      on_failure: 'skip',
      verbose_logging: true,
    };
    expect(parse(all)).toEqual({ ...REQUIRED, ...all });
  });

  it.each([
    [{ connection_uri: undefined }, 'connection_uri'],
    [{ connection_uri: '' }, 'connection_uri'],
    [{ database: 'a.b' }, 'database'],
    [{ collection: 'system.views' }, 'collection'],
    [{ collection: '' }, 'collection'],
    [{ poll_interval: '10' }, 'poll_interval'],
    [{ poll_interval: '0s' }, 'poll_interval'],
    [{ poll_interval: 'soon' }, 'poll_interval'],
    [{ batch_size: 0 }, 'batch_size'],
    [{ batch_size: 1.5 }, 'batch_size'],
    [{ batch_size: 100_001 }, 'batch_size'],
    [{ max_pool_size: 0 }, 'max_pool_size'],
    [{ tracking_field: '' }, 'tracking_field'],
    [{ tracking_field: 'a..b' }, 'tracking_field'],
    [{ tracking_field: '$a' }, 'tracking_field'],
    [{ tracking_field: 'a.$b' }, 'tracking_field'],
    [{ initial_offset: '' }, 'initial_offset'],
    [{ initial_offset: 5 }, 'initial_offset'],
    [{ initial_offset: '{"$oid":"x"}' }, 'initial_offset'],
    [{ query_filter: '{' }, 'query_filter'],
    [{ query_filter: '[]' }, 'query_filter'],
    [{ query_filter: '{"a":{"$oid":"x"}}' }, 'query_filter'],
    [{ projection: 'a' }, 'projection'],
    [{ payload_field: 'a.' }, 'payload_field'],
    [{ payload_format: 'xml' }, 'payload_format'],
    [{ delete_after_read: 'yes' }, 'delete_after_read'],
    [{ processed_field: '$set' }, 'processed_field'],
    [{ processed_field: '_id' }, 'processed_field'],
    [{ processed_field: '_id.x' }, 'processed_field'],
    [{ processed_field: 'at', tracking_field: 'at' }, 'processed_field'],
    [{ processed_field: 'm', tracking_field: 'm.at' }, 'processed_field'],
    [{ processed_field: 'at.x', tracking_field: 'at' }, 'processed_field'],
    [{ delete_after_read: true, processed_field: 'done' }, 'processed_field'],
    [{ max_retries: -1 }, 'max_retries'],
    [{ retry_delay: '1 fortnight' }, 'retry_delay'],
    [{ on_failure: 'dead_letter' }, 'on_failure'],
    [{ pollInterval: '1s' }, ''],
  ])('given_%j_should_refuse_and_name_the_field', (fields, field) => {
    expect(problemsOf(fields)).toEqual([expect.stringMatching(`^${field}: `)]);
  });

  it('given_delete_and_mark_should_say_why_they_exclude_each_other', () => {
    const [problem] = problemsOf({ delete_after_read: true, processed_field: 'done' });
    expect(problem).toContain('cannot be set together with delete_after_read');
  });

  it('given_the_fields_should_mark_the_secret_and_describe_each', () => {
    const { shape } = mongodbSourceConfigSchema;
    expect(shape.connection_uri.meta()).toMatchObject({ secret: 'uri' });
    const undescribed = Object.entries(shape).filter(
      ([, field]) => field.description === undefined,
    );
    expect(undescribed).toEqual([]);
  });
});

describe('payloadSchemaOf', () => {
  it.each([
    [undefined, 'json', 'json'],
    ['json', 'json', 'json'],
    ['bson', 'bson', 'raw'],
    ['binary', 'bson', 'raw'],
    ['string', 'string', 'text'],
    ['text', 'string', 'text'],
  ])('given_%s_payload_format_should_be_%s_and_return_schema_%s', (given, format, schema) => {
    const config = parse(given === undefined ? {} : { payload_format: given });
    expect(payloadFormatOf(config)).toBe(format);
    expect(payloadSchemaOf(config)).toBe(schema);
  });
});
