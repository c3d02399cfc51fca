// What is read of documents: the operator's projection and, besides it, the fields that a source
// goes on from, which are taken out of the documents again.
import { Decimal128, Double, Int32, Long } from 'mongodb';
import { toPath, withoutPath } from './source-bson.ts';
import type { Path } from './source-bson.ts';
import type { Fields, Parsed } from './source-values.ts';

export interface ReadPlan {
  /** For the server; undefined where it is to give whole documents. */
  readonly projection: Fields | undefined;
  /** The document as the operator's projection has it. */
  readonly strip: (bson: Uint8Array) => Uint8Array;
}

interface Removal {
  readonly path: Path;
  /** See withoutPath. */
  readonly emptyFrom: number;
}

type Entry = readonly [path: string, value: unknown];

/** How a projection works: `_id` alone may be said otherwise. */
type Kind = 'inclusion' | 'exclusion';

/** These say nothing of other fields. */
const NEUTRAL_OPERATORS = new Set(['$slice', '$meta']);

/**
 * Plans what to ask for.
 *
 * @param projection the operator's, in Extended JSON
 */
export function planProjection(
  projection: Fields | undefined,
  trackingField: string,
): Parsed<ReadPlan> {
  if (projection === undefined || projection.size === 0) {
    return { value: { projection: undefined, strip: (bson) => bson } };
  }
  const entries = flatten(projection, '');
  const needed = [...new Set(['_id', trackingField])];
  const problem = needed.map((path) => findProblem(entries, path)).find((found) => found !== '');
  if (problem !== undefined) {
    return { problem };
  }
  return {
    value:
      kindOf(entries) === 'inclusion'
        ? planInclusion(entries, needed)
        : planExclusion(entries, needed),
  };
}

/** `{a: {b: 1}}` as `a.b`; what begins with an operator is a value. */
function flatten(projection: Fields, prefix: string): readonly Entry[] {
  return [...projection].flatMap(([name, value]): readonly Entry[] => {
    const path = `${prefix}${name}`;
    const [first] = value instanceof Map ? value.keys() : [];
    return value instanceof Map && typeof first === 'string' && !first.startsWith('$')
      ? flatten(value, `${path}.`)
      : [[path, value]];
  });
}

/** Whether a field is asked for; undefined where it is computed. */
function isIncluded(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') {
    return value;
  }
  const isNumber =
    value instanceof Double ||
    value instanceof Int32 ||
    value instanceof Long ||
    value instanceof Decimal128;
  return isNumber ? Number(value.toString()) !== 0 : undefined;
}

/** Empty where there is none. */
function findProblem(entries: readonly Entry[], needed: string): string {
  for (const [path, value] of entries) {
    const isAbove = path === needed || needed.startsWith(`${path}.`);
    const isBelow = path.startsWith(`${needed}.`);
    if (isBelow || (isAbove && isIncluded(value) === undefined)) {
      return `It changes "${needed}", which documents are ordered by: take "${path}" out`;
    }
  }
  return '';
}

function kindOf(entries: readonly Entry[]): Kind {
  const others = entries.filter(([path]) => path !== '_id');
  const simple = others.map(([, value]) => isIncluded(value)).find((is) => is !== undefined);
  if (simple !== undefined) {
    return simple ? 'inclusion' : 'exclusion';
  }
  if (others.some(([, value]) => !isNeutral(value))) {
    return 'inclusion';
  }
  const id = entries.find(([path]) => path === '_id');
  return others.length === 0 && id !== undefined && isIncluded(id[1]) === true
    ? 'inclusion'
    : 'exclusion';
}

function isNeutral(value: unknown): boolean {
  const [first] = value instanceof Map ? value.keys() : [];
  return typeof first === 'string' && NEUTRAL_OPERATORS.has(first);
}

function planInclusion(entries: readonly Entry[], needed: readonly string[]): ReadPlan {
  const projection = new Map(entries);
  const removals: Removal[] = [];
  for (const path of needed) {
    const said = entries.find(([other]) => path === other || path.startsWith(`${other}.`));
    // Only `_id` is there without being asked for.
    const isAsked = said === undefined ? path === '_id' : isIncluded(said[1]) === true;
    if (!isAsked) {
      removals.push({ path: toPath(path), emptyFrom: emptyFromOf(path, entries) });
      projection.set(path, new Int32(1));
    }
  }
  projection.set('_id', new Int32(1));
  return { projection, strip: strip(removals) };
}

/** A document that is there for a removed field only goes with it. */
function emptyFromOf(path: string, entries: readonly Entry[]): number {
  const names = path.split('.');
  const isShared = (depth: number): boolean => {
    const parent = `${names.slice(0, depth).join('.')}.`;
    return entries.some(([other]) => other.startsWith(parent));
  };
  const depth = names.findIndex((_, index) => index > 0 && !isShared(index));
  return depth === -1 ? Infinity : depth;
}

function planExclusion(entries: readonly Entry[], needed: readonly string[]): ReadPlan {
  const isNeeded = ([path]: Entry): boolean =>
    needed.some((other) => other === path || other.startsWith(`${path}.`));
  const removals = entries
    .filter((entry) => isNeeded(entry) && isIncluded(entry[1]) === false)
    .map(([path]) => ({ path: toPath(path), emptyFrom: Infinity }));
  const projection = new Map(entries.filter((entry) => !isNeeded(entry)));
  return {
    projection: projection.size === 0 ? undefined : projection,
    strip: strip(removals),
  };
}

function strip(removals: readonly Removal[]): (bson: Uint8Array) => Uint8Array {
  return (bson) =>
    removals.reduce<Uint8Array>(
      (document, { path, emptyFrom }) => withoutPath(document, path, emptyFrom),
      bson,
    );
}
