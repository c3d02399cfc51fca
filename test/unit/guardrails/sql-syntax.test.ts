import { describe, expect, it } from '@jest/globals';
import {
  childOf,
  constantOf,
  foldName,
  isSyntaxNode,
  listOf,
  optionsOf,
  textOf,
} from '../../../src/guardrails/sql-syntax.ts';

describe('what a node holds', () => {
  it('is read without surprises from any value', () => {
    const odd = [undefined, null, 1, 'text', [], [{}], new Map()];

    expect(odd.map((value) => childOf(value, 'a'))).toEqual(odd.map(() => undefined));
    expect(odd.map((value) => textOf(value, 'a'))).toEqual(odd.map(() => undefined));
    expect(odd.map((value) => constantOf(value))).toEqual(odd.map(() => undefined));
    expect(odd.map((value) => listOf(value).length)).toEqual([0, 0, 0, 0, 0, 1, 0]);
    expect(odd.filter((value) => isSyntaxNode(value))).toEqual([new Map()]);
  });

  it('is a child, a text or a list by its type', () => {
    const node = { child: { a: 1 }, text: 'x', list: [1, 2], number: 1 };

    expect(childOf(node, 'child')).toEqual({ a: 1 });
    expect(childOf(node, 'list')).toBeUndefined();
    expect(childOf(node, 'missing')).toBeUndefined();
    expect(textOf(node, 'text')).toBe('x');
    expect(textOf(node, 'number')).toBeUndefined();
    expect(listOf(node.list)).toEqual([1, 2]);
  });
});

describe('constantOf', () => {
  it.each([
    [{ A_Const: { sval: { sval: 'on' } } }, 'on'],
    [{ A_Const: { sval: {} } }, ''],
    [{ A_Const: { ival: { ival: 7 } } }, '7'],
    [{ A_Const: { ival: {} } }, '0'],
    [{ String: { sval: 'false' } }, 'false'],
    [{ Integer: { ival: 1 } }, '1'],
    [{ Integer: {} }, '0'],
    [{ A_Const: { fval: { fval: '0.5' } } }, undefined],
    [{ A_Const: { boolval: {} } }, undefined],
    [{ A_Const: { isnull: true } }, undefined],
    [{ A_Const: { ival: { ival: 'x' } } }, undefined],
    [{ TypeCast: { arg: { A_Const: { sval: { sval: 'on' } } } } }, undefined],
    [{ FuncCall: {} }, undefined],
  ])('of %j is %j', (value, expected) => {
    expect(constantOf(value)).toBe(expected);
  });
});

describe('optionsOf', () => {
  it('gives names and values in order', () => {
    const options = [
      { DefElem: { defname: 'analyze', arg: { String: { sval: 'off' } } } },
      { DefElem: { defname: 'verbose' } },
      { Other: {} },
    ];

    expect(optionsOf(options)).toEqual([
      { name: 'analyze', value: { String: { sval: 'off' } } },
      { name: 'verbose', value: undefined },
      { name: '', value: undefined },
    ]);
    expect(optionsOf(undefined)).toEqual([]);
  });
});

describe('foldName', () => {
  it.each([
    ['role', 'role'],
    ['ROLE', 'role'],
    ['Default_Transaction_Read_Only', 'default_transaction_read_only'],
    ['set_conf\u0130g', 'set_config'],
    ['se\u0301t', 'set'],
    ['\u212aey', 'key'],
    ['日本', '日本'],
  ])('folds %s to %s', (name, expected) => {
    expect(foldName(name)).toBe(expected);
  });
});
