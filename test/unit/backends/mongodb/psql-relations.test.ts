import { describe, expect, test } from '@jest/globals';
import { RelationOids } from '../../../../src/backends/mongodb/psql-relations.ts';
import type { Relation } from '../../../../src/backends/mongodb/psql-relations.ts';

const PEOPLE: Relation = { database: 'test', name: 'people', isView: false };

describe('RelationOids', () => {
  test('gives a relation one oid, and finds it by that', () => {
    const relations = new RelationOids();
    const oid = relations.oid(PEOPLE);
    expect(relations.oid({ ...PEOPLE })).toBe(oid);
    expect(relations.relation(oid)).toEqual(PEOPLE);
    expect(Number(oid)).toBeGreaterThanOrEqual(16_384);
  });

  test.each([
    { ...PEOPLE, name: 'People' },
    { ...PEOPLE, database: 'other' },
    { ...PEOPLE, isView: true },
    { ...PEOPLE, database: 'test","people', name: '' },
  ])('tells %j from another', (other) => {
    const relations = new RelationOids();
    expect(relations.oid(other)).not.toBe(relations.oid(PEOPLE));
  });

  test('knows no oid that it has not given', () => {
    expect(new RelationOids().relation('16384')).toBeUndefined();
  });

  test('forgets the oldest, and gives its oid to nobody else', () => {
    const relations = new RelationOids();
    const first = relations.oid(PEOPLE);
    for (let count = 0; count < 9_999; count += 1) {
      relations.oid({ ...PEOPLE, name: `c${count}` });
    }
    expect(relations.relation(first)).toEqual(PEOPLE);
    relations.oid({ ...PEOPLE, name: 'one more' });
    expect(relations.relation(first)).toBeUndefined();
    expect(Number(relations.oid(PEOPLE))).toBeGreaterThan(Number(first) + 9_999);
  });
});
