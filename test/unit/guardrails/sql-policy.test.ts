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
    ["SELECT E'\\xff'", undefined, 'invalid byte sequence for encoding "UTF8": 0xff'],
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
    const broken = Buffer.from('SELECT 1');
    Object.defineProperty(broken, 'length', {
      get() {
        throw new Error('not bytes');
      },
    });

    expect(policy.admit(broken, UTF8)).toMatchObject({
      sqlState: 'XX000',
      message: 'Query could not be judged by the policy',
      cause: new Error('not bytes'),
    });
  });

  it('keeps admitting after sixty texts that overflow the parser', async () => {
    const chain = Buffer.from(`SELECT 1${' + 1'.repeat(30_000)}`);
    for (let round = 0; round < 60; round += 1) {
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
    ...["'", "''", '"', "E'", "U&'", '$$', '$a$', '/*', '*/', '--', '\\', '\n', ';', '(', ')'],
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
