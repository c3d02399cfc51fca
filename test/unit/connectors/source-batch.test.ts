import { describe, expect, it } from '@jest/globals';
import { BSON, Code, ObjectId } from 'mongodb';
import { BatchMaker } from '../../../src/connectors/source-batch.ts';
import type { BatchOptions } from '../../../src/connectors/source-batch.ts';
import { PayloadEncoder } from '../../../src/connectors/source-document.ts';
import { sha256Of } from '../../../src/connectors/source-message-id.ts';
import { document, element, int32, int64, string } from '../../support/bson-bytes.ts';
import { createLog } from '../../support/mongodb-source.ts';
import type { RecordedLog } from '../../support/mongodb-source.ts';

const POLL_TIME = new Date('2026-02-21T10:00:00.000Z');

function createMaker(options: Partial<BatchOptions> = {}): {
  readonly maker: BatchMaker;
  readonly log: RecordedLog;
} {
  const log = createLog();
  const payloads = new PayloadEncoder({
    format: 'json',
    field: 'p',
    isSnakeCase: false,
    metadata: undefined,
  });
  const maker = new BatchMaker({
    database: 'shop',
    collection: 'orders',
    trackingField: '_id',
    isSkipping: false,
    isSettled: false,
    isWhole: true,
    strip: (bson) => bson,
    payloads,
    log,
    ...options,
  });
  return { maker, log };
}

function documents(...values: readonly object[]): Uint8Array[] {
  return values.map((value) => BSON.serialize(value));
}

