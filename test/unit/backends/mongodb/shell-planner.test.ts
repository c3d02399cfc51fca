import { describe, expect, it, test } from '@jest/globals';
import { BSON } from 'mongodb';
import { parseShell } from '../../../../src/backends/mongodb/shell-parser.ts';
import { planStatement } from '../../../../src/backends/mongodb/shell-planner.ts';
import { ShellSyntaxError } from '../../../../src/backends/mongodb/shell-error.ts';
import type { Plan } from '../../../../src/backends/mongodb/plan.ts';

function plan(text: string): Plan {
  const [statement] = parseShell(text);
  if (statement === undefined || statement.kind === 'sql') {
    throw new Error('No statement of the shell');
  }
  return planStatement(statement, 'shop');
}

/** The first command as it is sent, and where. */
function sent(text: string): unknown {
  const [operation] = plan(text).operations;
  return [operation?.database, BSON.EJSON.parse(BSON.EJSON.stringify(operation?.command ?? {}))];
}

function refusal(text: string): ShellSyntaxError {
  try {
    plan(text);
  } catch (error) {
    if (error instanceof ShellSyntaxError) {
      return error;
    }
    throw error;
  }
  throw new Error(`${text} was understood`);
}

describe('A statement is sent as this command', () => {
  const find = { find: 'c', filter: {} };
  test.each<readonly [string, string, unknown]>([
    ['db.c.find()', 'shop', find],
    ['db.a.b.find()', 'shop', { find: 'a.b', filter: {} }],
    ['db.getCollection("a b").find()', 'shop', { find: 'a b', filter: {} }],
    ['db.getSiblingDB("other").c.find()', 'other', find],
    ['db.find.find()', 'shop', { find: 'find', filter: {} }],
    ['db.c.find({}, {a: 1}, {limit: 2})', 'shop', { ...find, projection: { a: 1 }, limit: 2 }],
    ['db.c.find().sort({a: -1}).skip(1)', 'shop', { ...find, sort: { a: -1 }, skip: 1 }],
    ['db.c.find().limit(-3)', 'shop', { ...find, limit: 3 }],
    ['db.c.find().comment("x").maxTimeMS(5)', 'shop', { ...find, comment: 'x', maxTimeMS: 5 }],
    ['db.c.find({a: 1}).limit(2).count()', 'shop', { count: 'c', query: { a: 1 }, limit: 2 }],
    ['db.c.find().explain()', 'shop', { explain: find, verbosity: 'queryPlanner' }],
    ['db.c.explain(true).find()', 'shop', { explain: find, verbosity: 'allPlansExecution' }],
    ['db.c.findOne()', 'shop', { ...find, limit: 1 }],
    ['db.c.aggregate()', 'shop', { aggregate: 'c', pipeline: [], cursor: {} }],
    [
      'db.c.aggregate({$match: {}}).limit(1)',
      'shop',
      { aggregate: 'c', pipeline: [{ $match: {} }, { $limit: 1 }], cursor: {} },
    ],
    [
      'db.aggregate([{$currentOp: {}}])',
      'shop',
      { aggregate: 1, pipeline: [{ $currentOp: {} }], cursor: {} },
    ],
    ['db.c.insertOne({_id: 1})', 'shop', { insert: 'c', documents: [{ _id: 1 }] }],
    [
      'db.c.updateMany({}, {$set: {a: 1}}, {upsert: true, writeConcern: {w: 1}})',
      'shop',
      {
        update: 'c',
        updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true, upsert: true }],
        writeConcern: { w: 1 },
      },
    ],
    ['db.c.deleteOne({a: 1})', 'shop', { delete: 'c', deletes: [{ q: { a: 1 }, limit: 1 }] }],
    [
      'db.c.createIndex({a: 1, b: -1}, {unique: true})',
      'shop',
      { createIndexes: 'c', indexes: [{ name: 'a_1_b_-1', key: { a: 1, b: -1 }, unique: true }] },
    ],
    [
      'db.c.renameCollection("d")',
      'admin',
      { renameCollection: 'shop.c', to: 'shop.d', dropTarget: false },
    ],
    ['db.runCommand("ping")', 'shop', { ping: 1 }],
    ['db.adminCommand({ping: 1})', 'admin', { ping: 1 }],
    ['{"find": "c", "filter": {}}', 'shop', find],
    ['rs.status()', 'admin', { replSetGetStatus: 1 }],
    [
      'show profile',
      'shop',
      { find: 'system.profile', filter: {}, sort: { $natural: -1 }, limit: 5 },
    ],
  ])('%s', (text, database, command) => {
    expect(sent(text)).toEqual([database, command]);
  });
});

describe('A path', () => {
  it('is read from the answer', () => {
    expect(plan('rs.status().members[0].stateStr').path).toEqual(['members', 0, 'stateStr']);
    expect(plan('db.c.getIndexes()[1].name').path).toEqual([1, 'name']);
  });
});

describe('use', () => {
  it.each(['use other', 'use "other"', 'USE other'])('%s goes on in another database', (text) => {
    expect(plan(text).database).toBe('other');
  });

  it.each(['use', 'use a.b', 'use a b', `use ${'x'.repeat(64)}`])('%s is refused', (text) => {
    expect(refusal(text).sqlState).toBe('42601');
  });
});

describe('What is not known is refused', () => {
  test.each([
    ['db.c.fnd()', '0A000', 'find()'],
    ['db.c.find().srt({})', '0A000', 'sort()'],
    ['db.runComand({})', '0A000', 'runCommand()'],
    ['db.c.find().forEach(1)', '0A000', 'pipeline'],
    ['db.c.find().count().sort({})', '0A000', ''],
    ['db.c.aggregate([]).min({})', '0A000', ''],
    ['show logs', '0A000', 'show dbs'],
    ['foo.bar()', '42601', 'db'],
    ['db.c.find({}, {}, {}, 1)', '42601', ''],
    ['db.c.find({}, {}, {lmit: 1})', '42601', 'limit'],
    ['db.c.find(1)', '42601', ''],
    ['db.c.insertMany({})', '42601', ''],
    ['db.c.bulkWrite([{nope: {}}])', '42601', 'help'],
  ])('%s', (text, sqlState, hint) => {
    const error = refusal(text);
    expect(error.sqlState).toBe(sqlState);
    expect(error.hint).toContain(hint);
  });
});
