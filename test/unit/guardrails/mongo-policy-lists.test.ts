import { describe, expect, it } from '@jest/globals';
import { UUID } from 'mongodb';
import {
  mongoPolicyOf,
  mongoVerdict,
  PIPELINE_CONTAINERS,
  withMaps,
} from '../../support/mongo-policies.ts';
import type { MongoDocument } from '../../support/mongo-policies.ts';

const REMOVE = { findAndModify: 'c', query: {}, remove: true };
const PIPELINE_UPDATE = [{ $set: { a: 1 } }, { $unset: 'b' }];

/** Both spellings of a command must have one verdict. */
function verdicts(rules: { allow?: string[]; deny?: string[] }, command: MongoDocument): string {
  const policy = mongoPolicyOf(rules);
  const verdict = mongoVerdict(policy, command);
  expect(mongoVerdict(policy, withMaps(command))).toBe(verdict);
  return verdict;
}

describe('a deny list', () => {
  it.each<[string[], MongoDocument, string]>([
    [['drop'], { drop: 'c' }, 'Command drop is'],
    [['DROP'], { drop: 'c' }, 'Command drop is'],
    [['drop'], { DROP: 'c' }, 'Command drop is'],
    [['drop'], { explain: { drop: 'c' } }, 'Command drop is'],
    [['drop'], { applyOps: [{ op: 'c', o: { drop: 'c' } }] }, 'Command drop is'],
    [
      ['drop'],
      { applyOps: [{ op: 'c', o: { applyOps: [{ op: 'c', o: { drop: 'c' } }] } }] },
      'Command drop is',
    ],
    [['drop'], { applyOps: [{ op: {}, o: { drop: 'c' } }] }, 'Command drop is'],
    [
      ['drop'],
      { renameCollection: 'a.b', to: 'a.c', dropTarget: true },
      'Command drop, which renameCollection does here, is',
    ],
    [['isMaster'], { hello: 1 }, 'Command hello is'],
    [['hello'], { ismaster: 1 }, 'Command hello is'],
    [['dropIndexes'], { deleteIndexes: 'c', index: '*' }, 'Command dropIndexes is'],
    [['findAndModify'], { findandmodify: 'c' }, 'Command findAndModify is'],
    [['delete'], { clusterDelete: 'c', deletes: [] }, 'Command delete is'],
    [['delete'], REMOVE, 'Command delete, which findAndModify does here, is'],
    [['update'], { ...REMOVE, remove: false, update: {} }, 'Command update, which findAndModify'],
    [['insert'], { findAndModify: 'c', update: {}, upsert: true }, 'Command insert, which findAnd'],
    [
      ['insert'],
      { update: 'c', updates: [{ q: {}, u: {}, upsert: true }] },
      'Command insert, whic',
    ],
    [['insert'], { bulkWrite: 1, ops: [{ insert: 0 }], nsInfo: [] }, 'Command insert, which bulk'],
    [
      ['delete'],
      { bulkWrite: 1, ops: [{ update: 0 }, { delete: 0 }] },
      'Command delete, which bul',
    ],
    [['update'], { bulkWrite: 1, ops: [{ update: 0 }] }, 'Command update, which bulkWrite'],
    [['insert'], { bulkWrite: 1, ops: [{ update: 0, upsert: 1 }] }, 'Command insert, which bulkWr'],
    [['insert'], { applyOps: [{ op: 'i', ns: 'a.b', o: {} }] }, 'Command insert, which applyOps'],
    [['update'], { applyOps: [{ op: 'u', ns: 'a.b', o: {} }] }, 'Command update, which applyOps'],
    [['delete'], { applyOps: [{ op: 'd', ns: 'a.b', o: {} }] }, 'Command delete, which applyOps'],
    [['aggregate'], { explain: { aggregate: 'c', pipeline: [] } }, 'Command aggregate is'],
    [['explain'], { explain: { find: 'c' } }, 'Command explain is'],
    [['eval'], { $eval: 'x' }, 'Command eval is'],
  ])('of %j refuses %j', (deny, command, message) => {
    expect(verdicts({ deny }, command)).toMatch(`42501 ${message}`);
    expect(verdicts({ deny }, command)).toMatch(/is on the deny list$/);
  });

  it.each<[string[], MongoDocument]>([
    [['drop'], { find: 'drop', filter: { drop: 1 } }],
    [['drop'], { dropDatabase: 1 }],
    [['drop'], { renameCollection: 'a.b', to: 'a.c', dropTarget: false }],
    [['drop'], { applyOps: [{ op: 'n', ns: '', o: { drop: 'c' } }] }],
    [['drop', '$out'], { insert: 'c', documents: [{ drop: 1, $out: { drop: 1 } }] }],
    [['delete'], { ...REMOVE, remove: false, update: {} }],
    [['insert'], { update: 'c', updates: [{ q: {}, u: {} }, 'x', null] }],
    [['update'], { bulkWrite: 1, ops: [{ insert: 0, document: { update: 1 } }, 'x'] }],
    [['aggregate:$out'], { aggregate: 'c', pipeline: [{ $merge: 'd' }] }],
    [['aggregate:$set'], { update: 'c', updates: [{ q: {}, u: PIPELINE_UPDATE }] }],
    [['$set'], { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } } }] }],
    [['$set'], { findAndModify: 'c', update: { $set: { a: 1 } } }],
    [['$match'], { find: 'c', filter: { pipeline: [{ match: 1 }], u: ['$match'], $match: 1 } }],
    [['find'], { aggregate: 'c', pipeline: [{ $_internalInhibitOptimization: {} }] }],
  ])('of %j admits %j', (deny, command) => {
    expect(verdicts({ deny }, command)).toBe('admitted');
  });

  it.each(Object.entries(PIPELINE_CONTAINERS))('finds a stage in %s', (_, contain) => {
    for (const stage of ['$out', '$merge', '$lookup', '$currentOp', '$sample']) {
      const pipeline = contain([{ [stage]: {} }]);
      for (const command of [
        { aggregate: 'c', pipeline, cursor: {} },
        { aggregate: 1, pipeline, cursor: {} },
        { clusterAggregate: 'c', pipeline },
        { explain: { aggregate: 'c', pipeline }, verbosity: 'queryPlanner' },
      ]) {
        const message = `42501 Stage ${stage} of aggregate is on the deny list`;
        expect(verdicts({ deny: [stage] }, command)).toBe(message);
        expect(verdicts({ deny: [`aggregate:${stage}`] }, command)).toBe(message);
        expect(verdicts({ deny: [`create:${stage}`] }, command)).toBe('admitted');
      }
    }
  });

  it.each<[string, string, (pipeline: unknown[]) => MongoDocument]>([
    ['a view', 'create', (pipeline) => ({ create: 'v', viewOn: 'c', pipeline })],
    ['a changed view', 'collMod', (pipeline) => ({ collMod: 'v', viewOn: 'c', pipeline })],
    ['an update', 'update', (u) => ({ update: 'c', updates: [{ q: {}, u }] })],
    ['findAndModify', 'findAndModify', (update) => ({ findAndModify: 'c', update })],
    ['findandmodify', 'findAndModify', (update) => ({ findandmodify: 'c', update })],
    [
      'bulkWrite',
      'bulkWrite',
      (updateMods) => ({ bulkWrite: 1, ops: [{ update: 0, filter: {}, updateMods }] }),
    ],
    [
      '$merge',
      'aggregate',
      (whenMatched) => ({ aggregate: 'c', pipeline: [{ $merge: { into: 'd', whenMatched } }] }),
    ],
    [
      'a view in applyOps',
      'create',
      (pipeline) => ({ applyOps: [{ op: 'c', o: { create: 'v', viewOn: 'c', pipeline } }] }),
    ],
  ])('finds a stage in %s', (_, command, contain) => {
    const rules = { deny: [`${command}:$replaceRoot`] };
    const message = `42501 Stage $replaceRoot of ${command} is on the deny list`;
    expect(verdicts(rules, contain([{ $set: {} }, { $replaceRoot: {} }]))).toBe(message);
    expect(verdicts(rules, contain([{ $set: {} }]))).toBe('admitted');
  });

  it('refuses a stage that it does not know when it names one', () => {
    const command = { aggregate: 'c', pipeline: [{ $_internalSplitPipeline: {} }] };
    const unknown = '42501 Stage "$_internalSplitPipeline" of aggregate is not known to the policy';
    expect(verdicts({ deny: ['$out'] }, command)).toBe(unknown);
    expect(verdicts({ deny: ['drop'] }, command)).toBe('admitted');
  });

  it.each<[string, unknown]>([
    ['$out', 'd'],
    ['$merge', { inline: 1, merge: 'd' }],
    ['$merge', { reduce: 'd', db: 'e' }],
    ['$out', { replace: 'd' }],
  ])('takes what mapReduce writes for %s', (stage, out) => {
    const command = { mapReduce: 'c', map: 'f', reduce: 'g', out };
    const message = `42501 Stage ${stage} of mapReduce is on the deny list`;
    expect(verdicts({ deny: [stage] }, command)).toBe(message);
  });

  it.each([['_shardsvrDropCollection'], ['frob'], ['']])(
    'does not admit the command %j, which it does not know',
    (name) => {
      const message = `42501 Command ${JSON.stringify(name)} is not known to the policy`;
      expect(verdicts({ deny: ['drop'] }, { [name]: 1 })).toBe(message);
      expect(verdicts({}, { [name]: 1 })).toBe('admitted');
    },
  );

  it('does not admit a document that has no command', () => {
    expect(verdicts({ deny: ['drop'] }, {})).toBe('42501 Command "" is not known to the policy');
  });
});

