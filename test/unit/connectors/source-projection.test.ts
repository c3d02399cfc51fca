import { describe, expect, it } from '@jest/globals';
import { BSON } from 'mongodb';
import { planProjection } from '../../../src/connectors/source-projection.ts';
import type { ReadPlan } from '../../../src/connectors/source-projection.ts';
import { parseExtendedJsonDocument } from '../../../src/connectors/source-values.ts';

function plan(projection: string, trackingField: string): ReadPlan {
  const parsed = parseExtendedJsonDocument(projection);
  const planned = planProjection('value' in parsed ? parsed.value : undefined, trackingField);
  if ('problem' in planned) {
    throw new Error(planned.problem);
  }
  return planned.value;
}

function serverSide({ projection }: ReadPlan): unknown {
  return projection === undefined
    ? undefined
    : BSON.deserialize(BSON.serialize(projection), { promoteValues: true });
}

describe('planProjection', () => {
  it('given_no_projection_should_ask_for_whole_documents', () => {
    for (const planned of [planProjection(undefined, 'a'), planProjection(new Map(), 'a')]) {
      expect(planned).toMatchObject({ value: { projection: undefined } });
    }
  });

  it.each([
    ['{"a":1}', '_id', { a: 1, _id: 1 }],
    ['{"a":1,"_id":0}', '_id', { a: 1, _id: 1 }],
    ['{"a":1,"_id":0}', 't', { a: 1, _id: 1, t: 1 }],
    ['{"t":1}', 't', { t: 1, _id: 1 }],
    ['{"m":true}', 'm.t', { m: true, _id: 1 }],
    ['{"m.x":1}', 'm.t', { 'm.x': 1, 'm.t': 1, _id: 1 }],
    ['{"m":{"x":1}}', 'm.t', { 'm.x': 1, 'm.t': 1, _id: 1 }],
    ['{"_id":1}', '_id', { _id: 1 }],
    ['{"b":"$a"}', 't', { b: '$a', t: 1, _id: 1 }],
    ['{"l":{"$elemMatch":{"x":1}}}', '_id', { l: { $elemMatch: { x: 1 } }, _id: 1 }],
    ['{"a":0}', '_id', { a: 0 }],
    ['{"a":0,"_id":0}', 't', { a: 0 }],
    ['{"a":0,"t":0}', 't', { a: 0 }],
    ['{"_id":0}', '_id', undefined],
    ['{"m":0}', 'm.t', undefined],
    ['{"l":{"$slice":1},"_id":0}', 't', { l: { $slice: 1 } }],
  ])('given_%s_by_%s_should_ask_for_what_the_source_needs_too', (projection, tracking, server) => {
    expect(serverSide(plan(projection, tracking))).toEqual(server);
  });

  const stripped: readonly {
    readonly projection: string;
    readonly tracking: string;
    readonly read: object;
    readonly left: object;
  }[] = [
    {
      projection: '{"a":1,"_id":0}',
      tracking: 'm.t',
      read: { _id: 1, a: 1, m: { t: 3 } },
      left: { a: 1 },
    },
    {
      projection: '{"m.x":1}',
      tracking: 'm.t',
      read: { _id: 1, m: { x: 2, t: 3 } },
      left: { _id: 1, m: { x: 2 } },
    },
    {
      projection: '{"m.x":1}',
      tracking: 'm.t',
      read: { _id: 1, m: { t: 3 } },
      left: { _id: 1, m: {} },
    },
    {
      projection: '{"m.x":1}',
      tracking: 'm.n.t',
      read: { _id: 1, m: { n: { t: 3 } } },
      left: { _id: 1, m: {} },
    },
    {
      projection: '{"a":1}',
      tracking: 'm.n.t',
      read: { _id: 1, m: { n: { t: 3 } } },
      left: { _id: 1 },
    },
    {
      projection: '{"a":0,"m":0}',
      tracking: 'm.t',
      read: { _id: 1, m: { t: 3, x: 1 }, b: 1 },
      left: { _id: 1, b: 1 },
    },
    {
      projection: '{"m.t":0}',
      tracking: 'm.t',
      read: { _id: 1, m: { t: 3 } },
      left: { _id: 1, m: {} },
    },
    {
      projection: '{"t":0,"_id":0}',
      tracking: 't',
      read: { _id: 1, t: 1 },
      left: {},
    },
  ];

  it.each(stripped)(
    'given_$projection_by_$tracking_should_take_out_what_was_only_needed',
    ({ projection, tracking, read, left }) => {
      const bytes = plan(projection, tracking).strip(BSON.serialize(read));
      expect(Buffer.from(bytes)).toEqual(Buffer.from(BSON.serialize(left)));
    },
  );

  it.each([
    ['{"t.x":1}', 't'],
    ['{"t.x":0}', 't'],
    ['{"t":"$other"}', 't'],
    ['{"t":{"$slice":1}}', 't'],
    ['{"m":{"$literal":1}}', 'm.t'],
    ['{"_id":"$other"}', 't'],
  ])('given_%s_by_%s_should_refuse_what_changes_the_order', (projection, tracking) => {
    expect(() => plan(projection, tracking)).toThrow(/which documents are ordered by/);
  });
});
