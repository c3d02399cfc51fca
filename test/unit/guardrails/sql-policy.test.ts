import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SqlParser } from '../../../src/guardrails/sql-parser.ts';
import { createSqlPolicy } from '../../../src/guardrails/sql-policy.ts';
import type { SqlPolicy } from '../../../src/guardrails/sql-policy.ts';
import { policyOf, UTF8, verdict } from '../../support/sql-policies.ts';

const TEXT_BYTES_MAX = 1024 * 1024;

describe('createSqlPolicy', () => {
  it('makes no policy of rules that restrict nothing', async () => {
    await expect(
      createSqlPolicy({ allow: [], deny: [], access: 'read-write' }),
    ).resolves.toBeUndefined();
  });

  it.each([{ allow: ['SELECT'] }, { deny: ['DROP'] }, { access: 'read-only' as const }])(
    'makes a policy of %j',
    async (rules) => {
      await expect(
        createSqlPolicy({ allow: [], deny: [], access: 'read-write', ...rules }),
      ).resolves.toBeDefined();
    },
  );

  it('refuses to start with a word that names no kind', async () => {
    await expect(
      createSqlPolicy({ allow: [], deny: ['DORP'], access: 'read-write' }),
    ).rejects.toMatchObject({
      sqlState: '22023',
      message: 'WIRE_DENY names "DORP", which is no kind of statement',
      hint: 'The nearest is DROP; wire/README.md lists all kinds',
    });
  });
});