describe('BatchMaker', () => {
  it('given_documents_should_make_a_message_of_each_and_say_where_the_last_is', () => {
    const { maker } = createMaker();
    const made = maker.make(documents({ _id: 1, p: 'a' }, { _id: 2, p: 'b' }), POLL_TIME);
    expect(made.messages.map(({ payload }) => payload.toString())).toEqual(['"a"', '"b"']);
    expect(made).toMatchObject({
      position: '{"tracking":{"$numberInt":"2"},"_id":{"$numberInt":"2"}}',
      sent: [],
      skippedCount: 0,
      failure: undefined,
    });
  });

  it('given_no_documents_should_have_no_position', () => {
    expect(createMaker().maker.make([], POLL_TIME)).toEqual({
      messages: [],
      sent: [],
      position: undefined,
      skippedCount: 0,
      failure: undefined,
    });
  });

  it('given_a_document_without_a_time_should_take_that_of_the_poll', () => {
    const made = createMaker().maker.make(documents({ _id: 1, p: 1 }), POLL_TIME);
    expect(made.messages[0]?.headers[0]?.value).toEqual({
      kind: 'uint64',
      value: BigInt(POLL_TIME.getTime()) * 1000n,
    });
  });

  it('given_a_missing_tracking_value_should_be_where_null_is', () => {
    const { maker } = createMaker({ trackingField: 'at.day' });
    for (const at of [{}, { at: null }, { at: { day: null } }]) {
      const made = maker.make(documents({ _id: 'a', p: 1, ...at }), POLL_TIME);
      expect(made.position).toBe('{"tracking":null,"_id":"a"}');
    }
  });

  it('given_documents_to_settle_should_say_what_was_sent', () => {
    const { maker } = createMaker({ isSettled: true });
    const _id = new ObjectId('507f1f77bcf86cd799439011');
    const [bson = Buffer.alloc(0)] = documents({ _id, p: 1 });
    expect(maker.make([bson], POLL_TIME).sent).toEqual([
      { id: '{"$oid":"507f1f77bcf86cd799439011"}', sha256: sha256Of(bson), bson },
    ]);
  });

  it('given_what_is_stripped_should_send_and_know_the_version_by_what_was_read', () => {
    const strip = (): Uint8Array => BSON.serialize({ p: 'stripped' });
    const { maker } = createMaker({ strip });
    const made = maker.make(documents({ _id: 1, p: 'a' }, { _id: 1, p: 'b' }), POLL_TIME);
    expect(made.messages.map(({ payload }) => payload.toString())).toEqual([
      '"stripped"',
      '"stripped"',
    ]);
    expect(new Set(made.messages.map(({ id }) => id)).size).toBe(2);
  });

  it('given_a_document_that_cannot_be_carried_should_stop_before_it', () => {
    const { maker, log } = createMaker();
    const made = maker.make(documents({ _id: 1, p: 1 }, { _id: 2 }, { _id: 3, p: 3 }), POLL_TIME);
    expect(made.messages).toHaveLength(1);
    expect(made.position).toContain('"_id":{"$numberInt":"1"}');
    expect(made.failure).toMatchObject({
      kind: 'invalid-record',
      message:
        'The document with _id {"$numberInt":"2"} of shop.orders cannot be sent: it has no value ' +
        'in payload_field "p"; change it, leave it out by query_filter, or set on_failure to skip',
    });
    expect(log.warnings).toEqual([]);
  });

  it('given_the_policy_to_skip_should_count_and_tell_each_version_once', () => {
    const { maker, log } = createMaker({ isSkipping: true });
    const some = documents({ _id: 1, p: 1 }, { _id: 2 }, { _id: 'x'.repeat(500) });
    const made = maker.make(some, POLL_TIME);
    expect(made).toMatchObject({ skippedCount: 2, failure: undefined });
    expect(made.messages).toHaveLength(1);
    expect(made.position).toContain('xxx');
    expect(log.warnings[0]).toBe(
      'Skipped the document with _id {"$numberInt":"2"} of shop.orders: ' +
        'it has no value in payload_field "p"',
    );
    expect(log.warnings[1]?.length).toBeLessThan(350);
    expect(maker.make(some, POLL_TIME).skippedCount).toBe(0);
    expect(maker.make(documents({ _id: 2, p: null }), POLL_TIME).skippedCount).toBe(1);
    expect(log.warnings).toHaveLength(3);
  });

  const P = element(0x10, 'p', int32(1));
  const ID = element(0x10, '_id', int32(1));

  it('given_a_type_that_cannot_be_compared_should_refuse_to_settle_it', () => {
    const odd = document(ID, P, element(0x06, 'gone'));
    const made = createMaker({ isSettled: true }).maker.make([odd], POLL_TIME);
    expect(made.failure?.message).toContain('deprecated types');
    expect(createMaker().maker.make([odd], POLL_TIME).messages).toHaveLength(1);
    const inPart = createMaker({ isSettled: true, isWhole: false });
    expect(inPart.maker.make([odd], POLL_TIME).messages).toHaveLength(1);
  });

  const FOREIGN = Buffer.concat([string('x'), Buffer.alloc(12)]);

  it.each([
    ['no _id', document(P), 'no _id'],
    ['an array', Buffer.from(BSON.serialize({ _id: 1, p: 1, v: [] })), 'an array in "v"'],
    ['undefined', document(ID, P, element(0x06, 'v')), 'undefined in "v"'],
    ['a DBPointer', document(ID, P, element(0x0c, 'v', FOREIGN)), 'DBPointer in "v"'],
    [
      'code with scope',
      Buffer.from(BSON.serialize({ _id: 1, p: 1, v: new Code('f', { a: 1 }) })),
      'code with scope in "v"',
    ],
    ['a far date', document(ID, P, element(0x09, 'v', int64(2n ** 62n))), 'a date beyond'],
    [
      'an odd document',
      document(ID, P, element(0x03, 'v', document(element(0x06, 'x')))),
      'a deprecated type in "v"',
    ],
    ['an odd _id', document(element(0x06, '_id'), P), 'undefined in "_id"'],
  ])('given_%s_to_order_by_should_stop_whatever_the_policy_says', (_name, bson, said) => {
    const { maker } = createMaker({ trackingField: 'v', isSkipping: true });
    const made = maker.make([...documents({ _id: 0, p: 1, v: 0 }), bson], POLL_TIME);
    expect(made.messages).toHaveLength(1);
    expect(made.failure).toMatchObject({
      kind: 'invalid-record',
      message: expect.stringContaining(said),
    });
  });

  it('given_an_array_on_the_way_to_the_tracking_field_should_stop', () => {
    const { maker } = createMaker({ trackingField: 'a.b' });
    const made = maker.make(documents({ _id: 1, p: 1, a: [{ b: 1 }] }), POLL_TIME);
    expect(made.failure?.message).toContain('an array on the way to "a.b"');
  });
});
