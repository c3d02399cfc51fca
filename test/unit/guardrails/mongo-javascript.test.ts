import { describe, expect, it } from '@jest/globals';
import { Code, DBRef, ObjectId, UUID } from 'mongodb';
import {
  mongoPolicyOf,
  mongoVerdict,
  PIPELINE_CONTAINERS,
  withMaps,
} from '../../support/mongo-policies.ts';
import type { MongoDocument } from '../../support/mongo-policies.ts';

const refusing = mongoPolicyOf({ isJavaScriptAllowed: false });
const allowing = mongoPolicyOf({ isJavaScriptAllowed: true });

/** What the policy without JavaScript says; the one with it must admit the same command. */
function verdict(command: MongoDocument): string {
  expect(mongoVerdict(allowing, command)).toBe('admitted');
  const answer = mongoVerdict(refusing, command);
  expect(mongoVerdict(refusing, withMaps(command))).toBe(answer);
  return answer;
}

function refusal(name: string, command: string): string {
  return `42501 ${name} in ${command} is server-side JavaScript, which is not enabled`;
}

const WHERE = { $where: 'this.a > 1' };
const FUNCTION = { $function: { body: 'function () {}', args: [], lang: 'js' } };
const ACCUMULATOR = { $accumulator: { init: 'function () {}', lang: 'js' } };

describe('server-side JavaScript in a filter', () => {
  it.each<[string, MongoDocument]>([
    ['at the top', WHERE],
    ['as Code', { $where: new Code('this.a') }],
    ['as Code with a scope', { $where: new Code('this.a', { a: 1 }) }],
    ['as a function', { $where: () => true }],
    ['as a value of any other type', { $where: { a: 1 } }],
    ['as null', { $where: null }],
    ['as nothing', { $where: undefined }],
    ['under $and', { a: 1, $and: [{ b: 1 }, WHERE] }],
    ['under $or', { $or: [{ $and: [{ $or: [WHERE] }] }] }],
    ['under $nor', { $nor: [WHERE] }],
    ['under $not', { a: { $not: WHERE } }],
    ['under $elemMatch', { a: { $elemMatch: WHERE } }],
    ['under $elemMatch and $or', { a: { $elemMatch: { $or: [{ b: WHERE }] } } }],
    ['under $expr', { $expr: { $and: [WHERE] } }],
    ['under a field', { a: WHERE }],
    ['under __proto__', Object.fromEntries([['__proto__', WHERE]])],
    ['under constructor', { constructor: { prototype: WHERE } }],
    ['beside a _bsontype', { _bsontype: 'Long', ...WHERE }],
    ['in an object without a prototype', Object.assign(Object.create(null), WHERE)],
    ['in the fields of a DBRef', { a: new DBRef('c', new ObjectId(), undefined, WHERE) }],
    ['in the id of a DBRef', { a: Object.assign(new DBRef('c', new ObjectId()), { oid: WHERE }) }],
    ['in an array of arrays', { a: [[[WHERE]]] }],
    ['spelt with other capitals', { $Where: '1' }],
    ['spelt with an escape', { '\u0024where': '1' }],
  ])('is found %s', (_, filter) => {
    const found = refusal('$where', 'find');
    expect(verdict({ find: 'c', filter })).toBe(found);
    expect(verdict({ find: 'c', filter: { $and: [{}, filter] } })).toBe(found);
    expect(verdict({ explain: { find: 'c', filter } })).toBe(found);
  });

  it.each<[string, MongoDocument]>([
    ['count', { count: 'c', query: WHERE }],
    ['distinct', { distinct: 'c', key: 'a', query: WHERE }],
    ['delete', { delete: 'c', deletes: [{ q: {} }, { q: WHERE, limit: 0 }] }],
    ['update', { update: 'c', updates: [{ q: WHERE, u: {} }] }],
    ['findAndModify', { findAndModify: 'c', query: WHERE }],
    ['findAndModify', { findandmodify: 'c', query: WHERE }],
    ['bulkWrite', { bulkWrite: 1, ops: [{ delete: 0, filter: WHERE }], nsInfo: [{ ns: 'a.b' }] }],
    ['listCollections', { listCollections: 1, filter: WHERE }],
    ['listDatabases', { listDatabases: 1, filter: WHERE }],
    ['currentOp', { currentOp: 1, ...WHERE }],
    ['create', { create: 'c', validator: WHERE }],
    ['collMod', { collMod: 'c', validator: { $or: [WHERE] } }],
    ['createIndexes', { createIndexes: 'c', indexes: [{ partialFilterExpression: WHERE }] }],
    ['profile', { profile: 1, filter: WHERE }],
    ['aggregate', { aggregate: 'c', pipeline: [{ $match: { $or: [WHERE] } }] }],
    [
      'aggregate',
      { aggregate: 'c', pipeline: [{ $graphLookup: { restrictSearchWithMatch: WHERE } }] },
    ],
    ['aggregate', { aggregate: 'c', pipeline: [{ $geoNear: { query: WHERE } }] }],
    ['find', { applyOps: [{ op: 'c', o: { find: 'c', filter: WHERE } }] }],
    ['applyOps', { applyOps: [], preCondition: [{ ns: 'a.b', q: WHERE }] }],
    ['"frob"', { frob: 1, whatever: [WHERE] }],
  ])('is found in %s', (command, document) => {
    expect(verdict(document)).toBe(refusal('$where', command));
  });
});

