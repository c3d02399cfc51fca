// What happened in a while, by account, backend and outcome: computed by the database.
import type { Db, Document } from 'mongodb';
import { z } from 'zod';
import { READ_TIMEOUT_MS } from './record-page.ts';

/** Groups of one summary, the largest first. */
export const SUMMARY_GROUPS_MAX = 1000;

/** Shares of all that take no longer. */
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

const GROUP = z.object({
  account: z.string(),
  backend: z.string().nullable(),
  outcome: z.string(),
  count: z.number(),
  rows: z.number(),
  bytes: z.number(),
  durationMs: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }),
});

export type ActivityGroup = z.infer<typeof GROUP>;

export interface ActivitySummary {
  readonly groups: readonly ActivityGroup[];
  /** Whether there are more groups. */
  readonly isCut: boolean;
}

export interface SummaryOptions {
  readonly from: Date;
  readonly to: Date;
  /** Whose; undefined for everybody's. */
  readonly owner: string | undefined;
}

/**
 * Statements and requests of the window. Percentiles are exact, by nearest rank: the least time
 * that so many of all do not exceed.
 *
 * @throws what the driver says; the signal's reason
 */
export async function summarizeActivity(
  db: Db,
  options: SummaryOptions,
  signal: AbortSignal,
): Promise<ActivitySummary> {
  const found = await db
    .collection('activity')
    .aggregate(createPipeline(options), {
      allowDiskUse: true,
      maxTimeMS: READ_TIMEOUT_MS,
      signal,
    })
    .toArray();
  const groups = z.array(GROUP).parse(found);
  return { groups: groups.slice(0, SUMMARY_GROUPS_MAX), isCut: groups.length > SUMMARY_GROUPS_MAX };
}

/**
 * Each different time once with how many took it, then running totals over these: far fewer than
 * records, and no list of all of them is held. $percentile would need MongoDB 7.
 */
function createPipeline({ from, to, owner }: SummaryOptions): Document[] {
  const group = { account: '$_id.account', backend: '$_id.backend', outcome: '$_id.outcome' };
  return [
    {
      $match: {
        at: { $gte: from, $lt: to },
        kind: { $in: ['statement', 'request'] },
        ...(owner === undefined ? {} : { 'meta.owner': owner }),
      },
    },
    {
      $group: {
        _id: {
          account: '$account',
          backend: '$meta.backend',
          outcome: '$meta.outcome',
          durationMs: '$durationMs',
        },
        count: { $sum: 1 },
        rows: { $sum: '$rows' },
        bytes: { $sum: '$bytes' },
      },
    },
    {
      $setWindowFields: {
        partitionBy: group,
        sortBy: { '_id.durationMs': 1 },
        output: { rank: { $sum: '$count', window: { documents: ['unbounded', 'current'] } } },
      },
    },
    // The last rank is how many there are; it is known once all have been seen.
    {
      $setWindowFields: {
        partitionBy: group,
        output: { total: { $sum: '$count', window: { documents: ['unbounded', 'unbounded'] } } },
      },
    },
    {
      $group: {
        _id: group,
        count: { $sum: '$count' },
        rows: { $sum: '$rows' },
        bytes: { $sum: '$bytes' },
        ...Object.fromEntries(
          Object.entries(QUANTILES).map(([name, share]) => [name, leastWithin(share)]),
        ),
      },
    },
    { $sort: { count: -1, _id: 1 } },
    { $limit: SUMMARY_GROUPS_MAX + 1 },
    SHOWN,
  ];
}

const SHOWN = {
  $project: {
    _id: 0,
    account: '$_id.account',
    backend: { $ifNull: ['$_id.backend', null] },
    outcome: '$_id.outcome',
    ...{ count: 1, rows: 1, bytes: 1 },
    durationMs: { p50: '$p50', p95: '$p95', p99: '$p99' },
  },
};

/** The least time whose rank is at least that share of all. */
function leastWithin(share: number): Document {
  const isWithin = { $gte: ['$rank', { $ceil: { $multiply: [share, '$total'] } }] };
  return { $min: { $cond: [isWithin, '$_id.durationMs', null] } };
}
