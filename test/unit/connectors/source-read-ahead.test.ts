import { describe, expect, it } from '@jest/globals';
import { ReadAhead } from '../../../src/connectors/source-read-ahead.ts';

const BATCH = { documents: [Buffer.from('one')], isFull: true };

describe('ReadAhead', () => {
  it('given_the_same_offset_should_give_what_was_read_once', async () => {
    const ahead = new ReadAhead();
    ahead.start('a', async () => await Promise.resolve(BATCH));
    await expect(ahead.take('a')).resolves.toBe(BATCH);
    expect(ahead.take('a')).toBeUndefined();
  });

  it.each(['b', undefined])('given_another_offset_should_give_nothing: %s', (offset) => {
    const ahead = new ReadAhead();
    ahead.start('a', async () => await Promise.resolve(BATCH));
    expect(ahead.take(offset)).toBeUndefined();
    // The place has changed meanwhile: what was read is of no use to anybody.
    expect(ahead.take('a')).toBeUndefined();
  });

  it('given_a_failed_read_should_tell_whoever_takes_it_and_nobody_else', async () => {
    const ahead = new ReadAhead();
    const failed = async (): Promise<never> => await Promise.reject(new Error('gone'));
    ahead.start('a', failed);
    await expect(ahead.take('a')).rejects.toThrow('gone');
    ahead.start('b', failed);
  });
});
