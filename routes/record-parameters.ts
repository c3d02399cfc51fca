// What the lists of activity and of the log ask for in their query string.
import { ACTIVITY_KINDS, ACTIVITY_OUTCOMES } from '../src/store/activity-records.ts';
import { isRecordId } from '../src/store/record-ids.ts';
import type { RecordPosition } from '../src/store/record-page.ts';
import { LIST_BOUNDS } from './list-parameters.ts';
import { parseCursor, refuseCursor } from './page-cursor.ts';
import type { RequestContext } from './request-context.ts';
import { RequestError } from './request-error.ts';
import type { FieldProblem } from './request-error.ts';

/** Records of one answer in lines, which is written as it is read. */
export const LINES_MAX = 100_000;

/** Longest name that is looked for. */
const VALUE_LENGTH_MAX = 256;

/** What summaries are of unless something else is said. */
export const SUMMARY_WINDOW_MS = 3_600_000;

/** Values that there are; undefined where a name may be anything. */
type Choices = readonly string[] | undefined;

/** What activity is looked for by. */
export const ACTIVITY_FILTERS = {
  account: undefined,
  session: undefined,
  backend: ['postgres', 'mongodb'],
  outcome: ACTIVITY_OUTCOMES,
  kind: ACTIVITY_KINDS,
} as const satisfies Readonly<Record<string, Choices>>;

/** What the log is looked for by. */
export const LOG_FILTERS = {
  account: undefined,
  session: undefined,
  backend: undefined,
  outcome: undefined,
  level: ['error', 'warn', 'info', 'debug'],
  event: undefined,
} as const satisfies Readonly<Record<string, Choices>>;

export type RecordFilters = typeof ACTIVITY_FILTERS | typeof LOG_FILTERS;

export interface RecordParameters {
  readonly matches: Readonly<Record<string, string>>;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  readonly limit: number;
  readonly after: RecordPosition | undefined;
}

/**
 * Reads the query string of a list.
 *
 * @throws RequestError 400 with every parameter that is wrong
 */
export function parseRecordParameters(
  search: URLSearchParams,
  filters: RecordFilters,
  { limitMax }: { readonly limitMax: number },
): RecordParameters {
  const problems: FieldProblem[] = [];
  const known = [...Object.keys(filters), 'from', 'to', 'limit', 'after'];
  const values = readValues(search, known, problems);
  const matches = readMatches(values, filters, problems);
  const { from, to } = readRange(values, problems);
  const limit = readLimit(values.get('limit'), limitMax, problems);
  assertNone(problems);
  const after = values.get('after');
  return { matches, from, to, limit, after: after === undefined ? undefined : toPosition(after) };
}

/**
 * Reads the window of a summary.
 *
 * @param retentionMs nothing older is there
 * @throws RequestError 400 with every parameter that is wrong
 */
export function parseSummaryWindow(
  search: URLSearchParams,
  retentionMs: number,
  now: Date,
): { readonly from: Date; readonly to: Date } {
  const problems: FieldProblem[] = [];
  const given = readRange(readValues(search, ['from', 'to'], problems), problems);
  const to = given.to ?? now;
  const from = given.from ?? new Date(to.getTime() - SUMMARY_WINDOW_MS);
  if (to <= from) {
    problems.push({ field: 'from', message: 'It has to be before to, which is now unless said' });
  }
  if (to.getTime() - from.getTime() > retentionMs) {
    const message = 'The window is longer than activity is kept (ACTIVITY_RETENTION)';
    problems.push({ field: 'from', message });
  }
  assertNone(problems);
  return { from, to };
}

/**
 * Whose records a caller may see: everybody's for administrators, else his own.
 *
 * @returns undefined for everybody's
 * @throws RequestError 403 for those of somebody else
 */
export function ownerFor(
  { scope, owner, caller }: RequestContext,
  account?: string,
): string | undefined {
  if (scope === 'admin') {
    return undefined;
  }
  if (owner === undefined || (account !== undefined && account !== caller)) {
    throw new RequestError(403, 'Only administrators see what others have done', {
      hint: 'Leave out account: what is listed is your own',
    });
  }
  return owner;
}

/** What is not asked for here is refused: a misspelt filter would silently choose nothing. */
function readValues(
  search: URLSearchParams,
  known: readonly string[],
  problems: FieldProblem[],
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const name of new Set(search.keys())) {
    const [value = '', second] = search.getAll(name);
    if (!known.includes(name)) {
      problems.push({ field: name, message: `It is not known; known are ${known.join(', ')}` });
    } else if (second !== undefined) {
      problems.push({ field: name, message: 'It can be given once only' });
    } else {
      values.set(name, value);
    }
  }
  return values;
}

function readMatches(
  values: ReadonlyMap<string, string>,
  filters: RecordFilters,
  problems: FieldProblem[],
): Readonly<Record<string, string>> {
  const matches: Record<string, string> = {};
  for (const [name, choices] of Object.entries<Choices>(filters)) {
    const value = values.get(name);
    const problem = value === undefined ? undefined : findProblem(value, choices);
    if (problem !== undefined) {
      problems.push({ field: name, message: problem });
    } else if (value !== undefined) {
      matches[name] = value;
    }
  }
  return matches;
}

function findProblem(value: string, choices: Choices): string | undefined {
  if (choices !== undefined) {
    return choices.includes(value) ? undefined : `It is one of ${choices.join(', ')}`;
  }
  const isUsable = value !== '' && value.length <= VALUE_LENGTH_MAX && !value.includes('\0');
  return isUsable ? undefined : `It has 1 to ${VALUE_LENGTH_MAX} characters`;
}

/** A date with a time and a zone, RFC 3339; the zone would otherwise be that of the machine. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i;

function readRange(
  values: ReadonlyMap<string, string>,
  problems: FieldProblem[],
): Pick<RecordParameters, 'from' | 'to'> {
  const [from, to] = ['from', 'to'].map((field) => {
    const text = values.get(field);
    const instant = new Date(text !== undefined && INSTANT.test(text) ? text : Number.NaN);
    const isValid = !Number.isNaN(instant.getTime());
    if (text !== undefined && !isValid) {
      const message = 'Write it as 2026-01-31T12:00:00Z, with + percent-encoded as %2B';
      problems.push({ field, message });
    }
    return isValid ? instant : undefined;
  });
  return { from, to };
}

function readLimit(text: string | undefined, limitMax: number, problems: FieldProblem[]): number {
  if (text === undefined) {
    return LIST_BOUNDS.limitDefault;
  }
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limitMax) {
    problems.push({ field: 'limit', message: `It is a whole number from 1 to ${limitMax}` });
  }
  return limit;
}

function assertNone(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) {
    throw new RequestError(400, 'The query string has parameters that cannot be taken', {
      fields: problems,
    });
  }
}

/** @throws RequestError 400 */
function toPosition(text: string): RecordPosition {
  const [at, id, ...others] = parseCursor(text);
  const isPlace =
    typeof at === 'string' &&
    typeof id === 'string' &&
    INSTANT.test(at) &&
    !Number.isNaN(Date.parse(at)) &&
    isRecordId(id);
  if (!isPlace || others.length > 0) {
    throw refuseCursor('It is of another list');
  }
  return { at: new Date(at), id };
}
