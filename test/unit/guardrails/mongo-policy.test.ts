import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Code, DBRef, Long, ObjectId } from 'mongodb';
import { ServiceError } from '../../../src/errors.ts';
import { DEPTH_MAX, VALUES_MAX } from '../../../src/guardrails/mongo-findings.ts';
import { mongoPolicyOf, mongoVerdict, withMaps } from '../../support/mongo-policies.ts';
import type { MongoDocument } from '../../support/mongo-policies.ts';

const strict = mongoPolicyOf({ access: 'read-only', isJavaScriptAllowed: false });
const free = mongoPolicyOf({});

const OUT = '25006 Stage $out of aggregate is refused, as access is read-only';

/** A value under so many documents. */
function nest(value: unknown, levels: number): unknown {
  let nested = value;
  for (let level = 0; level < levels; level += 1) {
    nested = level % 2 === 0 ? { a: nested } : [nested];
  }
  return nested;
}

/** A pipeline within so many others. */
function nestPipeline(stages: unknown[], levels: number): unknown[] {
  let pipeline = stages;
  for (let level = 0; level < levels; level += 1) {
    pipeline = [{ $unionWith: { coll: 'c', pipeline } }];
  }
  return pipeline;
}

describe('a refusal', () => {
  it('of a list says what to do about it', () => {
    const refusal = mongoPolicyOf({ deny: ['AGGREGATE:$OUT'] }).admit(
      { aggregate: 'c', pipeline: [{ $out: 'd' }] },
      'shop',
    );
    expect(refusal).toBeInstanceOf(ServiceError);
    expect(refusal).toMatchObject({
      sqlState: '42501',
      severity: 'ERROR',
      message: 'Stage $out of aggregate is on the deny list',
      detail: 'Nothing of the command was sent to MongoDB',
      hint: 'WIRE_MONGODB_DENY or deny of the listener names aggregate:$out',
    });
  });

  it.each<[MongoDocument, string]>([
    [{ drop: 'c' }, 'WIRE_MONGODB_ALLOW or allow of the listener would have to name drop'],
    [
      { aggregate: 'c', pipeline: [{ $out: 'd' }] },
      'WIRE_MONGODB_ALLOW or allow of the listener would have to name aggregate:$out',
    ],
    [{ frob: 1 }, 'With a list, only the commands and stages that lists can name are admitted'],
  ])('of an allow list names the missing word: %j', (command, hint) => {
    const refusal = mongoPolicyOf({ allow: ['aggregate:$match'] }).admit(command, 'shop');
    expect(refusal?.hint).toBe(hint);
  });

  it('of read-only access and of JavaScript name the settings', () => {
    expect(strict.admit({ drop: 'c' }, 'shop')).toMatchObject({
      sqlState: '25006',
      detail: 'Nothing of the command was sent to MongoDB',
      hint: 'Set by WIRE_ACCESS or access of the listener, or by the scope of the account',
    });
    expect(strict.admit({ find: 'c', filter: { $where: '1' } }, 'shop')).toMatchObject({
      sqlState: '42501',
      detail: 'Nothing of the command was sent to MongoDB',
      hint: 'Set by WIRE_MONGODB_JAVASCRIPT or javascript of the listener',
    });
  });

  it('of a list comes before that of access, and that before JavaScript', () => {
    const rules = { access: 'read-only', isJavaScriptAllowed: false } as const;
    const command = { update: 'c', updates: [{ q: { $where: '1' } }] };
    expect(mongoVerdict(mongoPolicyOf({ ...rules, deny: ['update'] }), command)).toMatch(
      /^42501 C/,
    );
    expect(mongoVerdict(mongoPolicyOf(rules), command)).toMatch(/^25006 Command update/);
  });
});

describe('a policy that restricts nothing', () => {
  it.each<MongoDocument>([
    { drop: 'c' },
    { frob: 1 },
    { aggregate: 'c', pipeline: [{ $out: 'd' }, { $newInVersion9: 1 }] },
    { eval: new Code('x') },
    { applyOps: [{ op: 'c', o: { shutdown: 1 } }] },
    {},
  ])('admits %j', (command) => {
    expect(mongoVerdict(free, command)).toBe('admitted');
  });
});

describe('the bounds of a command', () => {
  it('are at 200 levels, of which the command is one', () => {
    expect(mongoVerdict(free, { find: 'c', filter: nest(1, DEPTH_MAX - 2) })).toBe('admitted');
    const message = '54001 Command is nested deeper than the 200 levels that the policy reads';
    expect(mongoVerdict(free, { find: 'c', filter: nest(1, DEPTH_MAX - 1) })).toBe(message);
    expect(mongoVerdict(strict, { find: 'c', filter: nest(1, 5000) })).toBe(message);
  });

  it('hold for commands in commands', () => {
    let explained: MongoDocument = { find: 'c' };
    let applied: MongoDocument = { create: 'c' };
    for (let level = 0; level < DEPTH_MAX; level += 1) {
      explained = { explain: explained };
      applied = { applyOps: [{ op: 'c', o: applied }] };
    }
    expect(mongoVerdict(free, explained)).toMatch(/^54001 Command is nested deeper/);
    expect(mongoVerdict(free, applied)).toMatch(/^54001 Command is nested deeper/);
  });

  it('leave room for pipelines within pipelines', () => {
    const pipeline = nestPipeline([{ $out: 'd' }], 60);
    expect(mongoVerdict(strict, { aggregate: 'c', pipeline })).toBe(OUT);
    expect(mongoVerdict(strict, { aggregate: 'c', pipeline: nestPipeline([], 60) })).toBe(
      'admitted',
    );
    const deep = nestPipeline([{ $out: 'd' }], 80);
    expect(mongoVerdict(strict, { aggregate: 'c', pipeline: deep })).toMatch(/^54001/);
  });

  it('end a walk in circles', () => {
    const circle: Record<string, unknown> = {};
    circle['a'] = circle;
    circle['b'] = [circle, circle];
    expect(mongoVerdict(free, { find: 'c', filter: circle })).toMatch(/^54001/);
  });

  it('are at a million values, and those to insert do not count', () => {
    const values = Array.from({ length: VALUES_MAX }, () => 1);
    expect(mongoVerdict(free, { find: 'c', filter: { $in: values } })).toBe(
      '54001 Command has more than the 1000000 values that the policy reads',
    );
    expect(mongoVerdict(free, { insert: 'c', documents: [{ values }] })).toBe('admitted');
  });

  it('refuse what cannot be read at all', () => {
    const command = Object.defineProperty({ find: 'c' }, 'filter', {
      enumerable: true,
      get: () => {
        throw new Error('secret');
      },
    });
    const refusal = free.admit(command, 'shop');
    expect(refusal).toMatchObject({
      sqlState: 'XX000',
      message: 'Command could not be judged by the policy',
      detail: 'Nothing of the command was sent to MongoDB',
    });
    expect(JSON.stringify(refusal)).not.toContain('secret');
  });
});

