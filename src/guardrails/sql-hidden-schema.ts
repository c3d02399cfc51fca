// Finds out whether a statement names one schema. A guard rail, and no wall: what a text puts
// together when it runs is out of its sight, and a schema's own privileges are the wall.
import { isPathTo, mentionsName, mentionsQualifier, PATH_SETTINGS } from './sql-hidden-names.ts';
import { functionOf, isReachingUnnamed, plainConstant } from './sql-hidden-reach.ts';
import { childOf, constantOf, foldName, isSyntaxNode, listOf, textOf } from './sql-syntax.ts';
import type { SyntaxNode } from './sql-syntax.ts';

/** What string constants mean where they stand: nothing, names with their schema, or any name. */
type Watch = 'nothing' | 'qualifiers' | 'names';

interface Visit {
  readonly key: string;
  readonly value: unknown;
  readonly watch: Watch;
}

/**
 * The first statement of a Query message that names the schema or may show what is in it, counted
 * from 1; undefined when none does. Comparing with its name, as catalog queries do, is not naming
 * it.
 *
 * @param tree what the parser gave
 */
export function findHiddenSchema(tree: unknown, schema: string): number | undefined {
  const statements = listOf(isSyntaxNode(tree) ? tree['stmts'] : undefined);
  const index = statements.findIndex((statement) => reaches(statement, schema));
  return index === -1 ? undefined : index + 1;
}

// A stack of its own, as the tree may be deep.
function reaches(statement: unknown, schema: string): boolean {
  const pending: Visit[] = [{ key: '', value: statement, watch: 'nothing' }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { key, value, watch } = visit;
    if (Array.isArray(value)) {
      if (!COLUMN_LISTS.has(key) && isQualifiedBy(value, schema)) {
        return true;
      }
      pending.push(...value.map((item: unknown) => ({ key, value: item, watch })));
    } else if (isSyntaxNode(value)) {
      if (isHit(key, value, { schema, watch })) {
        return true;
      }
      const below = watchBelow(key, value, watch);
      for (const field in value) {
        pending.push({ key: field, value: value[field], watch: below });
      }
    }
  }
  return false;
}

/** Lists of names that are no schema's: of columns, values, and objects without a schema. */
const COLUMN_LISTS: ReadonlySet<string> = new Set([
  ...['fields', 'indirection', 'colnames', 'aliascolnames', 'usingClause', 'keys', 'columns'],
  ...['fk_attrs', 'pk_attrs', 'fk_del_set_cols', 'attlist', 'va_cols', 'search_col_list'],
  ...['cycle_col_list', 'vals', 'objects', 'tokentype'],
]);

/** Whether a name of several parts has the schema in front. */
function isQualifiedBy(parts: readonly unknown[], schema: string): boolean {
  const names = parts.map((part) => textOf(childOf(part, 'String'), 'sval'));
  return names.every((name) => name !== undefined) && names.slice(0, -1).includes(schema);
}

interface Place {
  readonly schema: string;
  readonly watch: Watch;
}

function isHit(key: string, node: SyntaxNode, { schema, watch }: Place): boolean {
  return (
    SCHEMA_FIELDS.some((field) => node[field] === schema) ||
    isSchemaItself(node, schema) ||
    isNamingOption(node, schema) ||
    isPathSetting(node, schema) ||
    isSettingPath(node, schema) ||
    isReachingUnnamed(key, node, schema) ||
    (key === 'A_Const' && isWatched(constantOf(node), { schema, watch }))
  );
}

const SCHEMA_FIELDS = ['schemaname', 'newschema', 'local_schema', 'remote_schema'] as const;

const TYPE_FIELDS = ['objtype', 'objectType', 'removeType', 'renameType', 'targtype'] as const;

const SCHEMA_TYPES: ReadonlySet<unknown> = new Set([
  ...['OBJECT_SCHEMA', 'ACL_TARGET_ALL_IN_SCHEMA'],
  ...['REINDEX_OBJECT_SCHEMA', 'PUBLICATIONOBJ_TABLES_IN_SCHEMA'],
]);

