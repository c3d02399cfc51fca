// PostgreSQL's lexical rules (manual, 4.1), as far as the statements need them that clients send
// by themselves. `standard_conforming_strings` is always on here.

export type SqlTokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'end';

export interface SqlToken {
  readonly kind: SqlTokenKind;
  /** A word in lower case, a string without its quotes, anything else as written. */
  readonly value: string;
  /** Offset of its first character. */
  readonly start: number;
  /** Offset behind its last one; a string or a comment that never ends goes to the text's end. */
  readonly end: number;
}

const BLANK = /[ \t\n\r\f\v]*/y;
const WORD = /[\p{L}_][\p{L}\p{M}\p{N}_$]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const DOLLAR_TAG = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const PLAIN_STRING = /'[^']*(?:''[^']*)*(?:'|$)/y;
const ESCAPE_STRING = /[eE]'[^'\\]*(?:(?:''|\\[^])[^'\\]*)*(?:\\?$|')/y;
const QUOTED = /"[^"]*(?:""[^"]*)*(?:"|$)/y;
const SYMBOL = /::|[<>=!~*|]{2,4}|[^]/uy;

/** The token at `offset`, or the next one behind blanks and comments. */
export function readSqlToken(text: string, offset: number): SqlToken {
  const start = skipBlank(text, offset);
  if (start >= text.length) {
    return { kind: 'end', value: '', start: text.length, end: text.length };
  }
  return (
    stringToken(text, start) ??
    matchToken(WORD, 'word', text, start) ??
    matchToken(NUMBER, 'number', text, start) ??
    symbolToken(text, start)
  );
}

/** Every token of the text, its `end` last. */
export function readSqlTokens(text: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let token = readSqlToken(text, 0);
  tokens.push(token);
  while (token.kind !== 'end') {
    token = readSqlToken(text, token.end);
    tokens.push(token);
  }
  return tokens;
}

function stringToken(text: string, start: number): SqlToken | undefined {
  const plain = matchAt(PLAIN_STRING, text, start);
  if (plain !== undefined) {
    return token('string', unquote(plain, "'"), start, plain);
  }
  const escaped = matchAt(ESCAPE_STRING, text, start);
  if (escaped !== undefined) {
    return token('string', unescape(unquote(escaped.slice(1), "'")), start, escaped);
  }
  const quoted = matchAt(QUOTED, text, start);
  if (quoted !== undefined) {
    return token('quoted', unquote(quoted, '"'), start, quoted);
  }
  const tag = matchAt(DOLLAR_TAG, text, start);
  return tag === undefined ? undefined : dollarToken(text, start, tag);
}

function dollarToken(text: string, start: number, tag: string): SqlToken {
  const from = start + tag.length;
  const found = text.indexOf(tag, from);
  const to = found === -1 ? text.length : found;
  const end = found === -1 ? text.length : found + tag.length;
  return { kind: 'string', value: text.slice(from, to), start, end };
}

function unquote(source: string, quote: string): string {
  const isClosed = source.length > 1 && source.endsWith(quote);
  return source.slice(1, isClosed ? -1 : undefined).replaceAll(quote + quote, quote);
}

// psql writes a backslash of a pattern as two of them, and nothing else.
function unescape(source: string): string {
  return source.replaceAll(/\\([^])/gu, '$1');
}

function symbolToken(text: string, start: number): SqlToken {
  const source = matchAt(SYMBOL, text, start) ?? text.charAt(start);
  return token('symbol', source, start, source);
}

function matchToken(
  pattern: RegExp,
  kind: SqlTokenKind,
  text: string,
  start: number,
): SqlToken | undefined {
  const source = matchAt(pattern, text, start);
  if (source === undefined) {
    return undefined;
  }
  return token(kind, kind === 'word' ? source.toLowerCase() : source, start, source);
}

function token(kind: SqlTokenKind, value: string, start: number, source: string): SqlToken {
  return { kind, value, start, end: start + source.length };
}

function skipBlank(text: string, offset: number): number {
  let position = offset;
  for (;;) {
    position += matchAt(BLANK, text, position)?.length ?? 0;
    if (text.startsWith('--', position)) {
      const newline = text.indexOf('\n', position);
      position = newline === -1 ? text.length : newline + 1;
    } else if (text.startsWith('/*', position)) {
      position = skipComment(text, position);
    } else {
      return position;
    }
  }
}

/** Comments nest. */
function skipComment(text: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) {
      return edge.lastIndex;
    }
  }
  return text.length;
}

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
