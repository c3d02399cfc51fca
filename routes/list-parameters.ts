// What a list asks for in its query string: `age=gte.21&order=name.desc&limit=20`.
import { parseListItems } from './list-items.ts';
import { RequestError } from './request-error.ts';
import type { ListItem } from './list-items.ts';
import type { FieldProblem } from './request-error.ts';

export { encodeCursor, parseCursor } from './page-cursor.ts';

export const OPERATORS = [
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'like',
  'ilike',
  'in',
  'is',
] as const;

export type FilterOperator = (typeof OPERATORS)[number];

/** One condition; all of them hold. The value is text, typed by whoever knows the field. */
export interface Filter {
  readonly field: string;
  readonly op: FilterOperator;
  /** For `is` one of null, true, false, not_null; for `in` still with its parentheses. */
  readonly value: string;
}

export interface OrderItem {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

/** How many there are in all: counted, or as the database supposes. */
export const COUNT_KINDS = ['exact', 'estimated'] as const;

type CountKind = (typeof COUNT_KINDS)[number];

export interface ListParameters {
  readonly filters: readonly Filter[];
  /** Undefined asks for everything. */
  readonly select: readonly string[] | undefined;
  readonly order: readonly OrderItem[];
  readonly limit: number;
  /** A cursor as the `next` link of the page before has it. */
  readonly after: string | undefined;
  readonly count: CountKind | undefined;
}

export interface ListBounds {
  readonly limitDefault: number;
  readonly limitMax: number;
}

/** Tables or collections in one list of them, which has no pages. */
export const LISTED_MAX = 100_000;

/**
 * The rows of one page: it is held whole until it is sent, once for each client that does not read.
 * What is behind it comes with the next page.
 */
export const LIST_BYTES_MAX = 16 * 1024 * 1024;

/** Of the lists of both databases. */
export const LIST_BOUNDS: ListBounds = { limitDefault: 100, limitMax: 1000 };

/** Not names of fields; a field of such a name is written in double quotes: `"limit"=eq.5`. */
export const RESERVED = ['select', 'order', 'limit', 'after', 'count', 'id_type'] as const;

type Reserved = (typeof RESERVED)[number];

/** What `is` compares with: none of them is a value of a type. */
export const IS_VALUES: ReadonlySet<string> = new Set(['null', 'true', 'false', 'not_null']);

/** Conditions of one request; each costs the database a comparison per row. */
export const FILTERS_MAX = 100;
/** Fields in `select` or `order`. */
export const FIELDS_MAX = 1000;
/** Values of one `in.(…)`. */
export const IN_VALUES_MAX = 1000;

/**
 * Reads the query string of a list. Whether a field exists is for the caller to say.
 *
 * @throws RequestError 400 with every parameter that is wrong
 */
export function parseListParameters(
  searchParams: URLSearchParams,
  { limitDefault, limitMax }: ListBounds,
): ListParameters {
  const problems: FieldProblem[] = [];
  const reserved = readReserved(searchParams, problems);
  const parameters = {
    filters: parseFilters(searchParams, problems),
    select: parseSelect(reserved.get('select'), problems),
    order: parseOrder(reserved.get('order'), problems),
    limit: parseLimit(reserved.get('limit'), { limitDefault, limitMax }, problems),
    after: parseAfter(reserved.get('after'), problems),
    count: parseCount(reserved.get('count'), problems),
  };
  if (problems.length > 0) {
    throw new RequestError(400, 'The query string has parameters that cannot be taken', {
      fields: problems,
    });
  }
  return parameters;
}

/**
 * The values of `in.(a,b,"c,d")`.
 *
 * @param value as Filter has it, the parentheses included
 * @throws RequestError 400
 */
export function parseInValues({ field, value }: Filter): readonly ListItem[] {
  const items = /^\([\s\S]*\)$/.test(value) ? parseListItems(value.slice(1, -1)) : undefined;
  if (items === undefined || items.some(({ isQuoted, rest }) => isQuoted && rest !== '')) {
    throw refuseIn(field, 'Write it as in.(a,b,"c,d"), a value with commas in double quotes');
  }
  if (items.length > IN_VALUES_MAX) {
    throw refuseIn(field, `At most ${IN_VALUES_MAX} values can be asked for at once`);
  }
  return items;
}

function refuseIn(field: string, message: string): RequestError {
  return new RequestError(400, 'The query string has a list that cannot be taken', {
    fields: [{ field, message }],
  });
}

function readReserved(
  searchParams: URLSearchParams,
  problems: FieldProblem[],
): ReadonlyMap<Reserved, string> {
  const reserved = new Map<Reserved, string>();
  for (const name of RESERVED) {
    const [first, second] = searchParams.getAll(name);
    if (second !== undefined) {
      problems.push({ field: name, message: 'It can be given once only' });
    } else if (first !== undefined) {
      reserved.set(name, first);
    }
  }
  return reserved;
}

function parseFilters(searchParams: URLSearchParams, problems: FieldProblem[]): Filter[] {
  const filters: Filter[] = [];
  for (const [name, text] of searchParams) {
    if (!RESERVED.some((reserved) => reserved === name)) {
      const filter = parseFilter(name, text, problems);
      if (filter !== undefined) {
        filters.push(filter);
      }
    }
    if (filters.length > FILTERS_MAX || problems.length > FILTERS_MAX) {
      problems.push({ field: name, message: `At most ${FILTERS_MAX} filters can be given` });
      break;
    }
  }
  return filters;
}

function parseFilter(name: string, text: string, problems: FieldProblem[]): Filter | undefined {
  const field = parseFieldName(name);
  if (field === undefined) {
    problems.push({ field: name, message: 'It is no name of a field' });
    return undefined;
  }
  const dot = text.indexOf('.');
  const op = OPERATORS.find((operator) => operator === text.slice(0, Math.max(dot, 0)));
  if (op === undefined) {
    const message = `Write it as operator.value, such as eq.5; there are ${OPERATORS.join(' ')}`;
    problems.push({ field, message });
    return undefined;
  }
  const value = text.slice(dot + 1);
  const problem = findValueProblem(op, value);
  if (problem !== undefined) {
    problems.push({ field, message: problem });
    return undefined;
  }
  return { field, op, value };
}

function findValueProblem(op: FilterOperator, value: string): string | undefined {
  if (value.includes('\0')) {
    return 'A value cannot hold the character NUL';
  }
  return op === 'is' && !IS_VALUES.has(value)
    ? `is takes ${[...IS_VALUES].join(', ')}; other values are compared with eq`
    : undefined;
}

/** @returns undefined where the name is empty or its quotes are not closed */
function parseFieldName(text: string): string | undefined {
  // A comma is nothing special here: this is one name, not a list.
  const [item] = text.startsWith('"') ? (parseListItems(text) ?? []) : [];
  const name = item?.isQuoted === true && item.rest === '' ? item.text : text;
  return name === '' ? undefined : name;
}

function parseSelect(
  text: string | undefined,
  problems: FieldProblem[],
): readonly string[] | undefined {
  if (text === undefined) {
    return undefined;
  }
  const items = parseListItems(text);
  if (items === undefined || items.some((item) => item.text === '' || item.rest !== '')) {
    problems.push({ field: 'select', message: 'Write it as select=a,b,"c,d"' });
    return undefined;
  }
  if (items.length > FIELDS_MAX) {
    problems.push({ field: 'select', message: `At most ${FIELDS_MAX} fields can be selected` });
    return undefined;
  }
  return [...new Set(items.map((item) => item.text))];
}

function parseOrder(text: string | undefined, problems: FieldProblem[]): OrderItem[] {
  const items = text === undefined ? [] : parseListItems(text);
  const order = (items ?? []).map(toOrderItem);
  const known = order.filter((item) => item !== undefined);
  if (items === undefined || known.length < order.length || order.length > FIELDS_MAX) {
    problems.push({ field: 'order', message: 'Write it as order=a.desc,b,"c,d".asc' });
    return [];
  }
  if (new Set(known.map(({ field }) => field)).size < known.length) {
    problems.push({ field: 'order', message: 'Each field can be given once only' });
  }
  return known;
}

/** `name`, `name.asc` or `name.desc`; only the last dot is looked at, for names may hold some. */
function toOrderItem({ text, rest, isQuoted }: ListItem): OrderItem | undefined {
  const suffix = isQuoted ? rest : (/\.(?:asc|desc)$/.exec(text)?.[0] ?? '');
  const field = isQuoted ? text : text.slice(0, text.length - suffix.length);
  if (field === '' || !['', '.asc', '.desc'].includes(suffix)) {
    return undefined;
  }
  return { field, direction: suffix === '.desc' ? 'desc' : 'asc' };
}

function parseLimit(
  text: string | undefined,
  { limitDefault, limitMax }: ListBounds,
  problems: FieldProblem[],
): number {
  if (text === undefined) {
    return limitDefault;
  }
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limitMax) {
    problems.push({ field: 'limit', message: `It is a whole number from 1 to ${limitMax}` });
  }
  return limit;
}

function parseAfter(text: string | undefined, problems: FieldProblem[]): string | undefined {
  if (text === '') {
    problems.push({ field: 'after', message: 'Take it from the next link of the page before' });
  }
  return text;
}

function parseCount(text: string | undefined, problems: FieldProblem[]): CountKind | undefined {
  const count = COUNT_KINDS.find((kind) => kind === text);
  if (text !== undefined && count === undefined) {
    problems.push({ field: 'count', message: 'It is exact or estimated' });
  }
  return count;
}