/** Whether a statement is about the schema as such: GRANT, DROP, ALTER, COMMENT and their like. */
function isSchemaItself(node: SyntaxNode, schema: string): boolean {
  const types = [...TYPE_FIELDS.map((field) => node[field]), node['kind'], node['pubobjtype']];
  if (types.some((type) => SCHEMA_TYPES.has(type))) {
    const { name, subname, newname, object, objects } = node;
    return [name, subname, newname, ...stringsOf(object), ...stringsOf(objects)].includes(schema);
  }
  // CREATE SCHEMA AUTHORIZATION without a name takes the role's.
  return node['schemaname'] === undefined && textOf(node['authrole'], 'rolename') === schema;
}

const SCHEMA_OPTIONS: ReadonlySet<unknown> = new Set(['schema', 'schemas', 'schema_name']);

/** Whether an option names it: WITH SCHEMA, IN SCHEMA, or AS with the text of a function or DO. */
function isNamingOption(node: SyntaxNode, schema: string): boolean {
  if (SCHEMA_OPTIONS.has(node['defname'])) {
    return stringsOf(node['arg']).includes(schema);
  }
  return node['defname'] === 'as' && stringsOf(node['arg']).some((b) => mentionsName(b, schema));
}

function isPathSetting(node: SyntaxNode, schema: string): boolean {
  const isSet = textOf(node, 'kind')?.startsWith('VAR_SET') === true;
  return (
    isSet &&
    PATH_SETTINGS.has(foldName(textOf(node, 'name') ?? '')) &&
    listOf(node['args']).some((value) => isPathTo(constantOf(value) ?? '', schema))
  );
}

/** Whether set_config sets the path to this schema, or to what is not told. */
function isSettingPath(node: SyntaxNode, schema: string): boolean {
  if (functionOf(node) !== 'set_config') {
    return false;
  }
  const [setting, value] = listOf(node['args']).map(plainConstant);
  if (setting === undefined || !PATH_SETTINGS.has(foldName(setting))) {
    return setting === undefined;
  }
  return value === undefined || isPathTo(value, schema);
}

function isWatched(text: string | undefined, { schema, watch }: Place): boolean {
  if (text === undefined || watch === 'nothing') {
    return false;
  }
  return watch === 'names' ? mentionsName(text, schema) : mentionsQualifier(text, schema);
}

/** Types whose values are written as names. */
const NAME_TYPES: ReadonlySet<string> = new Set([
  ...['regclass', 'regnamespace', 'regproc', 'regprocedure', 'regtype', 'regoper'],
  ...['regoperator', 'regconfig', 'regdictionary', 'regcollation'],
]);

/** Functions whose strings are names of settings and their values. */
const SETTING_FUNCTIONS: ReadonlySet<string> = new Set(['current_setting', 'set_config']);

// A function may take a string for a name, or for a statement.
function watchBelow(key: string, node: SyntaxNode, watch: Watch): Watch {
  if (watch === 'names' || isCastToName(node) || isUpdateOfSettings(key, node)) {
    return 'names';
  }
  const name = functionOf(node);
  if (SETTING_FUNCTIONS.has(name)) {
    return 'nothing';
  }
  return name !== '' || key === 'ExecuteStmt' ? 'qualifiers' : watch;
}

function isCastToName(node: SyntaxNode): boolean {
  const type = stringsOf(childOf(node, 'typeName')?.['names']).at(-1);
  return type !== undefined && NAME_TYPES.has(type);
}

// A rule of the server makes it set_config.
function isUpdateOfSettings(key: string, node: SyntaxNode): boolean {
  return key === 'UpdateStmt' && textOf(node['relation'], 'relname') === 'pg_settings';
}

/** The names of a String, of a List of them, and of an array of them. */
function stringsOf(value: unknown): readonly string[] {
  const items = Array.isArray(value) ? listOf(value) : listOf(childOf(value, 'List')?.['items']);
  return [value, ...items]
    .map((item) => textOf(childOf(item, 'String'), 'sval'))
    .filter((name) => name !== undefined);
}
