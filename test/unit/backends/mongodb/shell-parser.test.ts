import { describe, expect, it, test } from '@jest/globals';
import {
  Binary,
  BSON,
  BSONRegExp,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import fc from 'fast-check';
import { ShellSyntaxError } from '../../../../src/backends/mongodb/shell-error.ts';
import { parseShell } from '../../../../src/backends/mongodb/shell-parser.ts';

/** The one argument of a call. */
function argument(source: string): unknown {
  const [statement] = parseShell(`db.c.find(${source})`);
  const call = statement?.kind === 'chain' ? statement.links.at(-1) : undefined;
  return call?.kind === 'call' ? call.args[0] : undefined;
}

function refusal(text: string): ShellSyntaxError {
  try {
    parseShell(text);
  } catch (error) {
    if (error instanceof ShellSyntaxError) {
      return error;
    }
    throw error;
  }
  throw new Error(`${text} was understood`);
}

describe('A value', () => {
  const oid = '507f1f77bcf86cd799439011';
  test.each<readonly [string, unknown]>([
    ['1', 1],
    ['-1.5', -1.5],
    ['-0', -0],
    ['0x10', 16],
    ['1e3', 1000],
    ['9007199254740993', Long.fromString('9007199254740993')],
    ['-9223372036854775808', Long.MIN_VALUE],
    ['12n', Long.fromNumber(12)],
    ['NaN', Number.NaN],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['undefined', undefined],
    ['null', null],
    ["'it\\'s'", "it's"],
    ['`plain`', 'plain'],
    ['/a\\/[/]b;{/i', new BSONRegExp('a\\/[/]b;{', 'i')],
    ['/(?<name>x)(?i)/', new BSONRegExp('(?<name>x)(?i)')],
    ['RegExp("a", "m")', new BSONRegExp('a', 'm')],
    [`ObjectId("${oid}")`, new ObjectId(oid)],
    [`new ObjectId("${oid}")`, new ObjectId(oid)],
    ['ISODate("2024-02-29")', new Date('2024-02-29T00:00:00Z')],
    ['new Date(0)', new Date(0)],
    ['NumberInt(5)', new Int32(5)],
    ['NumberLong("9223372036854775807")', Long.MAX_VALUE],
    ['NumberLong(9007199254740993)', Long.fromString('9007199254740993')],
    ['NumberDecimal("1.10")', Decimal128.fromString('1.10')],
    ['Double(1)', new Double(1)],
    ['Timestamp(5, 6)', new Timestamp({ t: 5, i: 6 })],
    ['Timestamp({ t: 5, i: 6 })', new Timestamp({ t: 5, i: 6 })],
    ['MinKey', new MinKey()],
    ['new MaxKey()', new MaxKey()],
    ['HexData(0, "00ff")', new Binary(Buffer.from([0, 255]), 0)],
    ['BinData(0, "AP8=")', new Binary(Buffer.from([0, 255]), 0)],
    ['Code("x")', new Code('x')],
    ['24 * 3600', 86_400],
  ])('%s', (source, wanted) => {
    const text = (value: unknown): string => BSON.EJSON.stringify({ value }, { relaxed: false });
    expect(text(argument(source))).toBe(text(wanted));
  });

  it('may be a new ObjectId or UUID', () => {
    expect(argument('ObjectId()')).toBeInstanceOf(ObjectId);
    expect(argument('UUID()')).toBeInstanceOf(Binary);
  });

  it('that is a document keeps the order of its names, and takes any name', () => {
    const value = argument('{ b: 1, 1: 2, "a.b": 3, __proto__: { x: 1 }, b: 4 }');
    expect(value).toEqual(
      new Map<string, unknown>([
        ['b', 4],
        ['1', 2],
        ['a.b', 3],
        ['__proto__', new Map([['x', 1]])],
      ]),
    );
  });

  it('has comments anywhere', () => {
    expect(argument('{ a: 1, // one; two\n b: /* } */ 2 -- three\n }')).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });
});

describe('A refusal', () => {
  test.each([
    ['db.c.find({a})', 11, '42601'],
    ['db.c.find({...x})', 11, '42601'],
    ['db.c.find({[a]: 1})', 11, '42601'],
    ['db.c.find({a: function() { return 1 }})', 14, '0A000'],
    ['db.c.find(() => 1)', 10, '0A000'],
    ['db.c.find(x)', 10, '42601'],
    ['db.c.find(`a${b}`)', 10, '42601'],
    ['db.c.find(ObjectID2("a"))', 10, '42601'],
    ['db.c.find(ObjectId("zz"))', 10, '42601'],
    ['db.c.find(UUID("12"))', 10, '42601'],
    ['db.c.find(ISODate("nonsense"))', 10, '42601'],
    ['db.c.find(/a/q)', 10, '42601'],
    ['db.c.find("a', 10, '42601'],
    ['db.c.find(/a', 10, '42601'],
    ['db.c.find() /* x', 12, '42601'],
    ['db.c.find() db.c.find()', 12, '42601'],
    ['db[x].find()', 3, '42601'],
    ['db.c?.find()', 0, '42601'],
    ['db.c.find({a: eval("1")})', 14, '42601'],
    ['a = 1', 0, '42601'],
  ])('%s', (text, offset, sqlState) => {
    const error = refusal(text);
    expect([error.offset, error.sqlState]).toEqual([offset, sqlState]);
  });

  it('comes for brackets too deep and texts too long, before anything is parsed', () => {
    expect(refusal(`db.c.find(${'['.repeat(5000)}`).sqlState).toBe('54001');
    expect(refusal(`db.c.find("${'x'.repeat(256 * 1024)}")`).sqlState).toBe('54000');
  });
});

describe('A statement', () => {
  test.each([
    ['', []],
    [' ; -- nothing\n', []],
    ['show dbs; use shop; it; help', ['words', 'words', 'words', 'words']],
    ['db; db.c.find()\ndb.c.count()', ['chain', 'chain', 'chain']],
    ['{"find": "c"}; select 1; show work_mem', ['command', 'sql', 'sql']],
    ["select ';'; db", ['sql', 'chain']],
  ])('%j', (text, kinds) => {
    expect(parseShell(text).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('that is a command document reads Extended JSON; shell text does not', () => {
    const [statement] = parseShell('{"find": "c", "filter": {"_id": {"$numberLong": "5"}}}');
    const filter = statement?.kind === 'command' ? statement.command.get('filter') : undefined;
    expect(filter).toEqual(new Map([['_id', Long.fromNumber(5)]]));
    expect(argument('{"$numberLong": "5"}')).toEqual(new Map([['$numberLong', '5']]));
  });

  it('has a chain of names, calls and indexes', () => {
    const [statement] = parseShell('db["odd.name"].getIndexes()[1].name');
    expect(statement).toMatchObject({
      root: 'db',
      links: [
        { kind: 'name', name: 'odd.name' },
        { kind: 'name', name: 'getIndexes' },
        { kind: 'call', args: [] },
        { kind: 'index', index: 1 },
        { kind: 'name', name: 'name' },
      ],
    });
  });

  it('of any text is understood or refused, and never anything else', () => {
    const part = fc.constantFrom(
      ...[
        'db',
        '.c',
        '.find',
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '/',
        '\\',
        'a',
        ':',
        ',',
        ';',
      ],
      ...['--', '/*', '*/', '\n', '1', '$', 'ObjectId', 'new ', '`', '...', 'function', '=>', '🐘'],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        try {
          parseShell(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(ShellSyntaxError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
