// Takes a catalog query of psql apart, as far as is needed to know which one it is.
import type { SqlToken } from './sql-lexer.ts';

/** A column of the result. */
export interface SelectItem {
  /** Its label, or else the column or function that it names; empty for an expression. */
  readonly name: string;
  /** The value where it is a constant; undefined where it is not. */
  readonly constant: string | null | undefined;
}

export interface NameCondition {
  /** Such as `relname`. */
  readonly column: string;
  /** A regular expression. */
  readonly pattern: string;
}

export interface CatalogQuery {
  readonly items: readonly SelectItem[];
  /** Of the first FROM, such as `pg_class`, in its order. */
  readonly tables: readonly string[];
  readonly names: readonly NameCondition[];
  /** What `relkind IN (…)` lists. */
  readonly relationKinds: readonly string[];
  /** Numbers that stand in quotes: oids. */
  readonly oids: readonly string[];
  /** Whether PostgreSQL's own relations are left out. */
  readonly isWithoutSystem: boolean;
}

/** Takes the tokens of a SELECT apart, its first word not among them. */
export function parseCatalogQuery(tokens: readonly SqlToken[]): CatalogQuery {
  const isFlat = flatTokens(tokens);
  const from = tokens.findIndex((token, index) => isFlat[index] === true && isWord(token, 'from'));
  const listEnd = from === -1 ? tokens.length : from;
  return {
    items: splitItems(tokens.slice(0, listEnd), isFlat).map(toItem),
    tables: readTables(tokens, listEnd, isFlat),
    names: tokens.flatMap((_, index) => readCondition(tokens, index)),
    relationKinds: readRelationKinds(tokens),
    oids: tokens
      .filter((token) => token.kind === 'string' && /^\d{1,10}$/.test(token.value))
      .map((token) => token.value),
    isWithoutSystem: tokens.some(
      (token, index) => isWord(token, 'nspname') && tokens[index + 1]?.value === '<>',
    ),
  };
}

/** For each token, whether it is outside of parentheses and brackets. */
function flatTokens(tokens: readonly SqlToken[]): boolean[] {
  let depth = 0;
  return tokens.map(({ kind, value }) => {
    const isOpening = kind === 'symbol' && (value === '(' || value === '[');
    const isClosing = kind === 'symbol' && (value === ')' || value === ']');
    depth -= isClosing ? 1 : 0;
    const isFlat = depth === 0;
    depth += isOpening ? 1 : 0;
    return isFlat;
  });
}

function splitItems(tokens: readonly SqlToken[], isFlat: readonly boolean[]): SqlToken[][] {
  const items: SqlToken[][] = [[]];
  for (const [index, token] of tokens.entries()) {
    if (isFlat[index] === true && token.kind === 'symbol' && token.value === ',') {
      items.push([]);
    } else {
      items.at(-1)?.push(token);
    }
  }
  return items;
}

function toItem(tokens: readonly SqlToken[]): SelectItem {
  const label = isWord(tokens.at(-2), 'as') ? tokens.at(-1)?.value : undefined;
  const expression = label === undefined ? tokens : tokens.slice(0, -2);
  return {
    name: label ?? expressionName(expression),
    constant: expression.length === 1 ? constantValue(expression[0]) : undefined,
  };
}

/** The last part of the name that the expression begins with: `a.b` is `b`, `c.f(…)` is `f`. */
function expressionName(tokens: readonly SqlToken[]): string {
  let index = 0;
  while (tokens[index]?.kind === 'word' && tokens[index + 1]?.value === '.') {
    index += 2;
  }
  const token = tokens[index];
  return token?.kind === 'word' ? token.value : '';
}

function constantValue(token: SqlToken | undefined): string | null | undefined {
  switch (token?.kind) {
    case 'string':
    case 'number':
      return token.value;
    case 'word':
      return WORD_CONSTANTS.get(token.value);
    default:
      return undefined;
  }
}

const WORD_CONSTANTS: ReadonlyMap<string, string | null> = new Map([
  ['null', null],
  ['true', 't'],
  ['false', 'f'],
]);

/** Words that a FROM ends with. */
const FROM_ENDS = new Set(['where', 'order', 'union', 'group', 'limit']);

/** What a table stands behind. */
const BEFORE_TABLE = new Set(['from', 'join', ',']);

function readTables(
  tokens: readonly SqlToken[],
  from: number,
  isFlat: readonly boolean[],
): readonly string[] {
  const tables: string[] = [];
  for (let index = from; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (isFlat[index] !== true || token === undefined) {
      continue;
    }
    if (token.kind === 'word' && FROM_ENDS.has(token.value)) {
      break;
    }
    if (BEFORE_TABLE.has(token.value)) {
      tables.push(expressionName(tokens.slice(index + 1, index + 4)));
    }
  }
  return tables;
}

/** `c.relname OPERATOR(pg_catalog.~) '^(x)$'`, or with a plain `~`. */
function readCondition(tokens: readonly SqlToken[], index: number): NameCondition[] {
  const column = tokens[index];
  const isQualified = isWord(tokens[index + 1], 'operator');
  const operator = tokens[isQualified ? index + 5 : index + 1];
  const pattern = tokens[isQualified ? index + 7 : index + 2];
  return column?.kind === 'word' && operator?.value === '~' && pattern?.kind === 'string'
    ? [{ column: column.value, pattern: pattern.value }]
    : [];
}

function readRelationKinds(tokens: readonly SqlToken[]): readonly string[] {
  const start = tokens.findIndex(
    (token, index) => isWord(token, 'relkind') && isWord(tokens[index + 1], 'in'),
  );
  const end = tokens.findIndex((token, index) => index > start && token.value === ')');
  return tokens
    .slice(start === -1 ? tokens.length : start, end === -1 ? tokens.length : end)
    .filter((token) => token.kind === 'string')
    .map((token) => token.value);
}

function isWord(token: SqlToken | undefined, word: string): boolean {
  return token?.kind === 'word' && token.value === word;
}
