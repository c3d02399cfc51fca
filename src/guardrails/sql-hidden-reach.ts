// What shows rows or values of tables that the text need not name: functions that take a name, or
// a query, made at run time, statistics of columns, and pages as they are stored.
import { mayName } from './sql-hidden-names.ts';
import { childOf, constantOf, foldName, isSyntaxNode, listOf, textOf } from './sql-syntax.ts';
import type { SyntaxNode } from './sql-syntax.ts';

/** Relations of pg_catalog that hold values of columns of any table. */
const VALUE_RELATIONS: ReadonlySet<string> = new Set([
  ...['pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs'],
  ...['pg_statistic', 'pg_statistic_ext_data'],
]);

/** Long values of any table are kept in tables of this schema. */
const TOAST_SCHEMA = 'pg_toast';

/** Functions of pageinspect and pg_walinspect that show rows as bytes. */
const PAGE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['get_raw_page', 'heap_page_items', 'heap_page_item_attrs', 'bt_page_items'],
  ...['gist_page_items', 'gist_page_items_bytea', 'brin_page_items', 'hash_page_items'],
  ...['gin_leafpage_items', 'pg_get_wal_block_info'],
]);

const XML_FUNCTION = /^(table|schema|database|query|cursor)_to_xml(?:schema|_and_xmlschema)?$/;

/** The first parameter of those functions, when it is given by name. */
const XML_TARGETS: ReadonlySet<string> = new Set(['tbl', 'schema', 'query', 'cursor']);

/** Casts that leave a text as it is written. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([
  ...['text', 'varchar', 'name', 'regclass', 'regnamespace', 'refcursor'],
]);

/** Whether a node of the tree may show what is in a schema that it does not name. */
export function isReachingUnnamed(key: string, node: SyntaxNode, schema: string): boolean {
  return (
    key === 'DropOwnedStmt' ||
    key === 'ReassignOwnedStmt' ||
    isValueRelation(textOf(node, 'schemaname'), textOf(node, 'relname')) ||
    isReachingFunction(node, schema)
  );
}

function isValueRelation(schema: string | undefined, name: string | undefined): boolean {
  if (name === undefined) {
    return false;
  }
  const container = foldName(schema ?? 'pg_catalog');
  return (
    container === TOAST_SCHEMA ||
    (container === 'pg_catalog' && VALUE_RELATIONS.has(foldName(name)))
  );
}

function isReachingFunction(node: SyntaxNode, schema: string): boolean {
  const name = functionOf(node);
  const [, kind] = XML_FUNCTION.exec(name) ?? [];
  return kind === undefined
    ? PAGE_FUNCTIONS.has(name)
    : isReachingTarget(kind, xmlTargetOf(node), schema);
}

// A cursor has been declared by a statement of its own, which was judged.
function isReachingTarget(kind: string, target: string | undefined, schema: string): boolean {
  if (target === undefined || kind === 'database') {
    return true;
  }
  switch (kind) {
    case 'table':
      return isReachingTable(target);
    case 'schema':
      return [schema, 'pg_catalog', TOAST_SCHEMA].includes(target);
    case 'query':
      return mayName(Buffer.from(target), schema, { standardConformingStrings: false });
    default:
      return false;
  }
}

// Digits are an oid. Whether the schema is in front is looked for in arguments of all functions.
function isReachingTable(target: string): boolean {
  const words = foldName(target).split(/[^\w$]+/);
  return (
    /^\s*\d/.test(target) ||
    words.some((word) => word === TOAST_SCHEMA || VALUE_RELATIONS.has(word))
  );
}

function xmlTargetOf(call: SyntaxNode): string | undefined {
  const args = listOf(call['args']);
  const named = args
    .map((argument) => childOf(argument, 'NamedArgExpr'))
    .find((argument) => XML_TARGETS.has(textOf(argument, 'name') ?? ''));
  return plainConstant(named === undefined ? args[0] : named['arg']);
}

/** The name of the function that a call calls, without its schema; empty for what is no call. */
export function functionOf(node: SyntaxNode): string {
  return foldName(nameOf(node['funcname']) ?? '');
}

/** The text of a constant, casts taken off that do not change it. */
export function plainConstant(value: unknown): string | undefined {
  let inner = value;
  for (let cast = childOf(inner, 'TypeCast'); cast; cast = childOf(inner, 'TypeCast')) {
    if (!isPlainType(childOf(cast, 'typeName'))) {
      return undefined;
    }
    inner = cast['arg'];
  }
  return constantOf(inner);
}

// A length cuts a text off, bytes are a text in another spelling.
function isPlainType(type: SyntaxNode | undefined): boolean {
  const isBare = listOf(type?.['typmods']).length === 0 && type?.['arrayBounds'] === undefined;
  return isBare && PLAIN_TYPES.has(nameOf(type?.['names']) ?? '');
}

function nameOf(names: unknown): string | undefined {
  const last = listOf(names).at(-1);
  return isSyntaxNode(last) ? textOf(last['String'], 'sval') : undefined;
}
