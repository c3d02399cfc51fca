import { describe, expect, it } from '@jest/globals';
import { OffsetWriter } from '../../../src/connectors/offset-writer.ts';
import { untilFact } from '../../support/facts.ts';

/** Stores when the test lets it. */
function createStage() {
  const begun: bigint[] = [];
  const failures: unknown[] = [];
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const writer = new OffsetWriter<bigint>({
    store: async (offset) => {
      begun.push(offset);
      await new Promise<void>((resolve, reject) => {
        waiting.push({ resolve, reject });
      });
    },
    onFailure: (error) => {
      failures.push(error);
    },
  });
  return { writer, begun, failures, waiting };
}

describe('OffsetWriter', () => {
  it('given_offsets_settled_while_one_is_stored_should_store_only_the_latest', async () => {
    const { writer, begun, waiting } = createStage();
    for (const offset of [1n, 2n, 3n, 4n]) {
      writer.settle(offset);
    }
    expect(begun).toEqual([1n]);
    waiting.shift()?.resolve();
    await untilFact(() => begun.length === 2, 'a second store');
    expect(begun).toEqual([1n, 4n]);
    expect(waiting).toHaveLength(1);
  });

  it('given_a_flush_should_wait_until_the_latest_is_stored', async () => {
    const { writer, begun, waiting } = createStage();
    writer.settle(1n);
    writer.settle(2n);
    let isFlushed = false;
    const flushed = writer.flush().then(() => {
      isFlushed = true;
    });
    waiting.shift()?.resolve();
    await untilFact(() => begun.length === 2, 'a second store');
    expect(isFlushed).toBe(false);
    waiting.shift()?.resolve();
    await flushed;
  });

  it('given_nothing_to_store_should_flush_at_once', async () => {
    const { writer, begun } = createStage();
    await writer.flush();
    expect(begun).toEqual([]);
  });

  it('given_an_offset_that_was_stored_before_should_store_it_again', async () => {
    // After the partition was begun anew it stands for another message.
    const { writer, begun, waiting } = createStage();
    writer.settle(5n);
    waiting.shift()?.resolve();
    await writer.flush();
    writer.settle(5n);
    expect(begun).toEqual([5n, 5n]);
  });

  it('given_a_failure_should_tell_it_and_store_nothing_more', async () => {
    const { writer, begun, failures, waiting } = createStage();
    const error = new Error('Iggy is away');
    writer.settle(1n);
    writer.settle(2n);
    waiting.shift()?.reject(error);
    await writer.flush();
    writer.settle(3n);
    await writer.flush();
    expect(begun).toEqual([1n]);
    expect(failures).toEqual([error]);
  });
});
