import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { mongodbSinkConfigSchema } from '../../../src/connectors/mongodb-sink-config.ts';
import { sinkConfig } from '../../support/sink-messages.ts';

describe('The configuration of a MongoDB sink', () => {
  it('given_required_fields_should_fill_in_the_defaults_of_the_specification', () => {
    expect(sinkConfig()).toEqual({
      connection_uri: 'mongodb://localhost',
      database: 'shop',
      collection: 'orders',
      auto_create_collection: false,
      batch_size: 100,
      include_metadata: true,
      include_checksum: true,
      include_origin_timestamp: true,
      include_headers: false,
      payload_format: 'binary',
      id_strategy: 'message_id',
      max_retries: 3,
      retry_delay: '1s',
      on_failure: 'halt',
      verbose_logging: false,
    });
  });

  it.each(['connection_uri', 'database', 'collection'])('given_no_%s_should_name_it', (field) => {
    const { success, error } = mongodbSinkConfigSchema.safeParse({
      ...sinkConfig(),
      [field]: undefined,
    });
    expect(success).toBe(false);
    expect(error?.issues[0]?.path).toEqual([field]);
  });

  it.each([
    ['batch_size', 0],
    ['batch_size', 100_001],
    ['batch_size', 1.5],
    ['max_pool_size', 0],
    ['max_retries', -1],
    ['retry_delay', '1 fortnight'],
    ['retry_delay', 'soon'],
    ['payload_format', 'avro'],
    ['id_strategy', 'uuid'],
    ['on_failure', 'ignore'],
    ['include_metadata', 'yes'],
    ['database', 'a.b'],
    ['database', '$external'],
    ['database', ''],
    ['database', 'd'.repeat(64)],
    ['collection', 'a$b'],
    ['collection', 'system.users'],
    ['collection', 'a..b'],
    ['collection', '.a'],
    ['collection', ''],
    ['collection', 'c'.repeat(256)],
    ['connection_uri', ''],
    ['dead_letter_collection', 'orders'],
    ['dead_letter_collection', 'a\0b'],
  ])('given_%s_%j_should_refuse_it_by_name', (field, value) => {
    const { error } = mongodbSinkConfigSchema.safeParse({ ...sinkConfig(), [field]: value });
    expect(error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });

  it('given_an_unknown_field_should_refuse_it', () => {
    const { error } = mongodbSinkConfigSchema.safeParse({ ...sinkConfig(), batchsize: 5 });
    expect(error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['batchsize'] });
  });

  it.each([
    ['payload_format', 'text'],
    ['retry_delay', '1m 30s'],
    ['collection', 'orders.created'],
    ['dead_letter_collection', 'broken'],
    ['max_pool_size', 5],
  ])('given_%s_%j_should_take_it', (field, value) => {
    expect(sinkConfig({ [field]: value })).toMatchObject({ [field]: value });
  });

  it('given_the_schema_should_mark_the_secret_and_describe_every_field', () => {
    expect(mongodbSinkConfigSchema.shape.connection_uri.meta()).toMatchObject({ secret: 'uri' });
    for (const field of Object.values(mongodbSinkConfigSchema.shape)) {
      expect(z.globalRegistry.get(field)?.description ?? '').not.toBe('');
    }
  });
});
