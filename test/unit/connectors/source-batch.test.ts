import { describe, expect, it } from '@jest/globals';
import { Binary, BSON, BSONRegExp, BSONSymbol, Code, ObjectId } from 'mongodb';
import { BatchMaker } from '../../../src/connectors/source-batch.ts';
import type { BatchOptions, MadeBatch } from '../../../src/connectors/source-batch.ts';
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
      isCut: false,
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

  const BROKEN = Buffer.concat([int32(2), Buffer.from([0xff, 0])]);
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
    [
      'a document that looks like a Long',
      Buffer.from(BSON.serialize({ _id: 1, p: 1, v: { $numberLong: '5' } })),
      'takes for another one in "v"',
    ],
    [
      'an _id that looks like a date within a document',
      Buffer.from(BSON.serialize({ _id: { a: { $date: '2026-02-21T10:00:00Z' } }, p: 1, v: 1 })),
      'takes for another one in "_id"',
    ],
    ['broken text', document(ID, P, element(0x02, 'v', BROKEN)), 'broken text in "v"'],
  ])('given_%s_to_order_by_should_stop_whatever_the_policy_says', (_name, bson, said) => {
    const { maker } = createMaker({ trackingField: 'v', isSkipping: true });
    const made = maker.make([...documents({ _id: 0, p: 1, v: 0 }), bson], POLL_TIME);
    expect(made.messages).toHaveLength(1);
    expect(made.failure).toMatchObject({
      kind: 'invalid-record',
      message: expect.stringContaining(said),
    });
  });

  it.each([
    ['a document with fields', { a: 1, b: { c: [] } }],
    ['a UUID', new Binary(Buffer.alloc(16, 7), Binary.SUBTYPE_UUID)],
    ['an old binary', new Binary(Buffer.from([1, 2]), 2)],
    ['a regular expression', new BSONRegExp('a', 'i')],
    ['code', new Code('f()')],
    ['a symbol', new BSONSymbol('abc')],
    ['a text beyond ASCII', 'żółć'],
  ])('given_%s_to_order_by_should_go_on_behind_it', (_name, v) => {
    const { maker } = createMaker({ trackingField: 'v' });
    expect(maker.make(documents({ _id: 1, p: 1, v }), POLL_TIME).failure).toBeUndefined();
  });

  describe('where several documents may have one place', () => {
    const alike = documents({ _id: 1, p: 1, v: 5 }, { _id: 2, p: 2, v: 5 }, { _id: 2, p: 3, v: 5 });
    const beyond = alike.at(-1);

    function makeOf(some: readonly Uint8Array[], following?: Uint8Array): MadeBatch {
      const { maker } = createMaker({ trackingField: 'v', isSkipping: true });
      return maker.make(some, POLL_TIME, { beyond: following });
    }

    it.each([
      ['within_the_batch', alike, undefined],
      ['at_its_end', alike.slice(0, 2), beyond],
    ])(
      'given_two_alike_%s_should_stop_before_both_and_say_what_to_do',
      (_name, some, following) => {
        const made = makeOf(some, following);
        expect(made.messages).toHaveLength(1);
        expect(made.position).toContain('"_id":{"$numberInt":"1"}');
        expect(made.failure).toMatchObject({
          kind: 'invalid-record',
          message: expect.stringMatching(
            /shop\.orders have the _id \{"\$numberInt":"2"\}.*give each/,
          ),
        });
      },
    );

    it('given_none_alike_should_carry_all', () => {
      const others = documents({ _id: 1, p: 1, v: 5 }, { _id: 2, p: 2, v: 5 }, { _id: 2, p: 2 });
      expect(makeOf(others.slice(0, 2), others[2])).toMatchObject({ failure: undefined });
      expect(makeOf(others).messages).toHaveLength(3);
    });

    it('given_a_collection_where_none_can_be_should_not_look', () => {
      const { maker } = createMaker({ trackingField: 'v' });
      expect(maker.make(alike, POLL_TIME).messages).toHaveLength(3);
    });
  });

  it('given_ids_that_a_state_has_no_room_for_should_end_the_batch_before', () => {
    const ids = Array.from({ length: 20 }, (_, index) => `${index}${'"'.repeat(500_000)}`);
    const some = documents(...ids.map((_id) => ({ _id, p: 1 })));
    const made = createMaker({ isSettled: true }).maker.make(some, POLL_TIME);
    // Each quotation mark is four bytes of the state.
    expect(made).toMatchObject({ isCut: true, failure: undefined });
    expect(made.sent).toHaveLength(9);
    expect(made.messages).toHaveLength(9);
    expect(made.position).toContain(JSON.stringify(ids[8]).slice(0, 100));
    const kept = createMaker({ isSettled: false }).maker.make(some, POLL_TIME);
    expect(kept).toMatchObject({ isCut: false });
    expect(kept.messages).toHaveLength(20);
  });

  it('given_a_document_that_was_given_up_should_send_only_another_version_of_it', () => {
    const { maker } = createMaker({ isSettled: true, isSkipping: true });
    const [before, after] = [documents({ _id: 1, p: 1 }), documents({ _id: 1, p: 2 })];
    const [sent] = maker.make(before, POLL_TIME).sent;
    if (sent === undefined) {
      throw new Error('Nothing is owed');
    }
    maker.giveUp(sent, 'it is odd');
    const again = maker.make(before, POLL_TIME);
    expect(again).toMatchObject({ messages: [], sent: [], skippedCount: 0, failure: undefined });
    expect(again.position).toBeDefined();
    expect(maker.make(after, POLL_TIME).messages).toHaveLength(1);
  });

  it('given_an_array_on_the_way_to_the_tracking_field_should_stop', () => {
    const { maker } = createMaker({ trackingField: 'a.b' });
    const made = maker.make(documents({ _id: 1, p: 1, a: [{ b: 1 }] }), POLL_TIME);
    expect(made.failure?.message).toContain('an array on the way to "a.b"');
  });
});
