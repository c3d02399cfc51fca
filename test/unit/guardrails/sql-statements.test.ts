import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SqlParser } from '../../../src/guardrails/sql-parser.ts';
import { findStatements } from '../../../src/guardrails/sql-statements.ts';
import type { Findings } from '../../../src/guardrails/sql-statements.ts';

let parser: SqlParser;

beforeAll(async () => {
  parser = await SqlParser.create();
});

function find(text: string): Findings {
  return findStatements(parser.parse(Buffer.from(text)));
}

/** `number:type`, nested ones in parentheses, planned ones with a question mark. */
function outline(text: string): string {
  return find(text)
    .statements.map(({ number, type, isNested, isPlannedOnly }) => {
      const name = `${number}:${type}${isPlannedOnly ? '?' : ''}`;
      return isNested ? `(${name})` : name;
    })
    .join(' ');
}

describe('findStatements', () => {
  it.each([
    ['', ''],
    [';;', ''],
    ['-- nothing', ''],
    ['SELECT 1', '1:SelectStmt'],
    ['SELECT 1; ; SELECT 2;', '1:SelectStmt 2:SelectStmt'],
    ['COMMIT; DROP TABLE t', '1:TransactionStmt 2:DropStmt'],
    ['SELECT 1 UNION SELECT 2', '1:SelectStmt'],
    ['SELECT (SELECT 1)', '1:SelectStmt (1:SelectStmt)'],
    ['SELECT 1 WHERE EXISTS (SELECT 1)', '1:SelectStmt (1:SelectStmt)'],
    ['SELECT 1 UNION (WITH a AS (DELETE FROM t) SELECT 1)', '1:SelectStmt (1:DeleteStmt)'],
    ['INSERT INTO t SELECT 1', '1:InsertStmt (1:SelectStmt)'],
    ['EXPLAIN DELETE FROM t', '1:ExplainStmt (1:DeleteStmt?)'],
    ['EXPLAIN ANALYZE DELETE FROM t', '1:ExplainStmt (1:DeleteStmt)'],
    ['EXPLAIN (ANALYZE) DELETE FROM t', '1:ExplainStmt (1:DeleteStmt)'],
    ['EXPLAIN (ANALYZE off) DELETE FROM t', '1:ExplainStmt (1:DeleteStmt?)'],
    ["EXPLAIN (ANALYZE 'FALSE') DELETE FROM t", '1:ExplainStmt (1:DeleteStmt?)'],
    ['EXPLAIN (ANALYZE 0) DELETE FROM t', '1:ExplainStmt (1:DeleteStmt?)'],
    ['EXPLAIN (ANALYZE no) DELETE FROM t', '1:ExplainStmt (1:DeleteStmt)'],
    ['EXPLAIN ("ANALYZE") DELETE FROM t', '1:ExplainStmt (1:DeleteStmt)'],
    ['EXPLAIN (ANALYZE false, ANALYZE true) DELETE FROM t', '1:ExplainStmt (1:DeleteStmt)'],
    ['EXPLAIN (VERBOSE, FORMAT json) DELETE FROM t', '1:ExplainStmt (1:DeleteStmt?)'],
    ['PREPARE p AS DELETE FROM t', '1:PrepareStmt (1:DeleteStmt)'],
    ['COPY (SELECT 1) TO STDOUT', '1:CopyStmt (1:SelectStmt)'],
    ['SELECT 1 INTO t', '1:SelectStmt (1:IntoClause)'],
    ['SELECT 1 FOR UPDATE', '1:SelectStmt (1:LockingClause)'],
    ['CREATE FOREIGN TABLE t (a int) SERVER s', '1:CreateForeignTableStmt'],
    ['ALTER ROLE r SET x = 1', '1:AlterRoleSetStmt'],
    [
      'CREATE RULE r AS ON INSERT TO t DO (DELETE FROM u; NOTIFY n)',
      '1:RuleStmt (1:NotifyStmt) (1:DeleteStmt)',
    ],
  ])('finds in %j: %s', (text, expected) => {
    expect(outline(text)).toBe(expected);
  });

  it.each([
    ['SELECT f(1)', 'f'],
    ['SELECT s.f(1), d.s.g(2)', 'f g'],
    ['SELECT * FROM f(1), ROWS FROM (g(2), h(3))', 'f g h'],
    ['CALL p(f(1))', 'f p'],
    ['SELECT f(1) OVER (PARTITION BY g(a)), count(*) FILTER (WHERE h(a))', 'count f g h'],
    ['SELECT (a).f', 'f'],
    ['SELECT (a).f.g[1].h', 'f g h'],
    ['SELECT t.f, s.t.g, a FROM t', 'f g'],
    ['SELECT t.* FROM t', 't'],
    ["SELECT 'f(1)', $$g(2)$$ -- h(3)", ''],
    ['SELECT "F"(1), U&"\\0067"(2)', 'F g'],
    ['PREPARE p AS SELECT f(1); EXECUTE p(g(2))', 'f g'],
  ])('finds the functions of %s', (text, expected) => {
    expect(
      find(text)
        .calls.map(({ name }) => name)
        .sort()
        .join(' '),
    ).toBe(expected);
  });

  it('gives the number of the statement that a function is called in', () => {
    expect(find('SELECT 1; SELECT f(1)').calls).toMatchObject([{ name: 'f', number: 2 }]);
  });

  it('takes a tree of any depth and width', () => {
    let deep: unknown = { DropStmt: {} };
    for (let level = 0; level < 100_000; level += 1) {
      deep = { SelectStmt: { whereClause: [deep] } };
    }
    const wide = Array.from({ length: 300_000 }, () => ({ A_Const: {} }));

    expect(findStatements({ stmts: [{ stmt: deep }] }).statements.at(-1)?.type).toBe('DropStmt');
    expect(
      findStatements({ stmts: [{ stmt: { SelectStmt: { targetList: wide } } }] }).statements,
    ).toHaveLength(1);
  });

  it.each([
    ['no object', null],
    ['no list of statements', {}],
    ['a list instead', []],
    ['text instead', 'stmts'],
    ['a batch entry without a statement', { stmts: [{ stmt: {} }] }],
    ['an empty batch entry', { stmts: [{}] }],
    ['a batch entry of another shape', { stmts: [{ stmt: { A_Const: {} } }] }],
  ])('throws for a tree with %s', (_, tree) => {
    expect(() => findStatements(tree)).toThrow();
  });

  it('takes names and literals for nothing else than that', () => {
    const word = fc.constantFrom(
      'DropStmt',
      '"},"DropStmt":{',
      '\\',
      '"',
      '\n',
      '{',
      '}',
      '\u0001',
    );
    const name = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(''));

    fc.assert(
      fc.property(name, (text) => {
        const quoted = `"${text.replaceAll('"', '""')}"`;
        const literal = `'${text.replaceAll("'", "''")}'`;
        expect(outline(`SELECT ${literal} AS ${quoted} FROM ${quoted}`)).toBe('1:SelectStmt');
      }),
    );
  });
});
