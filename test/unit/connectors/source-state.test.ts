import { describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import {
  FIRST_STATE,
  formatState,
  parseState,
  pendingBytesOf,
} from '../../../src/connectors/source-state.ts';
import type { SourceState } from '../../../src/connectors/source-state.ts';

const FINGERPRINT = { database: 'shop', collection: 'orders', trackingField: 'at' };

const STATE: SourceState = {
  lastPollTime: new Date('2026-02-21T10:00:00.000Z'),
  offset: '{"tracking":{"$numberInt":"1"},"_id":"a"}',
  processedDocuments: 12,
  pending: [{ id: '"a"', sha256: 'ab'.repeat(32) }],
};

const SAVED = {
  last_poll_time: '2026-02-21T10:00:00.000Z',
  tracking_offsets: { orders: '{"tracking":{"$numberInt":"1"},"_id":"a"}' },
  processed_documents: 12,
  fingerprint: { database: 'shop', collection: 'orders', tracking_field: 'at' },
  pending: [{ id: '"a"', sha256: 'ab'.repeat(32) }],
};

describe('formatState', () => {
  it('given_a_state_should_write_the_map_of_the_specification', () => {
    expect(JSON.parse(formatState(STATE, FINGERPRINT))).toEqual(SAVED);
  });

  it('given_any_state_should_write_what_is_read_as_it', () => {
    for (const state of [STATE, FIRST_STATE, { ...STATE, offset: undefined }]) {
      expect(parseState(formatState(state, FINGERPRINT), FINGERPRINT)).toEqual(state);
    }
  });

  it('given_a_collection_named_like_a_property_should_keep_its_offset', () => {
    for (const collection of ['constructor', 'toString', 'a.b', '__proto__']) {
      const fingerprint = { ...FINGERPRINT, collection };
      expect(parseState(formatState(STATE, fingerprint), fingerprint).offset).toBe(STATE.offset);
      const none = formatState({ ...STATE, offset: undefined }, fingerprint);
      expect(parseState(none, fingerprint).offset).toBeUndefined();
    }
  });
});

describe('pendingBytesOf', () => {
  it.each(['"a"', '"é\\u0000"', '{"$oid":"0123456789abcdef01234567"}'])(
    'given_the_id_%s_should_be_what_the_state_grows_by',
    (id) => {
      const pending = [...STATE.pending, { id, sha256: 'cd'.repeat(32) }];
      const grown = Buffer.byteLength(formatState({ ...STATE, pending }, FINGERPRINT));
      const added = grown - Buffer.byteLength(formatState(STATE, FINGERPRINT));
      expect(pendingBytesOf(pending.slice(1))).toBe(added);
    },
  );
});

describe('parseState', () => {
  it('given_a_state_written_by_hand_should_take_its_plain_offset', () => {
    const text = '{"tracking_offsets":{"orders":"2026-01-01"},"processed_documents":0}';
    expect(parseState(text, FINGERPRINT)).toEqual({
      lastPollTime: undefined,
      offset: '2026-01-01',
      processedDocuments: 0,
      pending: [],
    });
  });

  const MESSAGE_PACK = Buffer.from([0x93, 0xa1, 0x61, 0x81, 0xa1, 0x62, 0xa1, 0x63, 0x07]);

  it.each([
    ['', 'damaged'],
    ['null', 'damaged'],
    ['[]', 'damaged'],
    [JSON.stringify(SAVED).slice(0, -1), 'damaged'],
    [JSON.stringify({ ...SAVED, processed_documents: -1 }), 'damaged at processed_documents'],
    [JSON.stringify({ ...SAVED, tracking_offsets: { orders: 5 } }), 'tracking_offsets.orders'],
    [JSON.stringify({ ...SAVED, tracking_offsets: [] }), 'damaged at tracking_offsets'],
    [JSON.stringify({ ...SAVED, tracking_offsets: undefined }), 'damaged at tracking_offsets'],
    [JSON.stringify({ ...SAVED, pending: [{ id: '1', sha256: 'x' }] }), 'pending.0.sha256'],
    [JSON.stringify({ ...SAVED, more: 1 }), 'damaged'],
    [MESSAGE_PACK.toString('utf8'), "Iggy's Rust runtime"],
    [MESSAGE_PACK.toString('latin1'), "Iggy's Rust runtime"],
    ['{"tracking_offsets":{"others":"1"},"processed_documents":0}', 'belongs to shop.others'],
  ])('given_text_%j_should_refuse_to_start', (text, said) => {
    const parse = (): unknown => parseState(text, FINGERPRINT);
    expect(parse).toThrow(ConnectorError);
    expect(parse).toThrow(expect.objectContaining({ kind: 'invalid-state' }));
    expect(parse).toThrow(said);
    expect(parse).toThrow(/move (it|its state) away/);
  });

  it.each([
    { ...FINGERPRINT, database: 'other' },
    { ...FINGERPRINT, collection: 'other' },
    { ...FINGERPRINT, trackingField: '_id' },
  ])('given_a_state_of_other_records_than_%j_should_refuse_to_start', (fingerprint) => {
    expect(() => parseState(formatState(STATE, FINGERPRINT), fingerprint)).toThrow(
      expect.objectContaining({
        kind: 'invalid-state',
        message: expect.stringContaining('belongs to shop.orders by "at"'),
      }),
    );
  });
});
