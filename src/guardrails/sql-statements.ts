import assert from 'node:assert/strict';
import { constantOf, isSyntaxNode, listOf, optionsOf, textOf } from './sql-syntax.ts';
import type { SyntaxNode } from './sql-syntax.ts';

/** Where in a Query message something stands. */
interface Place {
  /** The statement of the batch, counted from 1. */
  readonly number: number;
  /** Whether it is part of another statement. */
  readonly isNested: boolean;
  /** Whether it is in an EXPLAIN without ANALYZE: planned, not run. */
  readonly isPlannedOnly: boolean;
}

export interface FoundStatement extends Place {
  /** Its node type in the grammar; IntoClause and LockingClause stand for those of a SELECT. */
  readonly type: string;
  readonly node: SyntaxNode;
}

export interface FoundCall extends Place {
  /** The function's own name, without its schema. */
  readonly name: string;
  /** Its FuncCall; undefined where it is written as an attribute. */
  readonly node: SyntaxNode | undefined;
}

/** Everything in a Query message that a policy decides on. */
export interface Findings {
  readonly statements: FoundStatement[];
  /** Functions that are called or, written `value.name`, may be. */
  readonly calls: FoundCall[];
}

interface Visit {
  readonly value: unknown;
  readonly place: Place;
}

/**
 * The statements of a Query message, those within CTEs, EXPLAIN, PREPARE, cursors, COPY, views,
 * rules, schemas and function bodies included, and the functions that they call.
 *
 * @param tree what the parser gave
 * @throws AssertionError for a tree of another shape
 */
export function findStatements(tree: unknown): Findings {
  assert.ok(isSyntaxNode(tree), 'A syntax tree is an object');
  assert.ok(Array.isArray(tree['stmts']), 'A syntax tree has a list of statements');
  const findings: Findings = { statements: [], calls: [] };
  for (const [index, value] of listOf(tree['stmts']).entries()) {
    const before = findings.statements.length;
    walk({ value, place: { number: index + 1, isNested: false, isPlannedOnly: false } }, findings);
    assert.ok(findings.statements.length > before, 'A batch consists of statements');
  }
  return findings;
}

// A stack of its own: a chain of 10 000 operators is as deep as a tree gets.
function walk(root: Visit, findings: Findings): void {
  const pending = [root];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { value, place } = visit;
    if (isSyntaxNode(value)) {
      visitFields(value, place, { pending, findings });
      continue;
    }
    for (const item of listOf(value)) {
      pending.push({ value: item, place });
    }
  }
}

interface Walk {
  readonly pending: Visit[];
  readonly findings: Findings;
}

function visitFields(node: SyntaxNode, place: Place, { pending, findings }: Walk): void {
  for (const key in node) {
    const value = node[key];
    if (typeof value !== 'object' || value === null) {
      continue;
    }
    const type = statementType(key);
    if (type === undefined) {
      noteCalls({ key, value, node, place }, findings.calls);
      pending.push({ value, place });
      continue;
    }
    const statement = isSyntaxNode(value) ? value : {};
    findings.statements.push({ type, node: statement, ...place });
    pending.push({ value, place: within(type, statement, place) });
  }
}

/** The node type of a statement, when the key is one or stands for a clause that acts as one. */
function statementType(key: string): string | undefined {
  if (key === 'intoClause') {
    return 'IntoClause';
  }
  if (key === 'lockingClause') {
    return 'LockingClause';
  }
  // Fields begin in lower case, such as selectStmt of InsertStmt.
  const first = key.charCodeAt(0);
  return key.endsWith('Stmt') && first >= 65 && first <= 90 ? key : undefined;
}

function within(type: string, node: SyntaxNode, place: Place): Place {
  const isPlan = type === 'ExplainStmt' && !isAnalyzing(node);
  return { ...place, isNested: true, isPlannedOnly: place.isPlannedOnly || isPlan };
}

// The last option wins on the server; here one that is not plainly off is enough.
function isAnalyzing(explain: SyntaxNode): boolean {
  return optionsOf(explain['options']).some(({ name, value }) => {
    const written = constantOf(value)?.toLowerCase() ?? 'true';
    return name.toLowerCase() === 'analyze' && !['false', 'off', '0'].includes(written);
  });
}

interface Field {
  readonly key: string;
  readonly value: object;
  readonly node: SyntaxNode;
  readonly place: Place;
}

// PostgreSQL calls f for both f(x) and x.f, where x may be a column, a row or any expression.
function noteCalls({ key, value, node, place }: Field, calls: FoundCall[]): void {
  if (key === 'funcname') {
    const name = lastName(value);
    calls.push({ name, node, ...place });
  } else if (key === 'ColumnRef' && isSyntaxNode(value) && listOf(value['fields']).length > 1) {
    calls.push({ name: lastName(value['fields']), node: undefined, ...place });
  } else if (key === 'indirection') {
    calls.push(...namesOf(value).map((name) => ({ name, node: undefined, ...place })));
  }
}

function lastName(value: unknown): string {
  return namesOf(value).at(-1) ?? '';
}

function namesOf(value: unknown): readonly string[] {
  return listOf(value)
    .map((item) => (isSyntaxNode(item) ? textOf(item['String'], 'sval') : undefined))
    .filter((name) => name !== undefined);
}
