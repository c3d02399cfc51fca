import { describe, expect, it } from '@jest/globals';
import { Double, Int32, Long, UUID } from 'mongodb';
import {
  COMMAND_WORDS,
  commandNamed,
  READ_ONLY_COMMANDS,
} from '../../../src/guardrails/mongo-commands.ts';
import { describeMongoReadOnly } from '../../../src/guardrails/mongo-read-only.ts';
import { READ_ONLY_STAGES, STAGE_WORDS } from '../../../src/guardrails/mongo-stages.ts';
import {
  mongoPolicyOf,
  mongoVerdict,
  PIPELINE_CONTAINERS,
  withMaps,
} from '../../support/mongo-policies.ts';
import type { MongoDocument } from '../../support/mongo-policies.ts';

const policy = mongoPolicyOf({ access: 'read-only' });

function verdict(command: MongoDocument, database = 'shop'): string {
  const answer = mongoVerdict(policy, command, database);
  expect(mongoVerdict(policy, withMaps(command), database)).toBe(answer);
  return answer;
}

function refusal(what: string): string {
  return `25006 ${what} is refused, as access is read-only`;
}

const CONDITIONAL: Readonly<Record<string, MongoDocument>> = {
  profile: { profile: -1 },
  mapReduce: { mapReduce: 'c', map: 'f', reduce: 'g', out: { inline: 1 } },
  explain: { explain: { find: 'c' } },
};

describe('read-only access', () => {
  it.each([...READ_ONLY_COMMANDS])('admits %s, which reads', (name) => {
    expect(verdict(CONDITIONAL[name] ?? { [name]: 1, comment: 'mine' })).toBe('admitted');
  });

  it.each(COMMAND_WORDS.filter((word) => !READ_ONLY_COMMANDS.has(commandNamed(word) ?? '')))(
    'refuses %s, explained or not',
    (word) => {
      const message = refusal(`Command ${commandNamed(word)}`);
      expect(verdict({ [word]: 1 })).toBe(message);
      expect(verdict({ [word.toUpperCase()]: 'c' })).toBe(message);
      expect(verdict({ explain: { [word]: 'c' }, verbosity: 'queryPlanner' })).toBe(message);
    },
  );

  it.each([
    'insert',
    'update',
    'delete',
    'drop',
    'killOp',
    'killCursors',
    'shutdown',
    'endSessions',
  ])('has %s among what it refuses', (word) => {
    expect(verdict({ [word]: 1 })).toBe(refusal(`Command ${word}`));
  });

  it.each(['_shardsvrDropCollection', '_isSelf', 'frob', '', '__proto__', 'constructor', 'find '])(
    'refuses the command %j, which it does not know',
    (name) => {
      const command = Object.fromEntries([[name, 1]]);
      expect(verdict(command)).toBe(refusal(`Command ${JSON.stringify(name)}`));
    },
  );

  it('goes by the first key, as the server does', () => {
    expect(verdict({ find: 'c', drop: 'c' })).toBe('admitted');
    expect(verdict({ drop: 'c', find: 'c' })).toBe(refusal('Command drop'));
    expect(verdict({ find: 'c', 1: 'drop' })).toBe(refusal('Command "1"'));
    expect(verdict({})).toBe(refusal('Command ""'));
  });

  it('cuts a long name', () => {
    const message = refusal(`Command "${'x'.repeat(64)}"`);
    expect(verdict({ ['x'.repeat(100_000)]: 1 })).toBe(message);
  });
});

