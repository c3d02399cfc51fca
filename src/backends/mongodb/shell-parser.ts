// Shell text in, statements out: the forms that are understood, and where each one ends.
import { parseExpressionAt } from 'acorn';
import type * as acorn from 'acorn';
import { SQLSTATE } from '../../errors.ts';
import { fromExtendedJson } from './shell-extended-json.ts';
import { ShellSyntaxError } from './shell-error.ts';
import { readShellText } from './shell-text.ts';
import type { ShellText } from './shell-text.ts';
import { evaluate } from './shell-values.ts';
import { findSqlEnd, isSql } from './sql-text.ts';
import type { ShellDocument } from './shell-values.ts';

/** A link of a chain such as `db.people.find({})[0].name`. */
export type Link =
  | { readonly kind: 'name'; readonly name: string; readonly offset: number }
  | { readonly kind: 'index'; readonly index: number; readonly offset: number }
  | { readonly kind: 'call'; readonly args: readonly unknown[]; readonly offset: number };

export type Statement = { readonly offset: number } & (
  | { readonly kind: 'chain'; readonly root: string; readonly links: readonly Link[] }
  | { readonly kind: 'command'; readonly command: ShellDocument }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'sql'; readonly text: string }
);

/** Statements of one text: far more than anybody types. */
const STATEMENTS_MAX = 1000;

/**
 * The statements of a text, in order; none where there are only comments.
 *
 * @throws ShellSyntaxError at the first place that is not understood
 */
export function parseShell(source: string): Statement[] {
  const text = readShellText(source);
  const statements: Statement[] = [];
  let offset = skipBlank(text.masked, 0);
  while (offset < text.masked.length) {
    const { statement, end } = parseStatement(text, offset);
    statements.push(statement);
    if (statements.length > STATEMENTS_MAX) {
      throw new ShellSyntaxError(`Text holds more than ${STATEMENTS_MAX} statements`, offset);
    }
    offset = skipBlank(text.masked, expectEnd(text.masked, end));
  }
  return statements;
}

interface Parsed {
  readonly statement: Statement;
  readonly end: number;
}

function skipBlank(masked: string, offset: number): number {
  const blank = /[\s;]*/y;
  blank.lastIndex = offset;
  return offset + (blank.exec(masked)?.[0].length ?? 0);
}

/** A statement ends with a semicolon, a line end, or the text. */
function expectEnd(masked: string, end: number): number {
  const rest = /[^\S\n\r]*(?:[;\n\r]|$)/y;
  rest.lastIndex = end;
  if (!rest.test(masked)) {
    throw new ShellSyntaxError('Statement goes on where it should end', skipBlank(masked, end), {
      hint: 'Separate statements by a semicolon',
    });
  }
  return end;
}

function parseStatement(text: ShellText, offset: number): Parsed {
  const word = /[A-Za-z]+(?![\w$])/y;
  word.lastIndex = offset;
  const first = word.exec(text.masked)?.[0] ?? '';
  const line = /[^;\n\r]*/y;
  line.lastIndex = offset;
  const words = (line.exec(text.plain)?.[0] ?? '').trim().split(/\s+/);
  if (isSql(text.text.slice(offset))) {
    return parseSql(text, offset);
  }
  if (isWordStatement(first, words)) {
    return { statement: { kind: 'words', words, offset }, end: line.lastIndex };
  }
  return parseExpression(text, offset);
}

function isWordStatement(first: string, words: readonly string[]): boolean {
  return (
    ['show', 'use'].includes(first.toLowerCase()) ||
    (['it', 'help'].includes(first) && words.length === 1) ||
    (first === 'help' && /^help\s*\(\s*\)$/.test(words.join(' ')))
  );
}

function parseSql({ text }: ShellText, offset: number): Parsed {
  const end = findSqlEnd(text, offset);
  return { statement: { kind: 'sql', text: text.slice(offset, end).trim(), offset }, end };
}

function parseExpression(text: ShellText, offset: number): Parsed {
  const node = parseNode(text.masked, offset);
  if (node.type === 'ObjectExpression') {
    const value = fromExtendedJson(evaluate(node, text), offset);
    if (!(value instanceof Map)) {
      throw new ShellSyntaxError('This is no command document', offset);
    }
    const command = new Map<string, unknown>(value);
    return { statement: { kind: 'command', command, offset }, end: node.end };
  }
  return { statement: { kind: 'chain', ...readChain(node, text), offset }, end: node.end };
}

function parseNode(masked: string, offset: number): acorn.Expression {
  try {
    return parseExpressionAt(masked, offset, { ecmaVersion: 2022 });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new ShellSyntaxError('Statement is nested too deep', offset, {
        sqlState: SQLSTATE.statementTooComplex,
      });
    }
    const place: unknown = error instanceof Error && 'pos' in error ? error.pos : undefined;
    const message = error instanceof Error ? error.message.replace(/ \(\d+:\d+\)$/, '') : '';
    throw new ShellSyntaxError(
      `Syntax error: ${message}`,
      typeof place === 'number' ? place : offset,
    );
  }
}

/** Takes a chain apart from its end to its root. */
function readChain(
  expression: acorn.Expression,
  text: ShellText,
): { readonly root: string; readonly links: readonly Link[] } {
  const links: Link[] = [];
  let node: acorn.Expression | acorn.Super = expression;
  for (;;) {
    if (node.type === 'CallExpression' && !node.optional) {
      const args = node.arguments.map((argument) => evaluate(argument, text));
      links.push({ kind: 'call', args, offset: node.callee.end });
      node = node.callee;
    } else if (node.type === 'MemberExpression' && !node.optional) {
      links.push(readMember(node, text));
      node = node.object;
    } else if (node.type === 'Identifier') {
      return { root: node.name, links: links.reverse() };
    } else {
      throw new ShellSyntaxError('Statement does not begin with db', node.start);
    }
  }
}

function readMember({ property, computed }: acorn.MemberExpression, text: ShellText): Link {
  const offset = property.start;
  if (!computed && property.type === 'Identifier') {
    return { kind: 'name', name: property.name, offset };
  }
  if (computed && property.type === 'Literal' && !text.regexes.has(offset)) {
    const { value } = property;
    if (typeof value === 'string') {
      return { kind: 'name', name: value, offset };
    }
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
      return { kind: 'index', index: value, offset };
    }
  }
  throw new ShellSyntaxError('In brackets stands a name in quotes, or an index', offset, {
    hint: 'For example db["odd.name"].find() or db.c.getIndexes()[0]',
  });
}
