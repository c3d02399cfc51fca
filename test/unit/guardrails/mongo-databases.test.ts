import { describe, expect, it } from '@jest/globals';
import { UUID } from 'mongodb';
import { COMMAND_WORDS, commandNamed } from '../../../src/guardrails/mongo-commands.ts';
import {
  mongoPolicyOf,
  mongoVerdict,
  PIPELINE_CONTAINERS,
  withMaps,
} from '../../support/mongo-policies.ts';
import type { MongoDocument } from '../../support/mongo-policies.ts';

const hiding = mongoPolicyOf({ hiddenDatabase: 'gatepost' });
const restricted = mongoPolicyOf({}).within(['shop', 'blog']);

function verdict(policy: typeof hiding, command: MongoDocument, database = 'shop'): string {
  const answer = mongoVerdict(policy, command, database);
  expect(mongoVerdict(policy, withMaps(command), database)).toBe(answer);
  return answer;
}

function hidden(command: string): string {
  const own = "Database gatepost is Gatepost's own";
  return `42501 ${own}, and command ${command} names it or may reach it`;
}

function notFor(what: string): string {
  return `42501 ${what}, is not for this account`;
}

/** Stages that reach into a database; the writing ones are last in a pipeline. */
function stagesInto(db: unknown): MongoDocument[] {
  return [
    { $out: { db, coll: 'a' } },
    { $merge: { into: { db, coll: 'a' } } },
    { $lookup: { from: { db, coll: 'a' }, as: 'x', pipeline: [] } },
    { $graphLookup: { from: { db, coll: 'a' }, as: 'x' } },
    { $unionWith: { db, coll: 'a' } },
    { $unionWith: { coll: { db, coll: 'a' } } },
    { $_internalOutToDifferentDB: { db, coll: 'a' } },
    { $MERGE: { into: { db, coll: 'a' } } },
  ];
}

/** Where else than in a pipeline of aggregate a stage may stand. */
const PIPELINE_PLACES: Readonly<Record<string, (pipeline: unknown[]) => MongoDocument>> = {
  aggregate: (pipeline) => ({ aggregate: 'a', pipeline, cursor: {} }),
  explain: (pipeline) => ({ explain: { aggregate: 'a', pipeline, cursor: {} } }),
  'aggregate with explain': (pipeline) => ({ aggregate: 'a', pipeline, explain: true }),
  create: (pipeline) => ({ create: 'v', viewOn: 'a', pipeline }),
  collMod: (pipeline) => ({ collMod: 'v', viewOn: 'a', pipeline }),
  'an insert of a view': (pipeline) => ({
    insert: 'system.views',
    documents: [{ _id: 'shop.v', viewOn: 'a', pipeline }],
  }),
};

