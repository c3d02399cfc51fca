import { describe, expect, it } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { createMongoPolicy } from '../../../src/guardrails/mongo-policy.ts';
import { parseMongoRuleWords } from '../../../src/guardrails/mongo-rules.ts';

function failure(words: readonly string[]): ServiceError | undefined {
  try {
    parseMongoRuleWords('WIRE_MONGODB_DENY', words);
    return undefined;
  } catch (thrown) {
    return thrown instanceof ServiceError ? thrown : undefined;
  }
}

describe('the words of a list', () => {
  it.each([
    ['find', 'find'],
    ['FIND', 'find'],
    [' drop ', 'drop'],
    ['FINDANDMODIFY', 'findAndModify'],
    ['ismaster', 'hello'],
    ['deleteIndexes', 'dropIndexes'],
    ['aggregate:$out', 'aggregate:$out'],
    ['AGGREGATE:$OUT', 'aggregate:$out'],
    ['aggregate : $graphlookup', 'aggregate:$graphLookup'],
    ['clusterAggregate:$out', 'aggregate:$out'],
    ['findandmodify:$set', 'findAndModify:$set'],
    ['mapreduce:$merge', 'mapReduce:$merge'],
    ['$out', '$out'],
    ['$UNIONWITH', '$unionWith'],
  ])('reads %j as %s', (word, expected) => {
    expect([...parseMongoRuleWords('WIRE_MONGODB_ALLOW', [word])]).toEqual([expected]);
  });

  it('has a word once that is written twice', () => {
    expect([...parseMongoRuleWords('WIRE_MONGODB_ALLOW', ['hello', 'isMaster', 'HELLO'])]).toEqual([
      'hello',
    ]);
  });

  it.each([
    ['fnd', 'find'],
    ['Findd', 'find'],
    ['dropDatabse', 'dropDatabase'],
    ['$ot', '$out'],
    ['agregate:$out', 'aggregate:$out'],
    ['aggregate:$uot', 'aggregate:$out'],
    ['aggregate:out', 'aggregate:$out'],
    ['$out:aggregate', '(update|create|aggregate).*'],
    ['find:$out', '\\w+:\\$out'],
    ['aggregate:', 'aggregate:\\$\\w+'],
    ['aggregate:$out:$merge', 'aggregate:$out'],
    ['', '\\w+'],
    [':', '\\w+:\\$\\w+'],
    ['DROP TABLE', '\\w+'],
    ['__proto__', '\\w+'],
    ['constructor', '\\w+'],
    ['aggregate:__proto__', 'aggregate:\\$\\w+'],
    ['_shardsvrDropCollection', '\\w+'],
  ])('has no word %j, and names one that is near', (word, nearest) => {
    const refusal = failure(['find', word]);
    expect(refusal?.sqlState).toBe('22023');
    expect(refusal?.message).toBe(
      `WIRE_MONGODB_DENY names ${JSON.stringify(word)}, which is no command and no stage of one`,
    );
    const escaped = nearest.includes('\\') ? nearest : nearest.replaceAll('$', '\\$');
    expect(refusal?.hint).toMatch(new RegExp(`^The nearest is ${escaped}; wire/README`));
  });

  it.each([
    ['WIRE_MONGODB_ALLOW', { allow: ['frob'], deny: [] }],
    ['WIRE_MONGODB_DENY', { allow: [], deny: ['frob'] }],
  ])('says that it was %s', (setting, lists) => {
    const rules = { ...lists, access: 'read-write', isJavaScriptAllowed: true } as const;
    expect(() => createMongoPolicy(rules)).toThrow(`${setting} names "frob"`);
  });
});
