// Conditions of an address as a query of MongoDB. The operators in it are written here; what comes
// from a client is a path, or a value behind an operator, which makes an object or a regular
// expression something to compare with.
import { BSONRegExp, Code } from 'mongodb';
import { findPathProblem } from './crud-paths.ts';
import { parseId, parseLiteral, parseScalar } from './crud-scalars.ts';
import type { Parsed } from './crud-scalars.ts';
import type { BsonDocument, ValueProblem } from './crud-values.ts';

export interface Condition {
  readonly field: string;
  readonly op: 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte' | 'like' | 'ilike' | 'in' | 'is';
  /** As it was written; of `in` it is not looked at when there are items. */
  readonly value: string;
  /** The values of `in.(…)`. */
  readonly items?: readonly { readonly text: string; readonly isQuoted: boolean }[] | undefined;
}

export interface FilterReading {
  /** Filled in. */
  readonly problems: ValueProblem[];
  /** What ids are, where they are not to be guessed. */
  readonly idType: string | undefined;
}

const COMPARISONS: ReadonlyMap<string, string> = new Map([
  ['eq', '$eq'],
  ['neq', '$ne'],
  ['gt', '$gt'],
  ['gte', '$gte'],
  ['lt', '$lt'],
  ['lte', '$lte'],
]);

/** Null is a field that is not there, too, as everywhere in MongoDB. */
const STATES: ReadonlyMap<string, BsonDocument> = new Map<string, BsonDocument>([
  ['null', new Map([['$eq', null]])],
  ['not_null', new Map([['$ne', null]])],
  ['true', new Map([['$eq', true]])],
  ['false', new Map([['$eq', false]])],
]);

const ASCII_END = 0x80;

/** MongoDB takes 32764 bytes; a client's text may be escaped to twice its length. */
const PATTERN_BYTES_MAX = 32_000;

/** A query that all conditions hold in; every document without any. */
export function createFilter(
  conditions: readonly Condition[],
  reading: FilterReading,
): BsonDocument {
  const queries = conditions.map((condition) => {
    const problem = findPathProblem(condition.field);
    const test = problem === undefined ? createTest(condition, reading) : { problem };
    if ('problem' in test) {
      reading.problems.push({ field: condition.field, message: test.problem });
    }
    return new Map([[condition.field, 'test' in test ? test.test : new Map()]]);
  });
  const [first = new Map<string, unknown>(), second] = queries;
  return second === undefined ? first : new Map([['$and', queries]]);
}

type Test = { readonly test: BsonDocument } | { readonly problem: string };

function createTest(condition: Condition, { idType }: FilterReading): Test {
  const { field, op, value } = condition;
  const parse = (text: string): Parsed =>
    field === '_id' ? parseId(text, idType) : parseScalar(text);
  switch (op) {
    case 'like':
    case 'ilike':
      return createLike(value, op === 'ilike' ? 'is' : 's');
    case 'is': {
      const test = STATES.get(value);
      return test === undefined ? { problem: 'is takes null, not_null, true, false' } : { test };
    }
    case 'in':
      return createIn(condition, parse);
    default:
      return createComparison(op, parse(value));
  }
}

function createComparison(op: string, parsed: Parsed): Test {
  if ('problem' in parsed) {
    return parsed;
  }
  const { value } = parsed;
  const isPattern = value instanceof BSONRegExp;
  if (isPattern && op === 'neq') {
    return { test: new Map([['$not', new Map([['$eq', value]])]]) };
  }
  if (isPattern && op !== 'eq') {
    return { problem: 'A regular expression can be compared with eq and neq only' };
  }
  return { test: new Map([[COMPARISONS.get(op) ?? '$eq', value]]) };
}

function createIn({ value, items }: Condition, parse: (text: string) => Parsed): Test {
  const parsed = items?.map(({ text, isQuoted }) => (isQuoted ? { value: text } : parse(text))) ?? [
    parseLiteral(value),
  ];
  const values: unknown[] = [];
  for (const one of parsed) {
    if ('problem' in one) {
      return one;
    }
    values.push(one.value);
  }
  const list = items === undefined ? values[0] : values;
  if (!Array.isArray(list)) {
    return { problem: 'Write it as in.(a,b,c), or as an array of Extended JSON' };
  }
  // Here MongoDB would match with it.
  return list.some((one) => one instanceof BSONRegExp || one instanceof Code)
    ? { problem: 'A list cannot hold regular expressions and code' }
    : { test: new Map([['$in', list]]) };
}

/** The whole text has to match: `%` and `*` are any characters, `_` is one, `\` takes meaning. */
function createLike(text: string, options: string): Test {
  let pattern = '^';
  for (const [part, escaped] of text.matchAll(/\\([\s\S])|[%*]+|[\s\S]/gu)) {
    if (escaped === undefined && /^[%*]/.test(part)) {
      pattern += '.*';
    } else {
      pattern += part === '_' ? '.' : escapePattern(escaped ?? part);
    }
  }
  // Not `$`, which also matches before a line feed at the end.
  pattern += '\\z';
  return Buffer.byteLength(pattern) > PATTERN_BYTES_MAX
    ? { problem: 'The pattern is too long' }
    : {
        test: new Map([
          ['$regex', pattern],
          ['$options', options],
        ]),
      };
}

/** A backslash before an ASCII character that is neither letter nor digit makes it literal. */
function escapePattern(character: string): string {
  const isAscii = character.charCodeAt(0) < ASCII_END;
  return isAscii && !/[A-Za-z0-9]/.test(character) ? `\\${character}` : character;
}