describe('A hidden database', () => {
  it.each(COMMAND_WORDS)('is reached by no %s', (word) => {
    const name = commandNamed(word) ?? '';
    expect(verdict(hiding, { [word]: 'a' }, 'gatepost')).toBe(hidden(name));
    expect(verdict(hiding, { [word]: 'a' }, 'GatePost')).toBe(hidden(name));
    expect(verdict(hiding, { [word]: 'a', $db: 'gatepost' })).toBe(hidden(name));
  });

  it.each(stagesInto('gatepost'))('is read and written by no %j', (stage) => {
    for (const place of Object.values(PIPELINE_PLACES)) {
      for (const container of Object.values(PIPELINE_CONTAINERS)) {
        expect(verdict(hiding, place(container([stage])))).toMatch(/^42501 Database gatepost is/);
      }
    }
  });

  it.each(stagesInto('blog'))('does not forbid %j', (stage) => {
    expect(verdict(hiding, { aggregate: 'a', pipeline: [stage] })).toBe('admitted');
  });

  it.each<[string, MongoDocument, string?]>([
    ['renameCollection', { renameCollection: 'gatepost.a', to: 'shop.a' }, 'admin'],
    ['renameCollection', { renameCollection: 'shop.a', to: 'gatepost.a' }, 'admin'],
    ['bulkWrite', { bulkWrite: 1, ops: [], nsInfo: [{ ns: 'gatepost.a' }] }, 'admin'],
    ['mapReduce', { mapReduce: 'a', out: { replace: 'a', db: 'gatepost' } }],
    ['dataSize', { dataSize: 'gatepost.a' }],
    ['copydb', { copydb: 1, fromdb: 'gatepost', todb: 'shop' }, 'admin'],
    ['copydb', { copydb: 1, fromdb: 'shop', todb: 'gatepost' }, 'admin'],
    ['cloneCollection', { cloneCollection: 'gatepost.a', from: 'host' }],
    ['applyOps', { applyOps: [{ op: 'i', ns: 'gatepost.a', o: {} }] }, 'admin'],
    ['applyOps', { applyOps: [{ op: 'c', ns: 'gatepost.$cmd', o: { drop: 'a' } }] }, 'admin'],
    ['applyOps', { applyOps: [{ op: 'u', ns: 'shop.a', ui: new UUID(), o: {} }] }, 'admin'],
    ['eval', { eval: 'db.getSiblingDB("gate" + "post").a.find()' }],
    ['validateDBMetadata', { validateDBMetadata: 1, db: 'gatepost' }, 'admin'],
    ['shardCollection', { shardCollection: 'gatepost.a', key: { _id: 1 } }, 'admin'],
    ['enableSharding', { enableSharding: 'gatepost' }, 'admin'],
    ['movePrimary', { movePrimary: 'gatepost', to: 'shard' }, 'admin'],
    ['createUser', { createUser: 'u', pwd: 'p', roles: [{ role: 'read', db: 'gatepost' }] }],
    [
      'createRole',
      { createRole: 'r', privileges: [{ resource: { db: 'gatepost', collection: '' } }] },
    ],
    ['usersInfo', { usersInfo: { user: 'u', db: 'gatepost' } }],
    ['setQuerySettings', { setQuerySettings: { find: 'a', $db: 'gatepost' } }, 'admin'],
    ['"_internal"', { _internal: 1, namespace: 'gatepost.a' }],
    ['aggregate', { aggregate: 1, pipeline: [{ $changeStream: { allChangesForCluster: true } }] }],
    ['find', { find: 'oplog.rs' }, 'local'],
    ['getMore', { getMore: 5, collection: 'oplog.rs' }, 'local'],
    ['create', { create: 'v', viewOn: 'oplog.rs', pipeline: [] }, 'local'],
    ['find', { find: new UUID() }, 'local'],
    ['aggregate', { aggregate: 'a', pipeline: [{ $lookup: { from: { db: 'local' } } }] }],
  ])('is named by no %s: %j', (command, document, database = 'shop') => {
    expect(verdict(hiding, document, database)).toBe(hidden(command));
  });

  it.each<[MongoDocument, string?]>([
    [{ find: 'gatepost', filter: { db: 'gatepost', $or: [{ a: 'gatepost.a' }] } }],
    [{ insert: 'a', documents: [{ db: 'gatepost', $out: { db: 'gatepost' } }] }],
    [{ aggregate: 'a', pipeline: [{ $match: { db: 'gatepost' } }, { $set: { db: 'gatepost' } }] }],
    [{ aggregate: 'a', pipeline: [{ $out: 'gatepost' }] }],
    [{ aggregate: 'a', pipeline: [{ $lookup: { from: 'gatepost', as: 'gatepost' } }] }],
    [{ aggregate: 'a', pipeline: [{ $merge: { into: 'gatepost' } }] }],
    [{ aggregate: 'a', pipeline: [{ $changeStream: { allChangesForCluster: false } }] }],
    [{ renameCollection: 'shop.gatepost', to: 'shop.a' }, 'admin'],
    [{ bulkWrite: 1, ops: [{ insert: 0, document: { a: 'gatepost.a' } }], nsInfo: [] }, 'admin'],
    [{ createUser: 'u', pwd: 'p', roles: [{ role: 'read', db: 'gateposts' }] }],
    [{ applyOps: [{ op: 'i', ns: 'shop.a', o: {} }] }, 'admin'],
    [{ listDatabases: 1, filter: { name: 'gatepost' } }, 'admin'],
    [{ find: 'startup_log' }, 'local'],
    [{ find: 'oplog.rs' }, 'shop'],
    [{ currentOp: 1, $all: true }, 'admin'],
  ])('does not forbid %j', (command, database = 'shop') => {
    expect(verdict(hiding, command, database)).toBe('admitted');
  });

  it('is hidden from readers and from restricted accounts too, with what to know', () => {
    const policy = mongoPolicyOf({ access: 'read-only', hiddenDatabase: 'gatepost' });
    for (const one of [policy, policy.within(['gatepost', 'shop'])]) {
      expect(one.admit({ find: 'accounts' }, 'gatepost')).toMatchObject({
        sqlState: '42501',
        detail: 'Nothing of the command was sent to MongoDB',
        hint: expect.stringContaining('through Gatepost'),
      });
      expect(verdict(one, { find: 'a' })).toBe('admitted');
      expect(verdict(one, { insert: 'a', documents: [] })).toMatch(/^25006/);
    }
  });
});

