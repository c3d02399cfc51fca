import { describe, expect, it } from '@jest/globals';
import type { PolledMessage } from '../../../src/connectors/iggy-messages.ts';
import type { StoredOffset } from '../../../src/connectors/iggy-topics.ts';
import { SinkPosition } from '../../../src/connectors/sink-position.ts';
import { createRecordedLog } from '../../support/run-stage.ts';

const NEVER = new AbortController().signal;
const PLACE = { stream: 'app', topic: 'events', partitionId: 1, consumer: 'gatepost' };

function storedAt(offset: bigint, currentOffset = offset): StoredOffset {
  return { storedOffset: offset, currentOffset };
}

/** Opened at the stored offset; what is stored can be changed. */
async function openPosition(stored: StoredOffset | undefined, resetCheckMs = 10_000) {
  const log = createRecordedLog();
  const server = { stored, askedCount: 0 };
  const client = {
    storedOffset: async () => {
      server.askedCount += 1;
      return await Promise.resolve(server.stored);
    },
  };
  const position = await SinkPosition.open({ place: PLACE, client, log, resetCheckMs }, NEVER);
  const idle = async (times: number): Promise<void> => {
    for (let look = 0; look < times; look += 1) {
      await position.checkIdle(NEVER);
    }
  };
  return { position, log, server, idle };
}

function messagesAt(...offsets: readonly bigint[]): readonly PolledMessage[] {
  return offsets.map((offset) => ({
    offset,
    ...{ id: 1n, checksum: 1n, timestampUs: 1n, originTimestampUs: 1n },
    payload: Buffer.from('x'),
    headers: [],
  }));
}

describe('SinkPosition.open', () => {
  it.each([
    [undefined, { kind: 'first' }],
    [storedAt(0n), { kind: 'offset', value: 1n }],
    [storedAt(2n ** 60n), { kind: 'offset', value: 2n ** 60n + 1n }],
  ])('given_stored_%p_should_begin_behind_it', async (stored, from) => {
    const { position } = await openPosition(stored);
    expect(position.from).toEqual(from);
  });
});

describe('SinkPosition.advance', () => {
  it('given_messages_should_go_behind_the_last_one', async () => {
    const { position, log } = await openPosition(storedAt(4n));
    expect(position.advance(messagesAt(5n, 6n, 7n))).toHaveLength(3);
    expect(position.from).toEqual({ kind: 'offset', value: 8n });
    expect(log.warnings).toEqual([]);
  });

  it('given_gaps_within_a_batch_should_take_them_as_they_are', async () => {
    const { position, log } = await openPosition(storedAt(4n));
    position.advance(messagesAt(5n, 9n, 20n));
    expect(position.from).toEqual({ kind: 'offset', value: 21n });
    expect(log.warnings).toEqual([]);
  });

  it('given_a_first_message_behind_the_asked_offset_should_warn_with_the_count', async () => {
    const { position, log } = await openPosition(storedAt(99n));
    position.advance(messagesAt(150n));
    expect(log.warnings).toEqual([
      '50 messages of partition 1 of topic "events" of stream "app" were not there (offsets 100 ' +
        'to 149): if retention removed them before they were consumed, let it keep messages for ' +
        'longer',
    ]);
  });

  it('given_no_stored_offset_should_not_take_a_late_first_message_for_a_gap', async () => {
    const { position, log } = await openPosition(undefined);
    position.advance(messagesAt(1000n));
    expect(position.from).toEqual({ kind: 'offset', value: 1001n });
    expect(log.warnings).toEqual([]);
  });

  it('given_messages_before_the_asked_offset_should_leave_them_out', async () => {
    const { position } = await openPosition(storedAt(4n));
    expect(position.advance(messagesAt(3n, 4n, 5n)).map(({ offset }) => offset)).toEqual([5n]);
    expect(position.advance(messagesAt(4n, 5n))).toEqual([]);
    expect(position.from).toEqual({ kind: 'offset', value: 6n });
  });

  it('given_no_messages_should_stay', async () => {
    const { position } = await openPosition(storedAt(4n));
    expect(position.advance([])).toEqual([]);
    expect(position.from).toEqual({ kind: 'offset', value: 5n });
  });
});

describe('SinkPosition.checkIdle', () => {
  it('given_a_look_a_moment_ago_should_ask_nothing', async () => {
    const { server, idle } = await openPosition(storedAt(4n));
    await idle(3);
    // When it was opened.
    expect(server.askedCount).toBe(1);
  });

  it('given_our_stored_offset_should_stay', async () => {
    const { position, log, server, idle } = await openPosition(storedAt(4n), 0);
    await idle(20);
    expect(server.askedCount).toBe(21);
    expect(position.from).toEqual({ kind: 'offset', value: 5n });
    expect(log.warnings).toEqual([]);
  });

  it('given_a_stored_offset_that_is_gone_should_begin_anew_at_the_second_look', async () => {
    const { position, log, server, idle } = await openPosition(storedAt(4n), 0);
    server.stored = undefined;
    await idle(1);
    expect(position.from).toEqual({ kind: 'offset', value: 5n });
    await idle(1);
    expect(position.from).toEqual({ kind: 'first' });
    expect(log.warnings).toEqual([
      'Partition 1 of topic "events" of stream "app" was begun anew: it ends before offset 5, or ' +
        'our stored offset is gone; it is read from its first message',
    ]);
  });

  it('given_a_follower_that_lags_for_a_moment_should_stay', async () => {
    const { position, server, idle } = await openPosition(storedAt(4n), 0);
    const lagging = [undefined, storedAt(4n), undefined, storedAt(4n), storedAt(2n, 2n)];
    for (const stored of [...lagging, storedAt(4n), undefined]) {
      server.stored = stored;
      await idle(1);
    }
    expect(position.from).toEqual({ kind: 'offset', value: 5n });
  });

  it('given_an_end_before_our_place_should_begin_anew_at_the_sixth_look', async () => {
    const { position, server, idle } = await openPosition(storedAt(4n), 0);
    server.stored = storedAt(4n, 2n);
    await idle(5);
    expect(position.from).toEqual({ kind: 'offset', value: 5n });
    await idle(1);
    expect(position.from).toEqual({ kind: 'first' });
  });

  it('given_messages_between_two_looks_should_forget_the_doubts', async () => {
    const { position, server, idle } = await openPosition(storedAt(4n), 0);
    server.stored = undefined;
    await idle(1);
    position.advance(messagesAt(5n));
    await idle(1);
    expect(position.from).toEqual({ kind: 'offset', value: 6n });
  });

  it('given_no_offset_that_was_stored_should_miss_none', async () => {
    const { position, server, idle } = await openPosition(undefined, 0);
    position.advance(messagesAt(0n, 1n));
    await idle(5);
    expect(position.from).toEqual({ kind: 'offset', value: 2n });
    position.remember();
    server.stored = undefined;
    await idle(2);
    expect(position.from).toEqual({ kind: 'first' });
  });

  it('given_a_partition_that_was_begun_anew_should_say_it_once', async () => {
    const { log, server, idle } = await openPosition(storedAt(4n), 0);
    server.stored = undefined;
    await idle(9);
    expect(log.warnings).toHaveLength(1);
  });
});
