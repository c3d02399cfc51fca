import { createMongoPolicy } from '../../src/guardrails/mongo-policy.ts';
import type { MongoPolicy, MongoPolicyRules } from '../../src/guardrails/mongo-policy.ts';

export type MongoDocument = Readonly<Record<string, unknown>>;

/** The policy of some rules; the others restrict nothing. */
export function mongoPolicyOf(rules: Partial<MongoPolicyRules>): MongoPolicy {
  return createMongoPolicy({
    allow: [],
    deny: [],
    access: 'read-write',
    isJavaScriptAllowed: true,
    ...rules,
  });
}

/** `admitted`, or the SQLSTATE and the message of the refusal. */
export function mongoVerdict(
  policy: MongoPolicy,
  command: MongoDocument,
  database = 'shop',
): string {
  const refusal = policy.admit(command, database);
  return refusal === undefined ? 'admitted' : `${refusal.sqlState} ${refusal.message}`;
}

/** The same value with every plain object in it, but not itself, as a Map. */
export function withMaps(command: MongoDocument): MongoDocument {
  return Object.fromEntries(Object.entries(command).map(([key, value]) => [key, toMap(value)]));
}

function toMap(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(toMap);
  }
  const isPlain =
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  return isPlain
    ? new Map(Object.entries(value).map(([key, inner]) => [key, toMap(inner)]))
    : value;
}

/** Containers of a pipeline: an aggregate whose pipeline holds the given one somewhere. */
export const PIPELINE_CONTAINERS: Readonly<Record<string, (stages: unknown[]) => unknown[]>> = {
  'the pipeline itself': (stages) => stages,
  'the end of a pipeline': (stages) => [{ $match: {} }, { $sort: { a: 1 } }, ...stages],
  $lookup: (pipeline) => [{ $lookup: { from: 'b', as: 'x', pipeline } }],
  $facet: (pipeline) => [{ $facet: { constructor: [{ $limit: 1 }], one: pipeline } }],
  $unionWith: (pipeline) => [{ $unionWith: { coll: 'b', pipeline } }],
  $rankFusion: (pipeline) => [{ $rankFusion: { input: { pipelines: { one: pipeline } } } }],
  $scoreFusion: (pipeline) => [{ $scoreFusion: { input: { pipelines: { one: pipeline } } } }],
};
