import { isRefusedFunction, READ_ONLY_REFUSED_SETTINGS } from './sql-functions.ts';
import { kindsOf } from './sql-kinds.ts';
import type { Findings, FoundStatement } from './sql-statements.ts';
import { constantOf, foldName, listOf, optionsOf, textOf } from './sql-syntax.ts';

/** Kinds that read-only access admits; SET, BEGIN and their like on the conditions below. */
export const READ_ONLY_KINDS: ReadonlySet<string> = new Set([
  ...['SELECT', 'EXPLAIN', 'SHOW', 'COPY TO'],
  ...['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE'],
  ...['SET', 'RESET', 'SET TRANSACTION', 'SET SESSION CHARACTERISTICS', 'SET CONSTRAINTS'],
  ...['DECLARE', 'FETCH', 'MOVE', 'CLOSE', 'PREPARE', 'EXECUTE', 'DEALLOCATE'],
  ...['DISCARD', 'UNLISTEN'],
]);

/** What read-only access refuses, in words, and in which statement of the batch. */
export interface ReadOnlyRefusal {
  readonly what: string;
  readonly number: number;
}

/**
 * The first thing in a Query message that read-only access refuses. Half of a lock: the other one
 * is the session's default_transaction_read_only. This half refuses what would open that one, and
 * what that one lets through.
 */
export function findReadOnlyRefusal(findings: Findings): ReadOnlyRefusal | undefined {
  for (const statement of findings.statements) {
    const what = refusedIn(statement);
    if (what !== undefined) {
      return { what, number: statement.number };
    }
  }
  const call = findings.calls.find(({ name, node }) => isRefusedFunction(name, node));
  return call === undefined ? undefined : { what: `Function ${call.name}`, number: call.number };
}

// A plain EXPLAIN plans a write and does not run it; EXPLAIN ANALYZE runs it.
function refusedIn({ type, node, isPlannedOnly }: FoundStatement): string | undefined {
  if (isPlannedOnly) {
    return undefined;
  }
  const needs = kindsOf(type, node)?.needs ?? [type];
  const refused = needs.find((kind) => !READ_ONLY_KINDS.has(kind));
  if (refused !== undefined) {
    return refused;
  }
  if (type === 'VariableSetStmt') {
    return refusedSetting(node);
  }
  return type === 'TransactionStmt' && hasReadWrite(node['options'])
    ? `${needs.join()} READ WRITE`
    : undefined;
}

// RESET and SET … TO DEFAULT of default_transaction_read_only go back to the value of the start
// of the session, which is on. Before PostgreSQL 16 those of transaction_read_only turn it off.
function refusedSetting(node: FoundStatement['node']): string | undefined {
  const kind = textOf(node, 'kind');
  if (kind === 'VAR_SET_MULTI') {
    return hasReadWrite(node['args']) ? `SET ${textOf(node, 'name') ?? ''} READ WRITE` : undefined;
  }
  const name = foldName(textOf(node, 'name') ?? '');
  const isReset = kind !== 'VAR_SET_VALUE';
  if (isReset && name !== 'transaction_read_only') {
    return undefined;
  }
  const isRefused = READ_ONLY_REFUSED_SETTINGS.has(name) && !isOn(node['args']);
  return isRefused ? `${isReset ? 'RESET' : 'SET'} ${name}` : undefined;
}

function isOn(args: unknown): boolean {
  const values = listOf(args).map((value) => constantOf(value)?.toLowerCase() ?? '');
  return values.length === 1 && values.every((value) => ['on', 'true', 'yes', '1'].includes(value));
}

// READ ONLY is the constant 1 and READ WRITE the constant 0.
function hasReadWrite(options: unknown): boolean {
  return optionsOf(options).some(
    ({ name, value }) => name === 'transaction_read_only' && constantOf(value) !== '1',
  );
}
