import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  SqlParser,
  SqlSyntaxError,
  SqlTooComplexError,
} from '../../../src/guardrails/sql-parser.ts';

const OVERFLOWING = `SELECT 1${' + 1'.repeat(30_000)}`;

let parser: SqlParser;

beforeEach(async () => {
  parser = await SqlParser.create();
});

function parse(text: string): unknown {
  return parser.parse(Buffer.from(text));
}

/** What parsing throws. */
function failure(text: string): unknown {
  try {
    return parse(text);
  } catch (thrown) {
    return thrown;
  }
}

/** The next event of a socket: after all microtasks. */
async function nextEvent(): Promise<void> {
  await new Promise(setImmediate);
}

describe('SqlParser', () => {
  it('gives a list of statements', () => {
    expect(parse('SELECT 1; TABLE "é"')).toMatchObject({
      stmts: [
        { stmt: { SelectStmt: { targetList: [{}] } } },
        { stmt: { SelectStmt: { fromClause: [{ RangeVar: { relname: 'é' } }] } } },
      ],
    });
  });

  it.each(['', ' ', ';', '-- comment', '/* comment */'])('gives an empty list for %j', (text) => {
    expect(parse(text)).toMatchObject({ stmts: [] });
  });

  it('tells what is wrong and at which character', () => {
    expect(failure("SELECT 'é' FROM FROM")).toEqual(
      new SqlSyntaxError('syntax error at or near "FROM"', 17),
    );
    expect(failure("SELECT E'\\xff'")).toMatchObject({ position: undefined });
  });

  it.each([
    ['more open brackets than the grammar keeps', '('.repeat(20_000), 'memory exhausted'],
    ['a chain that overflows the stack', OVERFLOWING, 'The query is too complex'],
    ['operators that are read again and again', '/*'.repeat(400_000), 'The query has too many'],
  ])('refuses %s', (_, text, message) => {
    const thrown = failure(text);

    expect(thrown).toBeInstanceOf(SqlTooComplexError);
    expect(thrown).toMatchObject({
      message: expect.stringContaining(message),
      hint: 'Break up long chains of operators, UNION or nested queries',
    });
  });

  it('keeps what overflowed as the cause', () => {
    expect(failure(OVERFLOWING)).toMatchObject({ cause: expect.any(RangeError) });
  });

  it('has another instance at hand when one has overflowed', () => {
    failure(OVERFLOWING);

    expect(parse('SELECT 1')).toMatchObject({ stmts: [{}] });
  });

  it('refuses while none is at hand, and has one at the next event', async () => {
    failure(OVERFLOWING);
    failure(OVERFLOWING);

    expect(failure('SELECT 1')).toMatchObject({
      message: 'The SQL parser is recovering from earlier queries',
      hint: 'Send the query again',
    });
    await nextEvent();
    expect(parse('SELECT 1')).toMatchObject({ stmts: [{}] });
  });

  it.each([
    ['reads', `SELECT '${'x'.repeat(65_536)}'`],
    ['does not understand', `SELECT '${'x'.repeat(65_536)}' FROM FROM`],
  ])('retires an instance after a long text that it %s, as it keeps the memory', (_, long) => {
    failure(long);
    failure(long);

    expect(failure('SELECT 1')).toBeInstanceOf(SqlTooComplexError);
  });

  it('keeps an instance after texts of ordinary length', () => {
    for (let round = 0; round < 5; round += 1) {
      parse(`SELECT '${'x'.repeat(60_000)}'`);
    }

    expect(parse('SELECT 1')).toMatchObject({ stmts: [{}] });
  });

  it('judges texts of the same bytes alike, however often', () => {
    const first = JSON.stringify(parse('SELECT 1; DROP TABLE t'));
    for (let round = 0; round < 1000; round += 1) {
      failure('SELECT FROM WHERE');
    }

    expect(JSON.stringify(parse('SELECT 1; DROP TABLE t'))).toBe(first);
  });

  it('does not read past the text', () => {
    const page = Buffer.from('SELECT 1; DROP TABLE t');

    expect(parser.parse(page.subarray(0, 8))).toMatchObject({ stmts: [{ stmt: {} }] });
    expect(JSON.stringify(parser.parse(page.subarray(0, 9)))).not.toContain('DropStmt');
  });
});
