import { beforeEach, describe, expect, test } from '@jest/globals';
import { CancelRegistry } from '../../../wire/cancel-registry.ts';

const KEY = { processId: 4711, secretKey: 815 };

let registry: CancelRegistry;

beforeEach(() => {
  registry = new CancelRegistry();
});

function createCancel(): () => Promise<'matched'> {
  return () => Promise.resolve('matched');
}

describe('CancelRegistry', () => {
  test('finds the session with exactly this key', () => {
    const cancel = createCancel();
    registry.register(KEY, cancel);
    registry.register({ processId: 4712, secretKey: 815 }, createCancel());
    expect(registry.find({ ...KEY })).toBe(cancel);
  });

  test.each([
    ['another secret', { processId: 4711, secretKey: 816 }],
    ['another process', { processId: 4710, secretKey: 815 }],
    ['both the other way round', { processId: 815, secretKey: 4711 }],
    ['digits that read the same when they are put together', { processId: 471, secretKey: 1815 }],
    ['zeros', { processId: 0, secretKey: 0 }],
  ])('does not find it with %s', (_name, key) => {
    registry.register(KEY, createCancel());
    expect(registry.find(key)).toBeUndefined();
  });

  test('forgets a session that has ended, and only that one', () => {
    const other = { processId: 1, secretKey: 2 };
    const unregister = registry.register(KEY, createCancel());
    registry.register(other, createCancel());
    unregister();
    unregister();
    expect(registry.find(KEY)).toBeUndefined();
    expect(registry.find(other)).toBeDefined();
  });

  test('keeps the later of two sessions with the same key when the earlier one ends', () => {
    const later = createCancel();
    const unregister = registry.register(KEY, createCancel());
    registry.register(KEY, later);
    unregister();
    expect(registry.find(KEY)).toBe(later);
  });
});