describe('a deny list', () => {
  it.each([
    [['DROP'], 'DROP TABLE t', 'DROP TABLE in statement 1'],
    [['DROP'], 'drop\ttable\nif exists a, b cascade', 'DROP TABLE in statement 1'],
    [['DROP'], '/* a /* b */ SELECT 1 */ DROP VIEW v', 'DROP VIEW in statement 1'],
    [['DROP'], '-- SELECT\nDROP SCHEMA s', 'DROP SCHEMA in statement 1'],
    [['DROP'], ';;; DROP INDEX i', 'DROP INDEX in statement 1'],
    [['DROP'], 'DROP DATABASE d', 'DROP DATABASE in statement 1'],
    [['DROP'], 'DROP ROLE r', 'DROP ROLE in statement 1'],
    [['DROP'], 'DROP OWNED BY r', 'DROP OWNED in statement 1'],
    [['DROP'], 'DROP TABLESPACE s', 'DROP TABLESPACE in statement 1'],
    [['DROP'], 'DROP SUBSCRIPTION s', 'DROP SUBSCRIPTION in statement 1'],
    [['DROP'], 'DROP USER MAPPING FOR u SERVER s', 'DROP USER MAPPING in statement 1'],
    [['DROP'], 'SELECT 1; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT 1; SELECT 2; COMMIT; DROP TABLE t; SELECT 3', 'DROP TABLE in statement 4'],
    [['DROP'], "SELECT E'O\\'Brien'; DROP TABLE t --'", 'DROP TABLE in statement 2'],
    [['DROP'], "SELECT E'\\''; DROP TABLE t; SELECT E'\\''", 'DROP TABLE in statement 2'],
    [['DROP'], "SELECT 'a''b'; DROP TABLE t", 'DROP TABLE in statement 2'],
    [['DROP'], "SELECT '\\'; DROP TABLE t --'", 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT $$a)b$$; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT $a$ $$ $a$; DROP TABLE t; SELECT $$x$$', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT 1 AS ";"; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP'], 'SELECT 1 AS U&"d\\0061t"; DROP TABLE t', 'DROP TABLE in statement 2'],
    [['DROP TABLE'], 'DROP TABLE t', 'DROP TABLE in statement 1'],
    [['drop  table'], 'DROP TABLE t', 'DROP TABLE in statement 1'],
    [['TRUNCATE'], '/* x */TRUNCATE t', 'TRUNCATE in statement 1'],
    [['COPY'], 'COPY t FROM STDIN', 'COPY FROM in statement 1'],
    [['COPY'], "COPY\n(SELECT 1) TO PROGRAM 'id'", 'COPY TO in statement 1'],
    [['COPY PROGRAM'], "COPY(SELECT 1) TO PROGRAM 'id'", 'COPY PROGRAM in statement 1'],
    [['COPY PROGRAM'], "COPY t FROM PROGRAM 'id'", 'COPY PROGRAM in statement 1'],
    [['COPY FILE'], "COPY t TO '/tmp/t'", 'COPY FILE in statement 1'],
    [['DO'], 'DO/**/$$BEGIN END$$', 'DO in statement 1'],
    [['DO'], 'do language plpgsql $x$BEGIN END$x$', 'DO in statement 1'],
    [['VACUUM'], 'VACUUM\n', 'VACUUM in statement 1'],
    [['LOCK'], 'LOCK\tTABLE t', 'LOCK in statement 1'],
    [['DELETE'], 'WITH d AS (DELETE FROM t RETURNING a) SELECT * FROM d', 'DELETE in statement 1'],
    [['DELETE'], 'EXPLAIN DELETE FROM t', 'DELETE in statement 1'],
    [['DELETE'], 'EXPLAIN (ANALYZE, COSTS off) DELETE FROM t', 'DELETE in statement 1'],
    [['DELETE'], 'PREPARE p AS DELETE FROM t', 'DELETE in statement 1'],
    [['DELETE'], 'COPY (DELETE FROM t RETURNING *) TO STDOUT', 'DELETE in statement 1'],
    [['DELETE'], 'CREATE RULE r AS ON INSERT TO t DO DELETE FROM u', 'DELETE in statement 1'],
    [
      ['DELETE'],
      'CREATE FUNCTION f() RETURNS void BEGIN ATOMIC SELECT 1; DELETE FROM t; END',
      'DELETE in statement 1',
    ],
    [['DELETE'], 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE', 'DELETE in statement 1'],
    [['INSERT'], 'WITH a AS (WITH b AS (INSERT INTO t SELECT 1) SELECT 1) SELECT 1', 'INSERT in'],
    [['UPDATE'], 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2', 'UPDATE in'],
    [['SELECT'], 'DECLARE c CURSOR FOR SELECT 1', 'SELECT in statement 1'],
    [['SELECT'], 'CREATE VIEW v AS SELECT 1', 'SELECT in statement 1'],
    [['SELECT'], 'VALUES (1)', 'SELECT in statement 1'],
    [['TABLE'], 'TABLE t', 'SELECT in statement 1'],
    [['CREATE'], 'SELECT 1 INTO t', 'SELECT INTO in statement 1'],
    [['CREATE TABLE'], 'SELECT 1 UNION SELECT 2 INTO t', 'SELECT INTO in statement 1'],
    [['SELECT INTO'], 'SELECT * INTO TEMP t FROM u', 'SELECT INTO in statement 1'],
    [['CREATE TABLE'], 'CREATE TABLE t AS SELECT 1', 'CREATE TABLE AS in statement 1'],
    [['CREATE TABLE'], 'CREATE SCHEMA s CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['GRANT'], 'CREATE SCHEMA s GRANT SELECT ON t TO r', 'GRANT in statement 1'],
    [['GRANT'], 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r', 'GRANT in statement 1'],
    [['REVOKE'], 'REVOKE r FROM u', 'REVOKE in statement 1'],
    [['ALTER SYSTEM'], 'ALTER SYSTEM SET work_mem = 1', 'ALTER SYSTEM in statement 1'],
    [['ALTER'], 'ALTER TABLE t RENAME COLUMN a TO b', 'ALTER TABLE in statement 1'],
    [['DROP USER'], 'DROP USER u', 'DROP ROLE in statement 1'],
    [['START TRANSACTION'], 'BEGIN', 'BEGIN in statement 1'],
    [['SET'], 'SET ROLE r', 'SET ROLE in statement 1'],
    [['SET ROLE'], 'SET "ROLE" = r', 'SET ROLE in statement 1'],
    [['NOTIFY'], 'CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY n', 'NOTIFY in statement 1'],
  ])('%j refuses %s', async (deny, text, what) => {
    expect(verdict(await policyOf({ deny }), text)).toContain(`42501 ${what}`);
  });

  it.each([
    [['DROP'], "SELECT 'DROP TABLE x'"],
    [['DROP'], 'SELECT 1 AS "DROP TABLE"'],
    [['DROP'], 'SELECT $$;DROP TABLE t;$$ -- ; DROP TABLE t'],
    [['DROP'], '/* DROP TABLE t */ SELECT 1'],
    [['DROP'], "COMMENT ON TABLE t IS 'DROP'"],
    [['DROP'], 'ALTER TABLE t DROP COLUMN a'],
    [['DROP TABLE'], 'DROP VIEW v'],
    [['DELETE'], 'WITH delete AS (SELECT 1) SELECT * FROM delete'],
    [['DELETE'], "SELECT has_table_privilege(current_user, 't', 'DELETE') AS delete"],
    [['UPDATE'], 'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING'],
    [['INSERT'], 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE'],
    [['SELECT INTO'], 'SELECT 1'],
    [['SET CONSTRAINTS'], 'SET search_path = public'],
    [['CREATE ROLE'], 'CREATE USER MAPPING FOR u SERVER s'],
    [['PREPARE'], "PREPARE TRANSACTION 'x'"],
    [['COMMIT'], "COMMIT PREPARED 'x'"],
    [['COPY PROGRAM'], 'COPY t TO STDOUT'],
    [['DROP'], ''],
    [['DROP'], ' \t\n\r\f'],
    [['DROP'], ';'],
    [['DROP'], '-- DROP TABLE t'],
    [['DROP'], '/* ; DROP TABLE t; */;'],
  ])('%j admits %s', async (deny, text) => {
    expect(verdict(await policyOf({ deny }), text)).toBe('admitted');
  });

  it('wins over an allow list and says where it is set', async () => {
    const policy = await policyOf({ allow: ['DROP'], deny: ['DROP TABLE'] });

    expect(verdict(policy, 'DROP VIEW v')).toBe('admitted');
    expect(policy.admit(Buffer.from('SELECT 1; DROP TABLE t'), UTF8)).toMatchObject({
      sqlState: '42501',
      severity: 'ERROR',
      message: 'SELECT in statement 1 is not on the allow list',
      hint: 'WIRE_ALLOW or allow of the listener would have to name SELECT',
      detail: 'Nothing of the query was run',
    });
    expect(policy.admit(Buffer.from('DROP TABLE t'), UTF8)).toMatchObject({
      sqlState: '42501',
      message: 'DROP TABLE in statement 1 is on the deny list',
      hint: 'WIRE_DENY or deny of the listener names DROP TABLE',
      detail: 'Nothing of the query was run',
    });
  });
});

describe('an allow list', () => {
  it.each([
    [['SELECT'], 'SELECT a FROM t UNION TABLE u'],
    [['SELECT'], 'SELECT * FROM t FOR UPDATE'],
    [['SELECT'], 'WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r'],
    [['INSERT'], 'INSERT INTO t SELECT * FROM u'],
    [['INSERT', 'UPDATE'], 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2'],
    [['MERGE'], 'MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE'],
    [['SELECT', 'DELETE'], 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d'],
    [['EXPLAIN'], 'EXPLAIN ANALYZE SELECT 1'],
    [['EXPLAIN', 'DELETE'], 'EXPLAIN DELETE FROM t'],
    [['PREPARE', 'EXECUTE'], 'PREPARE p AS SELECT 1; EXECUTE p'],
    [['CREATE TABLE'], 'CREATE TABLE t AS SELECT 1'],
    [['SELECT', 'CREATE TABLE AS'], 'SELECT 1 INTO t'],
    [['SELECT', 'SELECT INTO'], 'SELECT 1 INTO t'],
    [['CREATE'], 'CREATE SCHEMA s CREATE VIEW v AS SELECT 1'],
    [['CREATE FUNCTION'], 'CREATE FUNCTION f() RETURNS int RETURN 1'],
    [['COPY TO'], 'COPY (SELECT 1) TO STDOUT'],
    [['COPY'], "COPY t FROM PROGRAM 'id'"],
    [['BEGIN', 'COMMIT', 'ROLLBACK'], 'START TRANSACTION; END; ABORT; ROLLBACK TO s'],
    [['ANALYSE'], 'ANALYZE t'],
    [['SELECT'], ''],
  ])('%j admits %s', async (allow, text) => {
    expect(verdict(await policyOf({ allow }), text)).toBe('admitted');
  });

  it.each([
    [['SELECT'], 'INSERT INTO t VALUES (1)', 'INSERT in statement 1'],
    [['SELECT'], 'SELECT 1; TRUNCATE t', 'TRUNCATE in statement 2'],
    [['SELECT'], 'SELECT 1 INTO t', 'SELECT INTO in statement 1'],
    [['SELECT'], '(SELECT 1 INTO t) UNION SELECT 2', 'SELECT INTO in statement 1'],
    [['SELECT'], 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d', 'DELETE in statement 1'],
    [['SELECT'], 'EXPLAIN SELECT 1', 'EXPLAIN in statement 1'],
    [['SELECT'], 'COMMIT', 'COMMIT in statement 1'],
    [['INSERT'], 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2', 'UPDATE in'],
    [['INSERT'], 'WITH d AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM d', 'DELETE in'],
    [['INSERT'], 'INSERT INTO t SELECT a FROM u FOR UPDATE', 'SELECT FOR UPDATE in statement 1'],
    [['EXPLAIN'], 'EXPLAIN ANALYZE DELETE FROM t', 'DELETE in statement 1'],
    [['CREATE VIEW'], 'CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['CREATE SCHEMA'], 'CREATE SCHEMA s CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['CREATE TABLE AS'], 'CREATE TABLE t (a int)', 'CREATE TABLE in statement 1'],
    [['CREATE OPERATOR'], 'CREATE OPERATOR CLASS c FOR TYPE t USING btree AS STORAGE t', 'CREATE OPE'],
    [['COPY TO'], "COPY t TO PROGRAM 'id'", 'COPY PROGRAM in statement 1'],
    [['COPY TO'], "COPY t TO '/tmp/t'", 'COPY FILE in statement 1'],
    [['COPY TO'], 'COPY t FROM STDIN', 'COPY FROM in statement 1'],
    [['PREPARE'], "PREPARE TRANSACTION 'x'", 'PREPARE TRANSACTION in statement 1'],
    [['COMMIT', 'ROLLBACK'], "ROLLBACK PREPARED 'x'", 'ROLLBACK PREPARED in statement 1'],
    [['ALTER'], 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r', 'GRANT in statement 1'],
    [['ANALYZE'], 'VACUUM ANALYZE t', 'VACUUM in statement 1'],
    [['FETCH'], 'MOVE c', 'MOVE in statement 1'],
  ])('%j refuses %s', async (allow, text, what) => {
    expect(verdict(await policyOf({ allow }), text)).toContain(`42501 ${what}`);
  });
});

describe('a text that cannot be judged', () => {
  let policy: SqlPolicy;

  beforeAll(async () => {
    policy = await policyOf({ deny: ['DROP'] });
  });

  it.each([
    ['SELECT FROM WHERE', 13, 'syntax error at or near "WHERE"'],
    ["SELECT 'é', FROM FROM t", 13, 'syntax error at or near "FROM"'],
    ['SELECT 1 1', 10, 'syntax error at or near "1"'],
    ['DELETE  t', 9, 'syntax error at or near "t"'],
    ["SELECT 'open", 8, 'unterminated quoted string at or near "\'open"'],
    ['SELECT /* open', 8, 'unterminated /* comment at or near "/* open"'],
    ['CREATE ASSERTION a CHECK (true)', 1, 'CREATE ASSERTION is not yet implemented'],
  ])('is refused as PostgreSQL would: %s', (text, position, message) => {
    expect(policy.admit(Buffer.from(text), UTF8)).toMatchObject({
      sqlState: '42601',
      position,
      message,
      detail: 'Nothing of the query was run: the policy reads it with the grammar of PostgreSQL 18',
    });
  });

  it.each([
    ['other spaces than those of PostgreSQL', 'DROP\u00a0TABLE\u2003t'],
    ['a byte order mark', '\ufeffDROP TABLE t'],
    ['a vertical tab in a word', 'DR\vOP TABLE t'],
    ['a dollar quote that continues a word', 'DO$$BEGIN END$$'],
    ['shell text of another database', 'db.t.find({})'],
    ['a psql command', '\\d t'],
  ])('is refused: %s', (_, text) => {
    expect(verdict(policy, text)).toContain('42601 ');
  });

  it('quotes no more than the start of what it does not understand', () => {
    const message = verdict(policy, `SELECT ${'%'.repeat(100_000)}`);

    expect(message).toContain('42601 operator too long at or near "%%%');
    expect(message.length).toBeLessThan(300);
  });

  it('is admitted up to 1 MiB and refused beyond', () => {
    const longest = `SELECT '${'x'.repeat(TEXT_BYTES_MAX - 9)}'`;

    expect(verdict(policy, longest)).toBe('admitted');
    expect(verdict(policy, `${longest};`)).toBe(
      '54000 Query of 1048577 bytes is over the 1048576 bytes that the policy reads',
    );
  });

  it.each([
    ['20 000 parentheses', `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['20 000 unary operators', `SELECT ${'- '.repeat(20_000)}1`],
    ['nested queries', `SELECT ${'(SELECT '.repeat(20_000)}1`],
    ['nested comments without an end', '/*'.repeat(500_000)],
    ['operators without a space', `SELECT 1${'+-'.repeat(500_000)}`],
  ])('is refused without harm when it is too complex: %s', (_, text) => {
    expect(verdict(policy, text)).toContain('54001 ');
    expect(verdict(policy, 'SELECT 1')).toBe('admitted');
    expect(verdict(policy, 'DROP TABLE t')).toContain('42501 ');
  });

  it('is refused whatever goes wrong underneath', () => {
    const broken = {
      get length(): number {
        throw new Error('not bytes');
      },
    };

    expect(Reflect.apply(policy.admit, policy, [broken, UTF8])).toMatchObject({
      sqlState: 'XX000',
      message: 'Query could not be judged by the policy',
      cause: new Error('not bytes'),
    });
  });

  it('keeps admitting after a hundred texts that overflow the parser', async () => {
    const chain = Buffer.from(`SELECT 1${' + 1'.repeat(30_000)}`);
    for (let round = 0; round < 100; round += 1) {
      expect(policy.admit(chain, UTF8)).toMatchObject({
        sqlState: '54001',
        message: 'The query is too complex for the SQL parser',
        hint: 'Break up long chains of operators, UNION or nested queries',
      });
      expect(verdict(policy, 'SELECT 1; SELECT 2')).toBe('admitted');
      // The next event of a socket is later than all microtasks.
      await new Promise(setImmediate);
    }

    expect(verdict(policy, 'SELECT 1; DROP TABLE t')).toContain('42501 DROP TABLE in statement 2');
  });
});

describe('a text that PostgreSQL may read in another way', () => {
  let policy: SqlPolicy;

  beforeAll(async () => {
    policy = await policyOf({ deny: ['DROP'] });
  });

  const latin = Buffer.from("SELECT 'caf\u00e9'", 'latin1');
  // In SJIS 0x95 0x5c is one letter; to a reader of bytes it ends with a backslash.
  const sjis = Buffer.from([...Buffer.from("SELECT '"), 0x95, 0x5c, ...Buffer.from("'")]);

  it.each([
    ['UTF8', "SELECT 'café', '日本'", 'admitted'],
    ['utf-8', "SELECT 'café'", 'admitted'],
    ["'utf-8'", "SELECT 'café'", 'admitted'],
    ['UNICODE', "SELECT 'café'", 'admitted'],
    ['SQL_ASCII', "SELECT 'café'", 'admitted'],
    ['SQL_ASCII', latin, '22021 Query is not valid UTF8'],
    ['UTF8', latin, '22021 Query is not valid UTF8'],
    ['UTF8', Buffer.from([0xc0, 0xa7]), '22021 Query is not valid UTF8'],
    ['UTF8', Buffer.from([0xed, 0xa0, 0x80]), '22021 Query is not valid UTF8'],
    ['UTF8', sjis, '22021 Query is not valid UTF8'],
    ['LATIN1', 'SELECT 1', 'admitted'],
    ['GBK', 'SELECT 1; DROP TABLE t', '42501 DROP TABLE in statement 2 is on the deny list'],
  ])('is judged by the encoding %s: %s', (clientEncoding, text, expected) => {
    expect(verdict(policy, text, { ...UTF8, clientEncoding })).toBe(expected);
  });

  it.each(['LATIN1', 'SJIS', 'GBK', 'BIG5', 'WIN1252', 'EUC_JP', ''])(
    'is refused when it is not ASCII and the encoding is %j',
    (clientEncoding) => {
      expect(policy.admit(sjis, { ...UTF8, clientEncoding })).toMatchObject({
        sqlState: '0A000',
        message: 'Query has letters outside ASCII, which the policy can read only as UTF8',
        hint: 'SET client_encoding TO UTF8 and send the text in it',
      });
    },
  );

  it('is refused with a backslash while backslashes escape in plain strings', () => {
    const settings = { ...UTF8, standardConformingStrings: false };
    const text = "SELECT '\\'; DROP TABLE t; --'";

    expect(policy.admit(Buffer.from(text), settings)).toMatchObject({
      sqlState: '0A000',
      hint: 'SET standard_conforming_strings TO on',
    });
    expect(verdict(policy, "SELECT 'it''s'", settings)).toBe('admitted');
    expect(verdict(policy, 'SET standard_conforming_strings TO on', settings)).toBe('admitted');
    expect(verdict(policy, "SELECT '\\'")).toBe('admitted');
  });

  it('is refused with a zero byte, as what follows would not be read', () => {
    expect(verdict(policy, 'SELECT 1\0; DROP TABLE t')).toBe(
      '08P01 Query has a zero byte in its text',
    );
  });
});

describe('any text at all', () => {
  const fragments = fc.constantFrom(
    ...["'", "''", '"', 'E\'', "U&'", '$$', '$a$', '/*', '*/', '--', '\\', '\n', ';', '(', ')'],
    ...[' DROP TABLE t', ' SELECT 1', ' EXPLAIN ', ' DROP ', ' TABLE ', ' x', '1', ',', ' AS '],
    ...['\u00e9', '\u00a0', ' WITH x AS (DELETE FROM t)', ' PREPARE p AS ', ' COPY ', ' TO STDOUT'],
  );

  it('never makes admit throw', async () => {
    const policies = [await policyOf({ deny: ['DROP'] }), await policyOf({ access: 'read-only' })];
    const texts = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fragments, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''))),
    );
    const settings = fc.record({
      clientEncoding: fc.oneof(fc.constantFrom('UTF8', 'SJIS'), fc.string()),
      standardConformingStrings: fc.boolean(),
    });

    fc.assert(
      fc.property(texts, settings, (text, lexical) => {
        for (const policy of policies) {
          policy.admit(text, lexical);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is not admitted with a DropStmt in its tree when DROP is denied', async () => {
    const policy = await policyOf({ deny: ['DROP'] });
    const parser = await SqlParser.create();

    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 30 }), (parts) => {
        const text = Buffer.from(parts.join(''));
        fc.pre(policy.admit(text, UTF8) === undefined);
        expect(JSON.stringify(parser.parse(text))).not.toMatch(/"Drop\w*Stmt":/);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when a denied statement stands anywhere in a batch', async () => {
    const policy = await policyOf({ deny: ['DROP'] });
    const harmless = fc.constantFrom(
      ...["SELECT ';'", 'SELECT $$;$$', 'COMMIT', "SELECT E'\\''", '/* ; */', 'SELECT 1 -- ;\n'],
    );

    fc.assert(
      fc.property(fc.array(harmless), fc.array(harmless), (before, after) => {
        const text = [...before, 'DROP TABLE t', ...after].join(';');
        expect(verdict(policy, text)).toContain('42501 DROP TABLE in statement');
      }),
      { numRuns: 300 },
    );
  });
});