describe('server-side JavaScript in an expression', () => {
  it.each(Object.entries(PIPELINE_CONTAINERS))('is found in stages within %s', (_, contain) => {
    for (const [name, stage] of [
      ['$function', { $project: { a: FUNCTION } }],
      ['$function', { $addFields: { a: { $cond: [true, { $let: { in: FUNCTION } }, 1] } } }],
      ['$function', { $match: { $expr: { $gt: [FUNCTION, 1] } } }],
      ['$function', { $redact: FUNCTION }],
      ['$accumulator', { $group: { _id: null, a: ACCUMULATOR } }],
      ['$accumulator', { $bucket: { output: { a: ACCUMULATOR } } }],
      ['$accumulator', { $setWindowFields: { output: { a: ACCUMULATOR } } }],
      ['$where', { $match: { $nor: [WHERE] } }],
      ['$_internalJsEmit', { $project: { a: { $_internalJsEmit: { eval: 'f' } } } }],
      ['$_internalJsReduce', { $group: { _id: 1, a: { $_internalJsReduce: { eval: 'f' } } } }],
    ] as const) {
      const pipeline = contain([stage]);
      const found = refusal(name, 'aggregate');
      expect(verdict({ aggregate: 'c', pipeline })).toBe(found);
      expect(verdict({ explain: { aggregate: 'c', pipeline } })).toBe(found);
      expect(verdict({ create: 'v', viewOn: 'c', pipeline })).toBe(refusal(name, 'create'));
    }
  });

  it.each<[string, MongoDocument]>([
    ['find', { find: 'c', projection: { a: FUNCTION } }],
    ['find', { find: 'c', let: { a: FUNCTION } }],
    ['aggregate', { aggregate: 'c', pipeline: [], let: { a: FUNCTION } }],
    ['aggregate', { aggregate: 'c', pipeline: [{ $lookup: { let: { a: FUNCTION } } }] }],
    [
      'aggregate',
      { aggregate: 'c', pipeline: [{ $merge: { whenMatched: [{ $set: { a: FUNCTION } }] } }] },
    ],
    ['aggregate', { aggregate: 'c', pipeline: [{ $merge: { let: { a: FUNCTION } } }] }],
    ['update', { update: 'c', updates: [{ q: {}, u: [{ $set: { a: FUNCTION } }] }] }],
    ['update', { update: 'c', updates: [{ q: {}, u: {}, c: { a: FUNCTION } }] }],
    ['update', { update: 'c', updates: [{ q: {}, u: {}, arrayFilters: [{ a: FUNCTION }] }] }],
    ['update', { update: 'c', updates: [], let: { a: FUNCTION } }],
    ['delete', { delete: 'c', deletes: [], let: { a: FUNCTION } }],
    ['findAndModify', { findAndModify: 'c', update: [{ $set: { a: FUNCTION } }] }],
    ['bulkWrite', { bulkWrite: 1, ops: [{ update: 0, updateMods: [{ $set: { a: FUNCTION } }] }] }],
    ['collMod', { collMod: 'v', pipeline: [{ $set: { a: FUNCTION } }] }],
  ])('is found in %s', (command, document) => {
    expect(verdict(document)).toBe(refusal('$function', command));
  });
});

