import { describe, expect, it } from '@jest/globals';
import {
  Binary,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { completeOrder, createPageCommand } from '../../../../src/backends/mongodb/crud-page.ts';
import type { PageField, PageRequest } from '../../../../src/backends/mongodb/crud-page.ts';
import { formatCommand } from '../../../../src/backends/mongodb/crud-text.ts';
import { mongoPolicyOf } from '../../../support/mongo-policies.ts';

const BY_ID = completeOrder([]);
const BY_AGE = completeOrder([{ field: 'age', direction: 'asc' }]);

function pageOf(changes: Partial<PageRequest> = {}): PageRequest {
  return {
    collection: 'people',
    filter: new Map(),
    order: BY_ID,
    select: undefined,
    limit: 10,
    after: undefined,
    ...changes,
  };
}

function stagesOf(changes: Partial<PageRequest>): unknown[] {
  const command = createPageCommand(pageOf(changes));
  const read: unknown = JSON.parse(formatCommand(command));
  return typeof read === 'object' && read !== null && 'pipeline' in read
    ? [read.pipeline].flat()
    : [];
}

function matchOf(changes: Partial<PageRequest>): string {
  return JSON.stringify(stagesOf(changes)[0]);
}

describe('completeOrder', () => {
  it.each<[string, readonly PageField[], string]>([
    ['no order', [], '_id asc'],
    ['one field', [{ field: 'a', direction: 'asc' }], 'a asc, _id asc'],
    ['a descending one', [{ field: 'a', direction: 'desc' }], 'a desc, _id desc'],
    ['the id itself', [{ field: '_id', direction: 'desc' }], '_id desc'],
    [
      'an id in the middle',
      [
        { field: '_id', direction: 'desc' },
        { field: 'a', direction: 'asc' },
      ],
      '_id desc, a asc',
    ],
  ])('ends %s with the id', (_case, order, completed) => {
    const shown = completeOrder(order).map(({ field, direction }) => `${field} ${direction}`);
    expect(shown.join(', ')).toBe(completed);
  });
});

describe('createPageCommand', () => {
  it('asks for one more than the limit, sorted by the id', () => {
    const [match, sort, limit, row] = stagesOf({ filter: new Map([['a', 1]]) });
    expect(match).toEqual({ $match: { a: 1 } });
    expect(sort).toEqual({ $sort: { _id: 1 } });
    expect(limit).toEqual({ $limit: 11 });
    expect(row).toMatchObject({ $replaceWith: { k: ['$_id'], d: '$$ROOT' } });
  });

  it('has the parts of a row in the order in which they are taken apart', () => {
    const row = JSON.stringify(stagesOf({})[3]);
    expect(row).toMatch(/^\{"\$replaceWith":\{"k":\["\$_id"\],"x":\{.*\},"d":"\$\$ROOT"\}\}$/);
  });

  it('selects within the document only', () => {
    const stages = stagesOf({ select: ['name', 'address.city', '__proto__'] });
    expect(JSON.stringify(stages[4])).toBe(
      '{"$project":{"k":1,"x":1,"d.name":1,"d.address.city":1,"d.__proto__":1}}',
    );
    expect(stagesOf({ select: undefined })).toHaveLength(4);
  });

  it('goes on behind an id by a comparison that its index is good for', () => {
    const id = new ObjectId('507f1f77bcf86cd799439011');
    expect(matchOf({ after: [id] })).toBe(
      '{"$match":{"$and":[{},{"$expr":{"$gt":["$_id",' +
        '{"$literal":{"$oid":"507f1f77bcf86cd799439011"}}]}}]}}',
    );
    const order = completeOrder([{ field: '_id', direction: 'desc' }]);
    expect(matchOf({ order, after: [id] })).toContain('{"$lt":["$_id",');
  });

  it('takes the values of a cursor for nothing but values', () => {
    const values = [new Map([['$where', '1']]), '$_id'];
    const text = matchOf({ order: BY_AGE, after: values });
    expect(text).toContain('{"$literal":{"$where":"1"}}');
    expect(text).toContain('{"$literal":"$_id"}');
    expect(text.split('$where')).toHaveLength(text.split('{"$literal":{"$where"').length);
  });

  it('compares field by field, the ones before being equal', () => {
    const order = completeOrder([
      { field: 'a', direction: 'asc' },
      { field: 'b', direction: 'desc' },
    ]);
    const text = matchOf({ order, after: [new Int32(1), new Int32(2), new Int32(3)] });
    const key = (path: string): string =>
      `{"$cond":[{"$eq":[{"$type":"${path}"},"missing"]},null,"${path}"]}`;
    expect(text).toContain(
      [
        `{"$and":[{"$gt":[${key('$a')},{"$literal":1}]}]}`,
        `{"$and":[{"$eq":[${key('$a')},{"$literal":1}]},{"$lt":[${key('$b')},{"$literal":2}]}]}`,
        `{"$and":[{"$eq":[${key('$a')},{"$literal":1}]},{"$eq":[${key('$b')},{"$literal":2}]},` +
          `{"$lt":[${key('$_id')},{"$literal":3}]}]}`,
      ].join(),
    );
  });

  // Arrays come between objects and binary values in BSON's order.
  it.each<[string, unknown, boolean, boolean]>([
    ['an Int32', new Int32(1), true, false],
    ['a Long', Long.fromNumber(1), true, false],
    ['a Double', new Double(1.5), true, false],
    ['a Decimal128', Decimal128.fromString('1'), true, false],
    ['a string', 'a', true, false],
    ['a document', new Map([['a', 1]]), true, false],
    ['bytes', new Binary(Buffer.alloc(1), 0), false, true],
    ['an ObjectId', new ObjectId(), false, true],
    ['a boolean', true, false, true],
    ['a date', new Date(0), false, true],
    ['a timestamp', new Timestamp({ t: 1, i: 1 }), false, true],
    ['null', null, false, false],
    ['MinKey', new MinKey(), false, false],
    ['MaxKey', new MaxKey(), false, false],
  ])('lets an index narrow the search behind %s where no array is lost', (...row) => {
    const [, value, isNarrowUp, isNarrowDown] = row;
    const up = matchOf({ order: BY_AGE, after: [value, new Int32(1)] });
    const byAgeDown = completeOrder([{ field: 'age', direction: 'desc' }]);
    const down = matchOf({ order: byAgeDown, after: [value, new Int32(1)] });
    expect(up.includes('{"$expr":{"$gte":["$age",')).toBe(isNarrowUp);
    expect(down.includes('{"$expr":{"$lte":["$age",')).toBe(isNarrowDown);
  });

  it('is admitted to readers', () => {
    const policy = mongoPolicyOf({ access: 'read-only', isJavaScriptAllowed: false });
    const command = createPageCommand(
      pageOf({ order: BY_AGE, after: [new Int32(1), new Int32(2)], select: ['a'] }),
    );
    expect(policy.admit(command, 'shop')).toBeUndefined();
  });
});
