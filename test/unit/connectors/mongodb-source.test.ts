import { describe, expect, it } from '@jest/globals';
import { formatState } from '../../../src/connectors/source-state.ts';
import { createTestSource, NEVER } from '../../support/mongodb-source.ts';

const NOWHERE = { uri: 'mongodb://app:secret@127.0.0.1:1/?serverSelectionTimeoutMS=1', name: 'db' };

describe('createMongodbSource', () => {
  it('given_a_poll_interval_should_tell_it_in_milliseconds', () => {
    expect(createTestSource(NOWHERE).source.pollIntervalMs).toBe(10_000);
    const { source } = createTestSource(NOWHERE, { poll_interval: '1m 30s' });
    expect(source.pollIntervalMs).toBe(90_000);
  });

  it('given_a_projection_that_changes_the_order_should_refuse_it', () => {
    const fields = { tracking_field: 'at', projection: '{"at":{"$toString":"$at"}}' };
    expect(() => createTestSource(NOWHERE, fields)).toThrow(
      expect.objectContaining({
        kind: 'invalid-config',
        message: expect.stringContaining('projection cannot be used'),
      }),
    );
  });

  it('given_connection_uri_with_credentials_should_redact', async () => {
    const { source, log } = createTestSource(NOWHERE);
    const opening = source.open(undefined, NEVER);
    await expect(opening).rejects.toMatchObject({
      kind: 'init',
      message: expect.not.stringContaining('secret'),
    });
    await source.close();
    expect(log).toMatchObject({ notes: [], warnings: [] });
  });

  it('given_a_foreign_state_should_refuse_before_it_connects', async () => {
    const { source } = createTestSource(NOWHERE);
    const other = { database: 'db', collection: 'others', trackingField: '_id' };
    const state = formatState(
      { lastPollTime: undefined, offset: undefined, processedDocuments: 0, pending: [] },
      other,
    );
    await expect(source.open(state, NEVER)).rejects.toMatchObject({ kind: 'invalid-state' });
  });

  it('given_a_stop_should_not_connect', async () => {
    const { source } = createTestSource(NOWHERE);
    const reason = new Error('stopped');
    await expect(source.open(undefined, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('given_no_connection_should_refuse_to_poll', async () => {
    const { source } = createTestSource(NOWHERE);
    await expect(source.poll(NEVER)).rejects.toThrow('not open');
    expect(await source.acknowledge(NEVER)).toBeUndefined();
  });
});