const name = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'pipeline',
    '$facet',
    'explain',
    'u',
    'ops',
  ),
  fc.constantFrom(
    'applyOps',
    'find',
    'insert',
    'documents',
    'aggregate',
    '$lookup',
    'pipelines',
    '',
  ),
);

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    maxDepth: 1,
    withMap: true,
    withDate: true,
    withBigInt: true,
    withNullPrototype: true,
  }),
  fc.constantFrom(
    new ObjectId(),
    Long.fromNumber(1),
    new DBRef('c', new ObjectId()),
    { _bsontype: 'Code' },
    /a/,
  ),
);

const { document } = fc.letrec<{ value: unknown; document: MongoDocument }>((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('document')),
  document: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
}));

/** Puts stages into a pipeline that holds them somewhere. */
const container: fc.Arbitrary<(stages: unknown[]) => unknown[]> = fc
  .tuple(fc.nat(6), name, fc.array(fc.constant({ $match: {} }), { maxLength: 2 }))
  .map(([kind, key, before]) => (pipeline) => {
    const named = Object.fromEntries([[key, pipeline]]);
    const stages: unknown[] = [
      { $lookup: { from: 'b', let: { x: 1 }, pipeline, as: 'x' } },
      { $facet: named },
      { $unionWith: { coll: 'b', pipeline } },
      { $rankFusion: { input: { pipelines: named } } },
      new Map([['$facet', new Map([[key, pipeline]])]]),
      { $set: { a: { $literal: named } } },
      { $project: { a: [[pipeline]] } },
    ];
    return [...before, stages[kind], { $limit: 1 }];
  });

const pipelineOf = (stage: MongoDocument): fc.Arbitrary<unknown[]> =>
  fc
    .array(container, { maxLength: 8 })
    .map((containers) =>
      containers.reduce<unknown[]>((stages, contain) => contain(stages), [stage]),
    );

describe('any command', () => {
  it('is judged without an exception, and in the same way when it is spelt with Maps', () => {
    fc.assert(
      fc.property(name, fc.anything(), document, (first, target, rest) => {
        const command = Object.fromEntries([[first, target], ...Object.entries(rest)]);
        for (const policy of [free, strict, mongoPolicyOf({ deny: ['$out'] })]) {
          const verdict = mongoVerdict(policy, command);
          expect(verdict).not.toMatch(/^XX000/);
          expect(mongoVerdict(policy, withMaps(command))).toBe(verdict);
        }
      }),
    );
  });

  it.each<[string, MongoDocument, string]>([
    ['$out', { $out: 'd' }, OUT],
    ['$merge', { $merge: { into: 'd' } }, OUT.replace('$out', '$merge')],
  ])('stays refused wherever %s is', (_, stage, expected) => {
    fc.assert(
      fc.property(pipelineOf(stage), fc.boolean(), (pipeline, isExplained) => {
        const aggregate = { aggregate: 'c', pipeline, cursor: {} };
        const command = isExplained ? { explain: aggregate } : aggregate;
        expect(mongoVerdict(strict, command)).toBe(expected);
        expect(mongoVerdict(strict, withMaps(command))).toBe(expected);
        const denying = mongoPolicyOf({ deny: [Object.keys(stage).join()] });
        expect(mongoVerdict(denying, command)).toMatch(/^42501 Stage \$\w+ of aggregate is on the/);
      }),
    );
  });

  it('stays refused wherever JavaScript is', () => {
    const scripts = [{ $where: '1' }, { a: { $function: {} } }, { a: new Code('x') }];
    const value = fc.constantFrom<unknown>(...scripts);
    const path = fc.array(fc.oneof(name, fc.nat(2)), { maxLength: 20 });
    fc.assert(
      fc.property(value, path, fc.constantFrom('filter', 'q', 'let'), (script, steps, option) => {
        const nested = steps.reduce<unknown>(
          (inner, step) =>
            typeof step === 'number'
              ? [...Array.from({ length: step }, () => null), inner]
              : Object.fromEntries([[step, inner]]),
          script,
        );
        const policy = mongoPolicyOf({ isJavaScriptAllowed: false });
        const command = { find: 'c', [option]: nested };
        expect(mongoVerdict(policy, command)).toMatch(/^42501 .* is server-side JavaScript/);
        expect(mongoVerdict(policy, withMaps(command))).toBe(mongoVerdict(policy, command));
      }),
    );
  });
});
