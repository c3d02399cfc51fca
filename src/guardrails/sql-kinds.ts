import { KIND_OF_NODE, OBJECT_WORDS, STATEMENT_KINDS } from './sql-kind-tables.ts';
import { childOf, foldName, listOf, textOf } from './sql-syntax.ts';
import type { SyntaxNode } from './sql-syntax.ts';

/** What a statement is, in the words of WIRE_ALLOW and WIRE_DENY. */
export interface StatementKinds {
  /** Each has to be permitted. */
  readonly needs: readonly string[];
  /** What it also does: a deny list that names one of them refuses it. */
  readonly implies: readonly string[];
}

const KNOWN: ReadonlySet<string> = new Set(STATEMENT_KINDS);

/**
 * The kinds of one statement, what is nested in it not counted.
 *
 * @param type its node type, such as DropStmt
 * @returns undefined for a statement that the tables do not know: it has to be refused
 */
export function kindsOf(type: string, node: SyntaxNode): StatementKinds | undefined {
  const kind = KIND_OF_NODE.get(type);
  const needs = kind === undefined ? DISTINGUISH.get(type)?.(node) : [kind];
  if (needs?.every((need) => KNOWN.has(need)) !== true) {
    return undefined;
  }
  return { needs, implies: type === 'MergeStmt' ? mergeActions(node) : [] };
}

const TRANSACTION_KINDS: ReadonlyMap<string, string> = new Map([
  ['TRANS_STMT_BEGIN', 'BEGIN'],
  ['TRANS_STMT_START', 'BEGIN'],
  ['TRANS_STMT_COMMIT', 'COMMIT'],
  ['TRANS_STMT_ROLLBACK', 'ROLLBACK'],
  ['TRANS_STMT_ROLLBACK_TO', 'ROLLBACK'],
  ['TRANS_STMT_SAVEPOINT', 'SAVEPOINT'],
  ['TRANS_STMT_RELEASE', 'RELEASE'],
  ['TRANS_STMT_PREPARE', 'PREPARE TRANSACTION'],
  ['TRANS_STMT_COMMIT_PREPARED', 'COMMIT PREPARED'],
  ['TRANS_STMT_ROLLBACK_PREPARED', 'ROLLBACK PREPARED'],
]);

// SET forms that have a name of their own; the two settings are what SET ROLE and SET SESSION
// AUTHORIZATION become in the tree.
const SET_KINDS: ReadonlyMap<string, string> = new Map([
  ['transaction', 'SET TRANSACTION'],
  ['transaction snapshot', 'SET TRANSACTION'],
  ['session characteristics', 'SET SESSION CHARACTERISTICS'],
  ['role', 'SET ROLE'],
  ['session_authorization', 'SET SESSION AUTHORIZATION'],
]);

const SET_VERBS: ReadonlyMap<string, string> = new Map([
  ['VAR_SET_VALUE', 'SET'],
  ['VAR_SET_DEFAULT', 'SET'],
  ['VAR_SET_CURRENT', 'SET'],
  ['VAR_SET_MULTI', 'SET'],
  ['VAR_RESET', 'RESET'],
  ['VAR_RESET_ALL', 'RESET'],
]);

const MERGE_ACTIONS: ReadonlyMap<string, string> = new Map([
  ['CMD_INSERT', 'INSERT'],
  ['CMD_UPDATE', 'UPDATE'],
  ['CMD_DELETE', 'DELETE'],
]);

