import { describe, expect, test } from '@jest/globals';
import { nearestName } from '../../src/nearest-name.ts';

const NAMES = ['WIRE_MAX_ROWS', 'WIRE_MAX_BYTES', 'WIRE_ALLOW', 'WIRE_DENY', 'HOST'];

describe('nearestName', () => {
  test.each([
    ['WIRE_MAX_ROW', 'WIRE_MAX_ROWS'],
    ['WIRE_MAX_ROWSS', 'WIRE_MAX_ROWS'],
    ['WIRE_MXA_ROWS', 'WIRE_MAX_ROWS'],
    ['WIRE_MAX_BYTE', 'WIRE_MAX_BYTES'],
    ['WIRE_DENIED', 'WIRE_DENY'],
    ['WIRE_ALOW', 'WIRE_ALLOW'],
    ['HOSTS', 'HOST'],
  ])('finds for %s the name %s', (word, name) => {
    expect(nearestName(word, NAMES)).toBe(name);
  });

  test('finds a name that is spelt right', () => {
    expect(NAMES.map((name) => nearestName(name, NAMES))).toEqual(NAMES);
  });

  test('takes the first of two that are as near', () => {
    expect(nearestName('cat', ['bat', 'hat'])).toBe('bat');
  });

  test('names a candidate however far it is', () => {
    expect(nearestName('zzzzzz', ['host', 'port'])).toBe('host');
    expect(nearestName('', ['host', 'id'])).toBe('id');
  });

  test('finds nothing among no candidates', () => {
    expect(nearestName('host', [])).toBeUndefined();
  });

  test('looks at the beginning of an endless word only', () => {
    expect(nearestName(`WIRE_MAX_ROWS${'x'.repeat(1_000_000)}`, NAMES)).toBe('WIRE_MAX_ROWS');
  });
});
