import { describe, expect, it } from '@jest/globals';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { describeMongodb } from '../support/mongodb.ts';
import { stageItems } from '../support/mongodb-source.ts';

/** Several values of every type that can be stored, some of them equal across types. */
const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ['MinKey', new MinKey()],
  ['null', null],
  ['NaN', new Double(Number.NaN)],
  ['decimal NaN', Decimal128.fromString('NaN')],
  ['-Infinity', new Double(-Infinity)],
  ['-0', new Double(-0)],
  ['Int32', new Int32(7)],
  ['equal Long', Long.fromNumber(7)],
  ['equal Double', new Double(7)],
  ['equal Decimal128', Decimal128.fromString('7.0')],
  ['Double', new Double(7.5)],
  ['Long above 2^53', Long.fromString('9007199254740993')],
  ['Long next to it', Long.fromString('9007199254740992')],
  ['Infinity', new Double(Infinity)],
  ['decimal Infinity', Decimal128.fromString('Infinity')],
  ['empty text', ''],
  ['text', 'abc'],
  ['equal symbol', new BSONSymbol('abc')],
  ['text that looks like an ObjectId', '507f1f77bcf86cd799439011'],
  ['text beyond ASCII', 'żółć'],
  ['empty document', {}],
  ['document', { a: 1, b: 'x' }],
  [
    'document with numbers as names',
    new Map([
      ['2', 1],
      ['1', 2],
    ]),
  ],
  ['empty binary', new Binary(Buffer.alloc(0))],
  ['binary', new Binary(Buffer.from([1, 2, 3]))],
  ['UUID', new Binary(Buffer.alloc(16, 7), Binary.SUBTYPE_UUID)],
  ['old binary', new Binary(Buffer.from([1, 2]), 2)],
  ['first ObjectId', new ObjectId('000000000000000000000000')],
  ['ObjectId', new ObjectId('507f1f77bcf86cd799439011')],
  ['false', false],
  ['true', true],
  ['date before 1970', new Date(-1)],
  ['date', new Date('2026-01-01T00:00:00.001Z')],
  ['first timestamp', new Timestamp({ t: 0, i: 1 })],
  ['timestamp', new Timestamp({ t: 0xffffffff, i: 0xffffffff })],
  ['regular expression', new BSONRegExp('a', 'i')],
  ['other regular expression', new BSONRegExp('b', '')],
  ['code', new Code('f()')],
  ['MaxKey', new MaxKey()],
];

/** What cannot be an `_id`, or is one already. */
const NO_IDS = new Set([
  ...['regular expression', 'other regular expression', 'equal Long', 'equal Double'],
  ...['equal Decimal128', 'decimal NaN', 'decimal Infinity', 'equal symbol'],
]);

describeMongodb('the order of a MongoDB source', () => {
  const stage = stageItems();
  const { run } = stage;
  async function namesOf(fields: Readonly<Record<string, unknown>>): Promise<unknown[]> {
    const { messages } = await run({ payload_format: 'string', payload_field: 'name', ...fields });
    return messages.map(({ payload }) => payload.toString('utf8'));
  }

  describe('in the order of', () => {
    const indexes = [
      ['no index', undefined],
      ['an index', { value: 1, _id: 1 }],
      ['an index the other way round', { value: -1, _id: -1 }],
    ] as const;

    it.each(indexes)('every type by %s, gives each document once', async (_name, index) => {
      // Of each value three, so that every batch of every size ends between equal ones once.
      const documents = VALUES.flatMap(([name, value], position) =>
        [1, 2, 3].map((copy) => ({ _id: `${copy}-${position}`, name, value })),
      );
      const missing = [1, 2, 3].map((copy) => ({ _id: `${copy}-missing`, name: 'missing' }));
      await stage.items.insertMany([...documents, ...missing]);
      if (index !== undefined) {
        await stage.items.createIndexes([{ key: index, name: 'order' }]);
      }
      const sorted = await stage.items.find({}).sort({ value: 1, _id: 1 }).toArray();
      const expected = sorted.map(({ name }) => name);
      for (const batch_size of [1, 2, 5, 7, 1000]) {
        expect(await namesOf({ tracking_field: 'value', batch_size })).toEqual(expected);
      }
    });

    it('every type of _id, gives each document once', async () => {
      const ids = VALUES.filter(([name]) => !NO_IDS.has(name));
      await stage.items.insertMany(ids.map(([name, _id]) => ({ _id, name })));
      const sorted = await stage.items.find({}).sort({ _id: 1 }).toArray();
      const expected = sorted.map(({ name }) => name);
      expect(expected.length).toBe(ids.length);
      for (const batch_size of [1, 2, 3, 1000]) {
        expect(await namesOf({ batch_size })).toEqual(expected);
      }
    });

    it('equal values and every type of _id, gives each document once', async () => {
      const ids = VALUES.filter(([name]) => !NO_IDS.has(name));
      await stage.items.insertMany(ids.map(([name, _id]) => ({ _id, name, value: 1 })));
      const sorted = await stage.items.find({}).sort({ _id: 1 }).toArray();
      const expected = sorted.map(({ name }) => name);
      for (const batch_size of [1, 3]) {
        expect(await namesOf({ tracking_field: 'value', batch_size })).toEqual(expected);
      }
    });
  });
});
