// Argument values: syntax trees in, BSON values out. Nothing of the text is ever run as a program.
import { parse, ParseMode } from '@mongodb-js/shell-bson-parser';
import type * as acorn from 'acorn';
import { Long } from 'mongodb';
import { nearestName } from '../../nearest-name.ts';
import { SQLSTATE } from '../../errors.ts';
import {
  CONSTANTS,
  createLong,
  createRegex,
  LIBRARY_CONSTRUCTORS,
  OWN_CONSTRUCTORS,
  OWN_WITH_ARGUMENTS,
} from './shell-constructors.ts';
import { ShellSyntaxError } from './shell-error.ts';
import type { ShellText } from './shell-text.ts';

/** A document as typed: a Map keeps the order of its names, and `__proto__` is only a name. */
export type ShellDocument = Map<string, unknown>;

type Element = acorn.Expression | acorn.SpreadElement;

/**
 * The value that an expression stands for.
 *
 * @throws ShellSyntaxError at the place of what is no value
 */
export function evaluate(node: Element | null, text: ShellText): unknown {
  if (node === null) {
    throw new ShellSyntaxError('Array has a hole', 0, { hint: 'Write null for an empty place' });
  }
  switch (node.type) {
    case 'Literal':
      return literal(node, text, '');
    case 'TemplateLiteral':
      return template(node);
    case 'UnaryExpression':
      return unary(node, text);
    case 'Identifier':
      return constant(node);
    case 'ArrayExpression':
      return node.elements.map((element) => evaluate(element, text));
    case 'ObjectExpression':
      return document(node, text);
    case 'CallExpression':
    case 'NewExpression':
      return construct(node, text);
    case 'BinaryExpression':
      return delegate(node, text);
    default:
      throw refusal(node);
  }
}

function literal(node: acorn.Literal, text: ShellText, sign: '' | '-'): unknown {
  const regex = text.regexes.get(node.start);
  if (regex !== undefined) {
    return attempt(node, () => createRegex(regex.pattern, regex.flags));
  }
  if (typeof node.bigint === 'string') {
    return attempt(node, () => createLong(`${sign}${node.bigint ?? ''}`));
  }
  if (typeof node.value !== 'number') {
    return node.value;
  }
  const digits = node.raw ?? '';
  const isExact = Math.abs(node.value) <= Number.MAX_SAFE_INTEGER || !/^\d+$/.test(digits);
  if (isExact) {
    return sign === '-' ? -node.value : node.value;
  }
  return attempt(node, () => createLong(`${sign}${digits}`));
}

function template(node: acorn.TemplateLiteral): string {
  const [only] = node.quasis;
  if (node.expressions.length > 0 || only === undefined) {
    throw new ShellSyntaxError('Template with ${} is not evaluated', node.start, {
      hint: 'Write the text out as a string',
    });
  }
  return only.value.cooked ?? '';
}

function unary(node: acorn.UnaryExpression, text: ShellText): unknown {
  const { operator, argument } = node;
  if (operator !== '-' && operator !== '+') {
    throw refusal(node);
  }
  const value =
    argument.type === 'Literal'
      ? literal(argument, text, operator === '-' ? '-' : '')
      : signed(operator, evaluate(argument, text));
  if (typeof value !== 'number' && !Long.isLong(value)) {
    throw new ShellSyntaxError(`${operator} stands before something that is no number`, node.start);
  }
  return value;
}

function signed(operator: '-' | '+', value: unknown): unknown {
  if (operator === '+') {
    return value;
  }
  return Long.isLong(value) ? value.negate() : typeof value === 'number' ? -value : undefined;
}

function constant(node: acorn.Identifier): unknown {
  const read = CONSTANTS.get(node.name);
  if (read === undefined) {
    const names = [...CONSTANTS.keys(), 'true', 'false', 'null'];
    throw new ShellSyntaxError(
      `${node.name} is no value: variables are not known here`,
      node.start,
      {
        hint: `Write strings in quotes; did you mean ${nearestName(node.name, names) ?? ''}?`,
      },
    );
  }
  return read();
}

function document(node: acorn.ObjectExpression, text: ShellText): ShellDocument {
  const read: ShellDocument = new Map();
  for (const property of node.properties) {
    if (property.type === 'SpreadElement') {
      throw new ShellSyntaxError('Spread (...) is not evaluated', property.start, {
        hint: 'Write the fields out',
      });
    }
    if (property.shorthand) {
      throw new ShellSyntaxError('Field has no value', property.start, {
        hint: 'Write { name: value }; variables are not known here',
      });
    }
    if (property.computed || property.method || property.kind !== 'init') {
      throw refusal(property);
    }
    read.set(nameOf(property.key), evaluate(property.value, text));
  }
  return read;
}

function nameOf(key: acorn.Expression | acorn.PrivateIdentifier): string {
  if (key.type === 'Identifier') {
    return key.name;
  }
  if (key.type === 'Literal') {
    return String(key.value);
  }
  throw refusal(key);
}

function construct(node: acorn.CallExpression | acorn.NewExpression, text: ShellText): unknown {
  const { callee } = node;
  if (callee.type !== 'Identifier') {
    return delegate(node, text);
  }
  const own =
    OWN_CONSTRUCTORS.get(callee.name) ??
    (node.arguments.length > 0 ? OWN_WITH_ARGUMENTS.get(callee.name) : undefined);
  if (own === undefined) {
    if (!LIBRARY_CONSTRUCTORS.includes(callee.name)) {
      throw unknownConstructor(callee);
    }
    return delegate(node, text);
  }
  const values = node.arguments.map((argument) => evaluate(argument, text));
  return attempt(node, () => own(values));
}

function unknownConstructor({ name, start }: acorn.Identifier): ShellSyntaxError {
  const names = [...OWN_CONSTRUCTORS.keys(), ...LIBRARY_CONSTRUCTORS];
  return new ShellSyntaxError(`${name}() is not known`, start, {
    hint: `Did you mean ${nearestName(name, names) ?? ''}()?`,
  });
}

/** Hands constructors, dates and arithmetic to the library, which answers '' to what it refuses. */
function delegate(node: acorn.Expression, text: ShellText): unknown {
  const source = text.plain.slice(node.start, node.end);
  const value = attempt<unknown>(node, () => {
    const parsed: unknown = parse(source, { mode: ParseMode.Loose });
    return parsed;
  });
  if (value === '' || typeof value === 'boolean') {
    throw refusal(node);
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw new ShellSyntaxError('Date cannot be read', node.start, {
      hint: 'Write it as ISODate("2024-12-31T23:59:59Z")',
    });
  }
  return value;
}

function attempt<T>(node: acorn.Node, create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new ShellSyntaxError(
      error instanceof Error ? error.message : 'Value cannot be read',
      node.start,
      {
        hint: 'See help for how values are written',
      },
    );
  }
}

const FUNCTIONS: ReadonlySet<string> = new Set(['FunctionExpression', 'ArrowFunctionExpression']);

function refusal(node: acorn.Node): ShellSyntaxError {
  if (FUNCTIONS.has(node.type)) {
    return new ShellSyntaxError('Functions are not run here', node.start, {
      sqlState: SQLSTATE.featureNotSupported,
      hint: 'Use an aggregation pipeline, or $expr in a filter',
    });
  }
  return new ShellSyntaxError('This is no value', node.start, {
    hint: 'Values are literals, documents, arrays and constructors such as ObjectId("...")',
  });
}