/** Commands that a restricted account may send to any database. */
const ANYWHERE = [
  ...['hello', 'ping', 'buildInfo', 'connectionStatus', 'whatsmyuri', 'listCommands'],
  ...['listDatabases', 'startSession', 'refreshSessions', 'isMaster'],
];

describe('An account that is restricted to databases', () => {
  it.each(ANYWHERE)('may send %s to any of them', (name) => {
    for (const database of ['admin', 'other', 'shop']) {
      expect(verdict(restricted, { [name]: 1 }, database)).toBe('admitted');
    }
  });

  it.each([
    ...['find', 'aggregate', 'count', 'distinct', 'getMore', 'insert', 'update', 'delete'],
    ...['findAndModify', 'create', 'drop', 'dropDatabase', 'listCollections', 'listIndexes'],
    ...['createIndexes', 'dropIndexes', 'collMod', 'collStats', 'dbStats', 'killCursors'],
  ])('may send %s to its own only', (name) => {
    for (const database of ['shop', 'blog']) {
      expect(verdict(restricted, { [name]: 'a' }, database)).toBe('admitted');
    }
    for (const database of ['other', 'admin', 'local', 'config', 'Shop', '']) {
      const what = `Database ${database}, which command ${name} is sent to`;
      expect(verdict(restricted, { [name]: 'a' }, database)).toBe(notFor(what));
    }
  });

  it.each([
    ...['shutdown', 'fsync', 'currentOp', 'killOp', 'applyOps', 'copydb', 'clone', 'eval'],
    ...['getLog', 'top', 'hostInfo', 'serverStatus', 'createUser', 'usersInfo', 'setParameter'],
    ...['replSetStepDown', 'shardCollection', 'killAllSessions', 'profile', 'validateDBMetadata'],
    ...['getCmdLineOpts', 'commitTransaction', 'endSessions', 'setQuerySettings', '_internal'],
  ])('may send %s nowhere, as it reaches beyond', (name) => {
    const shown = commandNamed(name) ?? `"${name}"`;
    for (const database of ['shop', 'admin']) {
      const refused = notFor(`Command ${shown}, which reaches beyond one database`);
      expect(verdict(restricted, { [name]: 1 }, database)).toBe(refused);
      expect(verdict(restricted, { explain: { [name]: 1 } }, 'shop')).toBe(refused);
    }
  });

  it('has every known command judged one way or another', () => {
    const answers = COMMAND_WORDS.map((word) => verdict(restricted, { [word]: 1 }, 'other'));
    const admitted = COMMAND_WORDS.filter((_word, index) => answers[index] === 'admitted');
    // A bulkWrite reaches what it names, and this one names nothing.
    expect(admitted.sort()).toEqual([...ANYWHERE, 'bulkWrite', 'clusterBulkWrite'].sort());
  });

  it.each(stagesInto('other'))('has no %j', (stage) => {
    for (const [name, place] of Object.entries(PIPELINE_PLACES)) {
      for (const container of Object.values(PIPELINE_CONTAINERS)) {
        const answer = verdict(restricted, place(container([stage])));
        expect(`${name}: ${answer}`).toMatch(/: 42501 .*, is not for this account$/);
      }
    }
  });

  it.each([
    ...stagesInto('blog').slice(0, 6),
    ...['$out', '$merge'].map((stage) => ({ [stage]: 'other' })),
    { $lookup: { from: 'other', as: 'other' } },
    { $match: { db: 'other' } },
  ])('has %j', (stage) => {
    expect(verdict(restricted, { aggregate: 'a', pipeline: [stage] })).toBe('admitted');
  });

  it.each<[string, MongoDocument]>([
    ['Database other', { renameCollection: 'other.a', to: 'shop.a' }],
    ['Database other', { renameCollection: 'shop.a', to: 'other.a' }],
    ['A database without its name', { renameCollection: new UUID(), to: 'shop.a' }],
    ['Database other', { bulkWrite: 1, ops: [], nsInfo: [{ ns: 'shop.a' }, { ns: 'other.a' }] }],
    ['A database without its name', { bulkWrite: 1, ops: [], nsInfo: [{}] }],
    ['Database other', { dataSize: 'other.a' }],
    ['Database other', { datasize: 'other.a' }],
    ['Database other', { mapReduce: 'a', out: { merge: 'b', db: 'other' } }],
    ['A database without its name', { mapReduce: 'a', out: { merge: 'b', db: 5 } }],
    ['Database other', { find: 'a', $db: 'other' }],
    [
      'All databases together',
      { aggregate: 1, pipeline: [{ $changeStream: { allChangesForCluster: 1 } }] },
    ],
  ])('does not reach %s: %j', (what, command) => {
    const name = commandNamed(Object.keys(command)[0] ?? '') ?? '';
    expect(verdict(restricted, command)).toBe(notFor(`${what}, which command ${name} names`));
  });

  it.each<[MongoDocument]>([
    [{ renameCollection: 'shop.a', to: 'blog.b.c' }],
    [{ bulkWrite: 1, ops: [{ insert: 0, document: { db: 'other' } }], nsInfo: [{ ns: 'shop.a' }] }],
    [{ dataSize: 'blog.a' }],
  ])('reaches its own from the database of administration: %j', (command) => {
    expect(verdict(restricted, command, 'admin')).toBe('admitted');
  });

  it('has no stage that the policy does not know', () => {
    const command = { aggregate: 'a', pipeline: [{ $tomorrow: { db: 'other' } }] };
    const what = 'Stage "$tomorrow" of aggregate, which is not known to the policy';
    expect(verdict(restricted, command)).toBe(notFor(what));
    expect(verdict(mongoPolicyOf({}), command)).toBe('admitted');
  });

  it('reads no more than collections of admin where that is among its databases', () => {
    const policy = mongoPolicyOf({}).within(['admin']);
    expect(verdict(policy, { aggregate: 'a', pipeline: [] }, 'admin')).toBe('admitted');
    expect(verdict(policy, { aggregate: 1, pipeline: [{ $currentOp: {} }] }, 'admin')).toBe(
      notFor('An aggregate of the whole server'),
    );
    expect(verdict(policy, { shutdown: 1 }, 'admin')).toMatch(/^42501/);
  });

  it('is told which its databases are', () => {
    expect(restricted.admit({ find: 'a' }, 'other')).toMatchObject({
      sqlState: '42501',
      hint: 'Its databases are shop, blog',
    });
    expect(verdict(mongoPolicyOf({}).within([]), { find: 'a' })).toMatch(/^42501/);
  });

  it('is the same as any other without a list', () => {
    const policy = mongoPolicyOf({});
    expect(policy.within(undefined)).toBe(policy);
    expect(verdict(policy, { find: 'a' }, 'other')).toBe('admitted');
  });
});
