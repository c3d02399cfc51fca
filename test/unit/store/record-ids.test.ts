import { describe, expect, it, test } from '@jest/globals';
import { createRecordId, formatRecordId, parseRecordId } from '../../../src/store/record-ids.ts';

describe('createRecordId', () => {
  it('makes UUIDs of version 4, each of them another one', () => {
    const texts = Array.from({ length: 3000 }, () => formatRecordId(createRecordId()));
    expect(new Set(texts).size).toBe(3000);
    for (const text of texts) {
      expect(text).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('makes ids that stay what they are when others are made', () => {
    const id = createRecordId();
    const text = formatRecordId(id);
    for (let count = 0; count < 2000; count += 1) {
      createRecordId();
    }
    expect(formatRecordId(id)).toBe(text);
  });
});

describe('parseRecordId', () => {
  it('reads what formatRecordId writes', () => {
    const id = createRecordId();
    const text = formatRecordId(id);
    const parsed = parseRecordId(text);
    expect(parsed && formatRecordId(parsed)).toBe(text);
    expect(parsed?.sub_type).toBe(4);
  });

  test.each(['', 'x', '1234', 'zzzzzzzz-0000-4000-8000-000000000000'])('refuses %j', (text) => {
    expect(parseRecordId(text)).toBeUndefined();
  });
});