describe('an allow list', () => {
  it.each<[string[], MongoDocument]>([
    [['find'], { find: 'c', filter: {} }],
    [['FIND'], { find: 'c' }],
    [['aggregate'], { aggregate: 'c', pipeline: [{ $out: 'd' }] }],
    [['aggregate'], { aggregate: 'c', pipeline: [{ $newInVersion9: 1 }] }],
    [['aggregate:$match'], { aggregate: 'c', pipeline: [{ $match: {} }, { $match: {} }] }],
    [['aggregate:$match'], { aggregate: 'c', pipeline: [] }],
    [
      ['aggregate:$match', '$group'],
      { aggregate: 'c', pipeline: [{ $match: {} }, { $group: {} }] },
    ],
    [['explain', 'find'], { explain: { find: 'c' } }],
    [['update'], { update: 'c', updates: [{ q: {}, u: PIPELINE_UPDATE, upsert: true }] }],
    [['findAndModify'], REMOVE],
    [['bulkWrite'], { bulkWrite: 1, ops: [{ delete: 0 }] }],
    [['hello'], { isMaster: 1 }],
  ])('of %j admits %j', (allow, command) => {
    expect(verdicts({ allow }, command)).toBe('admitted');
  });

  it.each<[string[], MongoDocument, string]>([
    [['find'], { count: 'c' }, 'Command count'],
    [['find'], { explain: { find: 'c' } }, 'Command explain'],
    [['explain'], { explain: { find: 'c' } }, 'Command find'],
    [['explain', 'find'], { explain: { drop: 'c' } }, 'Command drop'],
    [['$match'], { aggregate: 'c', pipeline: [{ $match: {} }] }, 'Command aggregate'],
    [['$match'], { create: 'c' }, 'Command create'],
    [
      ['aggregate:$match'],
      { aggregate: 'c', pipeline: [{ $match: {} }, { $facet: { a: [] } }] },
      'Stage $facet of aggregate',
    ],
    [
      ['aggregate:$lookup'],
      { aggregate: 'c', pipeline: [{ $lookup: { from: 'c', pipeline: [{ $unwind: '$a' }] } }] },
      'Stage $unwind of aggregate',
    ],
    [
      ['aggregate:$match', 'create'],
      { aggregate: 'c', pipeline: [{ $newInVersion9: 1 }] },
      'Stage "$newInVersion9" of aggregate',
    ],
    [['applyOps'], { applyOps: [{ op: 'c', o: { create: 'c' } }] }, 'Command create'],
  ])('of %j refuses %j', (allow, command, what) => {
    expect(verdicts({ allow }, command)).toBe(`42501 ${what} is not on the allow list`);
  });

  it('does not outweigh the deny list', () => {
    const rules = { allow: ['aggregate'], deny: ['aggregate:$out'] };
    expect(verdicts(rules, { aggregate: 'c', pipeline: [] })).toBe('admitted');
    expect(verdicts(rules, { aggregate: new UUID(), pipeline: [{ $out: 'c' }] })).toBe(
      '42501 Stage $out of aggregate is on the deny list',
    );
  });
});
