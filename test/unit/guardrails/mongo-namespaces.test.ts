import { describe, expect, it } from '@jest/globals';
import { UUID } from 'mongodb';
import {
  databasesOfCommand,
  databasesOfStage,
  EVERY_DATABASE,
  hasText,
  UNTOLD_DATABASE,
} from '../../../src/guardrails/mongo-namespaces.ts';

describe('A stage', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['$out', { db: 'a', coll: 'c' }, ['a']],
    ['$out', 'c', []],
    ['$OUT', new Map([['db', 'a']]), ['a']],
    ['$merge', { into: { db: 'a', coll: 'c' } }, ['a']],
    ['$merge', { into: 'c', on: 'db' }, []],
    ['$lookup', { from: { db: 'a', coll: 'c' }, let: { db: 'b' } }, ['a']],
    ['$graphLookup', { db: 'a', from: { db: 'b' } }, ['a', 'b']],
    ['$unionWith', { coll: { db: 'a' } }, ['a']],
    ['$out', { db: 5 }, [UNTOLD_DATABASE]],
    ['$out', { db: null }, []],
    ['$_internalOutToDifferentDB', { db: 'a' }, ['a']],
    ['$internalOutToDifferentDB', { db: 'a' }, ['a']],
    ['$changeStream', { allChangesForCluster: true }, [EVERY_DATABASE]],
    ['$changeStream', { allChangesForCluster: false }, []],
    ['$changeStream', {}, []],
    ['$set', { db: 'a' }, []],
    ['out', { db: 'a' }, []],
    ['__proto__', { db: 'a' }, []],
  ])('%s of %j names %j', (key, value, names) => {
    expect(databasesOfStage(key, value)).toEqual(names);
  });
});

describe('A command', () => {
  it.each<[string, Readonly<Record<string, unknown>>, readonly string[]]>([
    ['renameCollection', { renameCollection: 'a.c.d', to: 'b.c' }, ['a', 'b']],
    ['renameCollection', { renameCollection: new UUID(), to: '' }, Array(2).fill(UNTOLD_DATABASE)],
    ['renameCollection', { renameCollection: '.c', to: 'b' }, [UNTOLD_DATABASE, 'b']],
    ['dataSize', { dataSize: 'a.c' }, ['a']],
    ['dataSize', {}, [UNTOLD_DATABASE]],
    ['bulkWrite', { nsInfo: [{ ns: 'a.c' }, { ns: 'b.c' }] }, ['a', 'b']],
    ['bulkWrite', { nsInfo: 'a.c' }, []],
    ['mapReduce', { out: { merge: 'c', db: 'a' } }, ['a']],
    ['mapReduce', { out: 'c' }, []],
    ['find', { find: 'c', $db: 'a' }, ['a']],
    ['find', { find: 'a.c', to: 'b.c', dataSize: 'd.c' }, []],
  ])('%s with %j names %j', (name, options, names) => {
    expect(databasesOfCommand(name, new Map(Object.entries(options)))).toEqual(names);
  });
});

describe('A text', () => {
  it.each<[unknown, boolean]>([
    ['x', true],
    [[{ a: [{ b: 'x' }] }], true],
    [new Map([['a', { b: 'x' }]]), true],
    [{ x: 'y' }, false],
    [[1, null, undefined, true, new Date(), /x/], false],
    [[], false],
  ])('is found in %j: %j', (value, isFound) => {
    expect(hasText(value, (text) => text === 'x')).toBe(isFound);
  });
});
