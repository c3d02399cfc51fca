import { describe, expect, it, test } from '@jest/globals';
import { createRecordId, isRecordId } from '../../../src/store/record-ids.ts';

describe('createRecordId', () => {
  it('makes UUIDs of version 4, each of them another one', () => {
    const ids = Array.from({ length: 3000 }, () => createRecordId());
    expect(new Set(ids).size).toBe(3000);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });
});

describe('isRecordId', () => {
  it('knows what createRecordId makes', () => {
    expect(isRecordId(createRecordId())).toBe(true);
  });

  test.each([
    '',
    'x',
    '1234',
    'zzzzzzzz-0000-4000-8000-000000000000',
    '0C4F1C55-8F43-4F0E-8D3C-2F6A1B9D7E21',
    ' 0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21',
    '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21\n',
    '{"$ne":1}',
  ])('knows none in %j', (text) => {
    expect(isRecordId(text)).toBe(false);
  });
});