describe('read-only access to pipelines', () => {
  it.each(Object.entries(PIPELINE_CONTAINERS))('admits what reads in %s', (_, contain) => {
    for (const stage of READ_ONLY_STAGES) {
      const pipeline = contain([{ [stage]: {} }]);
      expect(verdict({ aggregate: 'c', pipeline, cursor: {} })).toBe('admitted');
    }
  });

  it.each(Object.entries(PIPELINE_CONTAINERS))('refuses what may write in %s', (_, contain) => {
    const apart = STAGE_WORDS.filter((word) => !READ_ONLY_STAGES.has(word));
    for (const stage of [...apart, '$newInVersion9', '$_internalApplyOplogUpdate']) {
      const isKnown = STAGE_WORDS.includes(stage);
      const message = refusal(`Stage ${isKnown ? stage : JSON.stringify(stage)} of aggregate`);
      const pipeline = contain([{ [stage]: 'd' }]);
      expect(verdict({ aggregate: 'c', pipeline, cursor: {} })).toBe(message);
      expect(verdict({ aggregate: 'c', pipeline, explain: true })).toBe(message);
      expect(verdict({ explain: { aggregate: 'c', pipeline } })).toBe(message);
      expect(verdict({ clusterAggregate: 'c', pipeline })).toBe(message);
    }
  });

  it.each<[string, MongoDocument]>([
    ['with other fields beside it', { $match: {}, $out: 'd' }],
    ['with other capitals', { $OUT: 'd' }],
    ['under a stage that is not known as a container', { $densify: { later: [{ $out: 'd' }] } }],
    ['under __proto__', Object.fromEntries([['__proto__', [{ $out: 'd' }]]])],
    ['under $facet and __proto__', { $facet: Object.fromEntries([['__proto__', [{ $out: 1 }]]]) }],
    ['beside a _bsontype', { _bsontype: 'ObjectId', $out: 'd' }],
    ['in an object without a prototype', Object.assign(Object.create(null), { $out: 'd' })],
    ['without a value', { $out: undefined }],
  ])('finds $out %s', (_, stage) => {
    const message = refusal('Stage $out of aggregate');
    expect(verdict({ aggregate: 'c', pipeline: [stage] })).toBe(message);
    expect(verdict({ aggregate: 'c', pipeline: [[stage]] })).toBe(message);
    expect(verdict({ aggregate: 'c', pipeline: { 0: stage } })).toBe(message);
  });

  it.each<[string, unknown, string]>([
    ['inline', { inline: 1 }, 'admitted'],
    ['a collection', 'd', refusal('Stage $out of mapReduce')],
    ['nothing', undefined, refusal('Stage $out of mapReduce')],
    ['an empty document', {}, refusal('Stage $out of mapReduce')],
    ['replace', { replace: 'd' }, refusal('Stage $out of mapReduce')],
    ['replace and inline', { inline: 1, replace: 'd' }, refusal('Stage $out of mapReduce')],
    ['merge', { merge: 'd' }, refusal('Stage $merge of mapReduce')],
    ['reduce', { inline: 1, reduce: 'd' }, refusal('Stage $merge of mapReduce')],
    ['inline with other capitals', { INLINE: 1 }, refusal('Stage $out of mapReduce')],
  ])('judges mapReduce by its out: %s', (_, out, expected) => {
    for (const name of ['mapReduce', 'mapreduce']) {
      expect(verdict({ [name]: 'c', map: 'f', reduce: 'g', out })).toBe(expected);
    }
  });

  it('needs JavaScript for mapReduce as well', () => {
    const strict = mongoPolicyOf({ access: 'read-only', isJavaScriptAllowed: false });
    expect(mongoVerdict(strict, CONDITIONAL['mapReduce'] ?? {})).toMatch(
      /^42501 Command mapReduce/,
    );
  });
});