// Node types that a field tells apart. A kind that comes out unknown is refused above.
const DISTINGUISH: ReadonlyMap<string, (node: SyntaxNode) => readonly string[]> = new Map([
  ['InsertStmt', insertKinds],
  ['MergeStmt', () => ['MERGE']],
  ['CopyStmt', copyKinds],
  ['TransactionStmt', (node) => [wordOf(TRANSACTION_KINDS, textOf(node, 'kind'))]],
  ['VariableSetStmt', (node) => [setKind(node)]],
  ['FetchStmt', (node) => [node['ismove'] === true ? 'MOVE' : 'FETCH']],
  ['VacuumStmt', (node) => [node['is_vacuumcmd'] === true ? 'VACUUM' : 'ANALYZE']],
  ['GrantStmt', (node) => [grantKind(node)]],
  ['GrantRoleStmt', (node) => [grantKind(node)]],
  [
    'AlterDefaultPrivilegesStmt',
    (node) => ['ALTER DEFAULT PRIVILEGES', grantKind(childOf(node, 'action'))],
  ],
  ['CreateTableAsStmt', (node) => [createAsKind(node)]],
  [
    'CreateFunctionStmt',
    (node) => [node['is_procedure'] === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION'],
  ],
  ['DefineStmt', (node) => [objectKind('CREATE', node, 'kind')]],
  ['DropStmt', (node) => [objectKind('DROP', node, 'removeType')]],
  ['AlterTableStmt', (node) => [objectKind('ALTER', node, 'objtype')]],
  ['AlterTableMoveAllStmt', (node) => [objectKind('ALTER', node, 'objtype')]],
  ['AlterFunctionStmt', (node) => [objectKind('ALTER', node, 'objtype')]],
  ['AlterObjectSchemaStmt', (node) => [objectKind('ALTER', node, 'objectType')]],
  ['AlterObjectDependsStmt', (node) => [objectKind('ALTER', node, 'objectType')]],
  ['AlterOwnerStmt', (node) => [objectKind('ALTER', node, 'objectType')]],
  ['RenameStmt', (node) => [objectKind('ALTER', node, renamedField(node))]],
]);

/** The word, or one that no kind has. */
function wordOf(words: ReadonlyMap<string, string>, key: string | undefined): string {
  return words.get(key ?? '') ?? '?';
}

function objectKind(verb: string, node: SyntaxNode, field: string): string {
  return `${verb} ${wordOf(OBJECT_WORDS, textOf(node, field))}`;
}

// A renamed column is named by what has the column.
function renamedField(node: SyntaxNode): string {
  return textOf(node, 'renameType') === 'OBJECT_COLUMN' ? 'relationType' : 'renameType';
}

// ON CONFLICT DO UPDATE needs the privilege UPDATE on the server too.
function insertKinds(node: SyntaxNode): readonly string[] {
  const action = textOf(childOf(node, 'onConflictClause'), 'action');
  return action === 'ONCONFLICT_UPDATE' ? ['INSERT', 'UPDATE'] : ['INSERT'];
}

function mergeActions(node: SyntaxNode): readonly string[] {
  return listOf(node['mergeWhenClauses'])
    .map((item) => textOf(childOf(item, 'MergeWhenClause'), 'commandType') ?? '')
    .flatMap((action) => MERGE_ACTIONS.get(action) ?? []);
}

// A file or a program of the server is a permission of its own, whichever the direction.
function copyKinds(node: SyntaxNode): readonly string[] {
  const direction = node['is_from'] === true ? 'COPY FROM' : 'COPY TO';
  if (node['is_program'] === true) {
    return [direction, 'COPY PROGRAM'];
  }
  return node['filename'] === undefined ? [direction] : [direction, 'COPY FILE'];
}

function setKind(node: SyntaxNode): string {
  const verb = wordOf(SET_VERBS, textOf(node, 'kind'));
  return verb === 'SET' ? (SET_KINDS.get(foldName(textOf(node, 'name') ?? '')) ?? verb) : verb;
}

function grantKind(node: SyntaxNode | undefined): string {
  return node?.['is_grant'] === true ? 'GRANT' : 'REVOKE';
}

function createAsKind(node: SyntaxNode): string {
  return textOf(node, 'objtype') === 'OBJECT_MATVIEW'
    ? 'CREATE MATERIALIZED VIEW'
    : 'CREATE TABLE AS';
}
