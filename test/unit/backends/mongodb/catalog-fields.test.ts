import { describe, expect, test } from '@jest/globals';
import { Int32, Long } from 'mongodb';
import {
  createFieldPipeline,
  readFields,
} from '../../../../src/backends/mongodb/catalog-fields.ts';

function count(name: string | null, type: string, documents: unknown) {
  return { _id: { name, type }, count: documents };
}

describe('readFields', () => {
  test('puts the types of a field together', () => {
    const fields = readFields([
      count(null, 'missing', 10),
      count('_id', 'objectId', 10),
      count('age', 'string', 2),
      count('age', 'int', 5),
    ]);
    expect(fields).toEqual([
      { name: '_id', bsonTypes: ['objectId'], presentIn: 10, sampled: 10 },
      { name: 'age', bsonTypes: ['int', 'string'], presentIn: 7, sampled: 10 },
    ]);
  });

  test('keeps the order of the documents', () => {
    const names = ['b', 'a', '_id', '1', '__proto__', ''];
    const counts = [count(null, 'missing', 1), ...names.map((name) => count(name, 'int', 1))];
    expect(readFields(counts).map(({ name }) => name)).toEqual(names);
  });

  test('counts a document once that has a name twice', () => {
    const fields = readFields([count(null, 'missing', 2), count('a', 'int', 4)]);
    expect(fields).toMatchObject([{ presentIn: 2, sampled: 2 }]);
  });

  test.each([
    ['a number', 3],
    ['an Int32', new Int32(3)],
    ['a Long', Long.fromNumber(3)],
  ])('reads a count that is %s', (_, three) => {
    expect(readFields([count(null, 'missing', three), count('a', 'int', three)])).toMatchObject([
      { presentIn: 3, sampled: 3 },
    ]);
  });

  test.each([[[]], [[count(null, 'missing', 5)]], [[{}]], [[{ _id: null, count: 1 }]]])(
    'finds no field in %j',
    (counts) => {
      expect(readFields(counts)).toEqual([]);
    },
  );
});

describe('createFieldPipeline', () => {
  test('reads a sample, and lets neither documents nor code out of the server', () => {
    const stages = createFieldPipeline().map((stage) => Object.keys(stage).join());
    expect(stages).toEqual(['$sample', '$project', '$unwind', '$group', '$sort', '$limit']);
    expect(JSON.stringify(createFieldPipeline())).not.toMatch(/\$(?:where|function|accumulator)/);
  });
});