describe('read-only access to commands that change something by an option', () => {
  it.each<[MongoDocument]>([
    [{ profile: -1 }],
    [{ profile: new Int32(-1) }],
    [{ profile: new Double(-1) }],
    [{ profile: Long.fromNumber(-1) }],
    [{ profile: -1, $db: 'shop', lsid: {}, maxTimeMS: 1 }],
    [{ validate: 'c' }],
    [{ validate: 'c', full: true, metadata: true, checkBSONConformance: true, comment: 'x' }],
    [{ validate: 'c', repair: false, background: false }],
    [{ features: 1, oidReset: false }],
    [{ hello: 1, saslSupportedMechs: 'shop.user' }],
    [{ isMaster: 1 }],
    [{ usersInfo: 1 }],
    [{ usersInfo: 'user', showCredentials: false, showPrivileges: true }],
    [{ getParameter: '*' }],
    [{ find: 'c', '': true, tailable: true }],
  ])('admits %j', (command) => {
    expect(verdict(command)).toBe('admitted');
  });

  it.each<[MongoDocument, string]>([
    [{ profile: 0 }, 'Command profile with another level than -1'],
    [{ profile: 2 }, 'Command profile with another level than -1'],
    [{ profile: '-1' }, 'Command profile with another level than -1'],
    [{ profile: { valueOf: 1 } }, 'Command profile with another level than -1'],
    [{ profile: -1, slowms: 0 }, 'Option "slowms" of profile'],
    [{ profile: -1, sampleRate: 1 }, 'Option "sampleRate" of profile'],
    [{ profile: -1, filter: 'unset' }, 'Option "filter" of profile'],
    [{ validate: 'c', repair: true }, 'Option "repair" of validate'],
    [{ validate: 'c', fixMultikey: 1 }, 'Option "fixMultikey" of validate'],
    [{ validate: 'c', background: true }, 'Option "background" of validate'],
    [{ validate: 'c', ['y'.repeat(1000)]: 1 }, `Option "${'y'.repeat(64)}" of validate`],
    [{ explain: { validate: 'c', repair: true } }, 'Option "repair" of validate'],
    [{ features: 1, oidReset: true }, 'Option "oidReset" of features'],
    [{ hello: 1, speculativeAuthenticate: {} }, 'Option speculativeAuthenticate of hello'],
    [{ ismaster: 1, speculativeAuthenticate: {} }, 'Option speculativeAuthenticate of hello'],
    [{ usersInfo: 1, showCredentials: true }, 'Option showCredentials of usersInfo'],
    [{ usersInfo: 1, showCredentials: 1 }, 'Option showCredentials of usersInfo'],
  ])('refuses %j', (command, what) => {
    expect(verdict(command)).toBe(refusal(what));
  });

  it.each<[MongoDocument, string]>([
    [{ find: 'system.users' }, 'Collection system.users of admin'],
    [{ count: 'system.keys' }, 'Collection system.keys of admin'],
    [
      { aggregate: 'c', pipeline: [{ $lookup: { from: 'system.users' } }] },
      'Collection system.users of admin',
    ],
    [
      { aggregate: 'c', pipeline: [{ $unionWith: 'system.users' }] },
      'Collection system.users of admin',
    ],
    [{ find: new UUID() }, 'A collection of admin by its UUID'],
    [{ explain: { find: new UUID() } }, 'A collection of admin by its UUID'],
  ])('refuses what holds credentials: %j', (command, what) => {
    expect(verdict(command, 'admin')).toBe(refusal(what));
    expect(verdict(command, 'shop')).toBe('admitted');
  });

  it('admits the other collections of admin', () => {
    expect(verdict({ find: 'system.version', filter: { _id: 'a system.users b' } }, 'admin')).toBe(
      'admitted',
    );
  });
});

describe('describeMongoReadOnly', () => {
  it('lists all that is admitted, in alphabetical order', () => {
    const { commands, stages } = describeMongoReadOnly();
    expect(new Set(commands)).toEqual(READ_ONLY_COMMANDS);
    expect(new Set(stages)).toEqual(READ_ONLY_STAGES);
    expect(commands.slice(0, 3)).toEqual([
      'aggregate',
      'balancerCollectionStatus',
      'balancerStatus',
    ]);
    expect(stages.at(0)).toBe('$addFields');
    expect(stages.at(-1)).toBe('$vectorSearch');
  });

  it('has no stage that writes', () => {
    const { stages } = describeMongoReadOnly();
    expect(stages).not.toContain('$out');
    expect(stages).not.toContain('$merge');
  });
});
