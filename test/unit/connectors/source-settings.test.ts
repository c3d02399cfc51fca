import { describe, expect, it } from '@jest/globals';
import { mongodbSourceConfigSchema } from '../../../src/connectors/mongodb-source-config.ts';
import {
  durationMs,
  parseDocument,
  settlementOf,
} from '../../../src/connectors/source-settings.ts';

const REQUIRED = { connection_uri: 'mongodb://a', database: 'd', collection: 'c' };

describe('settlementOf', () => {
  it.each([
    [{}, undefined],
    [{ delete_after_read: true }, { kind: 'delete' }],
    [{ processed_field: 'done' }, { kind: 'mark', field: 'done' }],
  ])('given_%j_should_be_%j', (fields, settlement) => {
    const config = mongodbSourceConfigSchema.parse({ ...REQUIRED, ...fields });
    expect(settlementOf(config)).toEqual(settlement);
  });
});

describe('durationMs', () => {
  it('given_a_duration_should_be_its_milliseconds', () => {
    expect(durationMs('1m 30s')).toBe(90_000);
    expect(() => durationMs('soon')).toThrow(expect.objectContaining({ kind: 'invalid-config' }));
  });
});

describe('parseDocument', () => {
  it('given_extended_json_should_read_it_and_otherwise_name_the_field', () => {
    expect(parseDocument(undefined, 'query_filter')).toBeUndefined();
    expect(parseDocument('{"a":true}', 'query_filter')).toEqual(new Map([['a', true]]));
    expect(() => parseDocument('[]', 'query_filter')).toThrow(
      expect.objectContaining({
        kind: 'invalid-config',
        message: expect.stringContaining('query_filter cannot be read'),
      }),
    );
  });
});
