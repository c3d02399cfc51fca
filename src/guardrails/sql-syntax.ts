// The raw syntax tree as libpg_query writes it to JSON: a node is an object with one key, its type,
// around its fields. A field that can hold one type only leaves the type out. Zero, false and
// empty values are left out altogether.

/** A node's fields, or the object that names its type. */
export type SyntaxNode = Readonly<Record<string, unknown>>;

export function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The items of a list field; none when it was left out. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What the field of this name holds, when that is a node. */
export function childOf(node: unknown, field: string): SyntaxNode | undefined {
  const value = isSyntaxNode(node) ? node[field] : undefined;
  return isSyntaxNode(value) ? value : undefined;
}

/** What the field of this name holds, when that is text. */
export function textOf(node: unknown, field: string): string | undefined {
  const value = isSyntaxNode(node) ? node[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The options of a statement (`DefElem`) by name, in order. */
export function optionsOf(value: unknown): readonly { name: string; value: unknown }[] {
  return listOf(value).map((item) => {
    const option = childOf(item, 'DefElem');
    return { name: textOf(option, 'defname') ?? '', value: option?.['arg'] };
  });
}

/** Text or number of a constant, as one would write it; undefined for anything but a constant. */
export function constantOf(value: unknown): string | undefined {
  const constant = childOf(value, 'A_Const') ?? value;
  const string = childOf(constant, 'sval') ?? childOf(constant, 'String');
  if (string !== undefined) {
    return textOf(string, 'sval') ?? '';
  }
  const integer = childOf(constant, 'ival') ?? childOf(constant, 'Integer');
  const number = integer === undefined ? undefined : (integer['ival'] ?? 0);
  return typeof number === 'number' ? String(number) : undefined;
}

/**
 * A name as PostgreSQL compares it. Settings ignore case. A server with a single-byte encoding
 * folds letters outside ASCII too, so `İ` may be an `i` there: marks are taken off.
 */
export function foldName(name: string): string {
  return name.normalize('NFKD').toLowerCase().replaceAll(/\p{M}/gu, '');
}