describe('server-side JavaScript as a command or a value', () => {
  it.each<[string, MongoDocument]>([
    ['mapReduce', { mapReduce: 'c', map: 'f', reduce: 'g', out: { inline: 1 } }],
    ['mapReduce', { mapreduce: 'c', map: 'f', reduce: 'g', out: { inline: 1 } }],
    ['mapReduce', { explain: { mapReduce: 'c', out: { inline: 1 } } }],
    ['group', { group: { ns: 'c', $reduce: 'f', initial: {} } }],
    ['eval', { eval: 'f' }],
    ['eval', { $eval: 'f', args: [] }],
    ['eval', { applyOps: [{ op: 'c', o: { eval: 'f' } }] }],
  ])('is found in the command %s', (name, command) => {
    expect(verdict(command)).toBe(
      `42501 Command ${name} is server-side JavaScript, which is not enabled`,
    );
  });

  it.each<[string, MongoDocument]>([
    ['find', { find: 'c', filter: { a: new Code('x') } }],
    ['find', { find: 'c', filter: { a: [{ b: new Code('x', {}) }] } }],
    ['find', { find: new Code('x') }],
    ['find', { find: 'c', filter: { a: () => 1 } }],
    ['update', { update: 'c', updates: [{ q: {}, u: { $set: { a: new Code('x') } } }] }],
    ['applyOps', { applyOps: [{ op: 'i', ns: 'a.b', o: { a: new Code('x') } }] }],
  ])('is found as a value of %s', (command, document) => {
    expect(verdict(document)).toBe(refusal('Code', command));
  });

  it.each<[string, MongoDocument]>([
    ['insert', { insert: 'system.js', documents: [{ _id: 'f', value: new Code('x') }] }],
    ['insert', { insert: new UUID(), documents: [{ value: new Code('x') }] }],
    [
      'bulkWrite',
      {
        bulkWrite: 1,
        ops: [{ insert: 1, document: { value: new Code('x') } }],
        nsInfo: [{ ns: 'a.b' }, { ns: 'a.system.js' }],
      },
    ],
    [
      'bulkWrite',
      {
        bulkWrite: 1,
        ops: [{ insert: 0, document: { value: new Code('x') } }],
        nsInfo: [{ ns: new UUID() }],
      },
    ],
  ])('is found where %s would store it for the server to run', (command, document) => {
    expect(verdict(document)).toBe(refusal('Code', command));
  });

  it('is found in a view that is inserted as a document', () => {
    const view = { _id: 'a.v', viewOn: 'c', pipeline: [{ $project: { a: FUNCTION } }] };
    const command = { insert: 'system.views', documents: [view] };
    expect(verdict(command)).toBe(refusal('$function', 'insert'));
  });
});

describe('what is no JavaScript', () => {
  it.each<[string, MongoDocument]>([
    [
      'a text that reads like an operator',
      { find: 'c', filter: { a: '$where', b: ['$function'] } },
    ],
    ['a text that reads like code', { find: 'c', filter: { a: 'function () {}' } }],
    ['an operator with another name', { find: 'c', filter: { $expr: { $eq: ['$function', 1] } } }],
    ['a field with such a name', { find: 'c', filter: { where: 1, function: 2, 'a.where': 3 } }],
    ['a name of a field', { distinct: 'c', key: '$where' }],
    ['a regular expression', { find: 'c', filter: { a: /\$where/ } }],
    [
      'a document to insert',
      { insert: 'c', documents: [WHERE, { a: FUNCTION, b: new Code('x') }] },
    ],
    [
      'a document to insert with others',
      {
        bulkWrite: 1,
        ops: [{ insert: 0, document: { ...WHERE, a: new Code('x') } }],
        nsInfo: [{ ns: 'a.b' }],
      },
    ],
    ['a field called group', { aggregate: 'c', pipeline: [{ $group: { _id: '$eval' } }] }],
  ])('is not taken for it: %s', (_, command) => {
    expect(verdict(command)).toBe('admitted');
  });
});
