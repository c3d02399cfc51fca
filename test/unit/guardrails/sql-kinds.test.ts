import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { STATEMENT_KINDS } from '../../../src/guardrails/sql-kind-tables.ts';
import { kindsOf } from '../../../src/guardrails/sql-kinds.ts';
import { SqlParser } from '../../../src/guardrails/sql-parser.ts';
import { findStatements } from '../../../src/guardrails/sql-statements.ts';
import { STATEMENTS } from '../../support/sql-statement-corpus.ts';

// The grammar's own lists come with libpg-query, as a dependency of it.
const { resolve } = createRequire(createRequire(import.meta.url).resolve('libpg-query'));
const GRAMMAR_TYPES = readFileSync(resolve('@pgsql/types/types.d.ts'), 'utf8');
const GRAMMAR_ENUMS = readFileSync(resolve('@pgsql/types/enums.d.ts'), 'utf8');

/** Made by the server's later stages or by PL/pgSQL: no text of a Query message yields them. */
const NEVER_PARSED = ['PLAssignStmt', 'RawStmt', 'SetOperationStmt'];

let parser: SqlParser;

beforeAll(async () => {
  parser = await SqlParser.create();
});

function statementsOf(text: string): ReturnType<typeof findStatements>['statements'] {
  return findStatements(parser.parse(Buffer.from(text))).statements;
}

describe('kindsOf', () => {
  it.each(STATEMENTS)('of %s', (text, types, kinds) => {
    const statements = statementsOf(text);

    expect(
      statements
        .map(({ type }) => type)
        .sort()
        .join(' '),
    ).toBe(types);
    expect(
      statements
        .flatMap(({ type, node }) => kindsOf(type, node)?.needs ?? ['unknown'])
        .sort()
        .join(', '),
    ).toBe(kinds);
  });

  it('knows every statement of the grammar but those that no text yields', () => {
    const known = new Set(STATEMENTS.flatMap(([, types]) => types.split(' ')));
    const grammar = [...GRAMMAR_TYPES.matchAll(/^export interface (\w+Stmt) /gm)].map(
      ([, type = '']) => type,
    );

    expect(grammar.length).toBeGreaterThan(100);
    expect(grammar.filter((type) => !known.has(type)).sort()).toEqual(NEVER_PARSED);
  });

  it('knows every field in which a statement stands without its type', () => {
    const fields = [...GRAMMAR_TYPES.matchAll(/^ {4}(\w+)\?: (\w+Stmt);/gm)];

    // larg and rarg are parts of one SELECT, val is of PLAssignStmt, setstmt belongs to an
    // ALTER, base is the table of CREATE FOREIGN TABLE, action is read by kindsOf.
    expect([...new Set(fields.map(([, name]) => name))].sort()).toEqual([
      'action',
      'base',
      'larg',
      'rarg',
      'setstmt',
      'val',
    ]);
  });

  it('knows every object type but those that no CREATE, ALTER or DROP names', () => {
    const [, types = ''] = /export type ObjectType = (.*);/.exec(GRAMMAR_ENUMS) ?? [];
    const unknown = [...types.matchAll(/"(\w+)"/g)]
      .map(([, type = '']) => type)
      .filter(
        (type) =>
          kindsOf('DropStmt', { removeType: type }) === undefined &&
          kindsOf('AlterOwnerStmt', { objectType: type }) === undefined,
      );

    expect(unknown).toEqual([
      ...['OBJECT_AMOP', 'OBJECT_AMPROC', 'OBJECT_COLUMN', 'OBJECT_DEFAULT', 'OBJECT_DEFACL'],
      ...['OBJECT_PARAMETER_ACL', 'OBJECT_PUBLICATION_NAMESPACE', 'OBJECT_PUBLICATION_REL'],
      'OBJECT_USER_MAPPING',
    ]);
  });

  it.each([
    ['FutureStmt', {}],
    ['RawStmt', { stmt: {} }],
    ['DropStmt', {}],
    ['DropStmt', { removeType: 'OBJECT_FUTURE' }],
    ['AlterTableStmt', { objtype: 'OBJECT_CAST' }],
    ['DefineStmt', { kind: 'OBJECT_TABLESPACE_MAP' }],
    ['TransactionStmt', { kind: 'TRANS_STMT_FUTURE' }],
    ['VariableSetStmt', { kind: 'VAR_FUTURE', name: 'x' }],
    ['constructor', {}],
  ])('gives nothing for what it does not know: %s %j', (type, node) => {
    expect(kindsOf(type, node)).toBeUndefined();
  });

  it('tells what a MERGE does besides', () => {
    const [merge] = statementsOf(
      'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE ' +
        'WHEN NOT MATCHED THEN INSERT VALUES (1) ' +
        'WHEN NOT MATCHED BY SOURCE THEN UPDATE SET a = 1 ' +
        'WHEN MATCHED THEN DO NOTHING',
    );

    expect(kindsOf('MergeStmt', merge?.node ?? {})).toEqual({
      needs: ['MERGE'],
      implies: ['DELETE', 'INSERT', 'UPDATE'],
    });
  });
});

describe('STATEMENT_KINDS', () => {
  it('is sorted, without doubles, in the words of the manual', () => {
    expect([...STATEMENT_KINDS].sort()).toEqual(STATEMENT_KINDS);
    expect(new Set(STATEMENT_KINDS).size).toBe(STATEMENT_KINDS.length);
    expect(STATEMENT_KINDS.filter((kind) => !/^[A-Z]+( [A-Z]+)*$/.test(kind))).toEqual([]);
  });

  it('holds every kind of the statements above', () => {
    const kinds = new Set(STATEMENTS.flatMap(([, , needs]) => needs.split(', ')));

    expect([...kinds].filter((kind) => !STATEMENT_KINDS.includes(kind))).toEqual([]);
  });
});
