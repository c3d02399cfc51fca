import { describe, expect, it } from '@jest/globals';
import type { Poll } from '../../../src/connectors/iggy-client.ts';
import type { PolledMessage } from '../../../src/connectors/iggy-messages.ts';
import type { StoredOffset } from '../../../src/connectors/iggy-topics.ts';
import { SinkAnchors } from '../../../src/connectors/sink-anchor.ts';
import { SinkPosition } from '../../../src/connectors/sink-position.ts';
import { createRecordedLog } from '../../support/run-stage.ts';

const NEVER = new AbortController().signal;
const PLACE = { stream: 'app', topic: 'events', partitionId: 1, consumer: 'gatepost' };

function storedAt(offset: bigint, currentOffset = offset): StoredOffset {
  return { storedOffset: offset, currentOffset };
}

const SIGHT = { mark: '0 1', messagesCount: 100n };

interface Opening {
  readonly resetCheckMs?: number;
  readonly anchors?: SinkAnchors;
  readonly sight?: typeof SIGHT;
  readonly messages?: readonly PolledMessage[];
}

/** Opened at the stored offset; what is stored can be changed. */
async function openPosition(stored: StoredOffset | undefined, opening: Opening = {}) {
  const { resetCheckMs = 10_000, anchors = new SinkAnchors(), sight = SIGHT } = opening;
  const log = createRecordedLog();
  const server = { stored, askedCount: 0, messages: opening.messages ?? [], pollsCount: 0 };
  const client = {
    storedOffset: async () => {
      server.askedCount += 1;
      return await Promise.resolve(server.stored);
    },
    poll: async ({ from, partitionId, count }: Poll) => {
      server.pollsCount += 1;
      const first = 'value' in from ? from.value : 0n;
      const messages = server.messages.filter(({ offset }) => offset >= first).slice(0, count);
      return await Promise.resolve({ partitionId, currentOffset: 0n, messages });
    },
  };
  const position = await SinkPosition.open(
    { place: PLACE, client, log, resetCheckMs, anchors, sight },
    NEVER,
  );
  const advance = (messages: readonly PolledMessage[]): readonly PolledMessage[] =>
    position.advance(messages, position.epoch);
  const idle = async (times: number): Promise<void> => {
    for (let look = 0; look < times; look += 1) {
      await position.checkIdle(NEVER);
    }
  };
  return { position, advance, log, server, idle };
}

function messagesAt(...offsets: readonly bigint[]): readonly PolledMessage[] {
  return madeAt(1n, ...offsets);
}

function madeAt(timestampUs: bigint, ...offsets: readonly bigint[]): readonly PolledMessage[] {
  return offsets.map((offset) => ({
    offset,
    ...{ id: 1n, checksum: 1n, timestampUs, originTimestampUs: 1n },
    payload: Buffer.from('x'),
    headers: [],
  }));
}

describe('SinkPosition.open', () => {
  it.each([
    [undefined, { kind: 'first' }],
    // What Iggy answers too when a crash has emptied the partition.
    [storedAt(0n), { kind: 'first' }],
    [storedAt(1n), { kind: 'offset', value: 2n }],
    [storedAt(7n, 6n), { kind: 'first' }],
    [storedAt(2n ** 60n), { kind: 'offset', value: 2n ** 60n + 1n }],
  ])('given_stored_%p_should_begin_behind_it', async (stored, from) => {
    const { position } = await openPosition(stored);
    expect(position.question.from).toEqual(from);
  });
});

describe('SinkPosition.advance', () => {
  it('given_messages_should_go_behind_the_last_one', async () => {
    const { advance, position, log } = await openPosition(storedAt(4n));
    expect(advance(messagesAt(5n, 6n, 7n))).toHaveLength(3);
    expect(position.question.from).toEqual({ kind: 'offset', value: 8n });
    expect(log.warnings).toEqual([]);
  });

  it('given_gaps_within_a_batch_should_take_them_as_they_are', async () => {
    const { advance, position, log } = await openPosition(storedAt(4n));
    advance(messagesAt(5n, 9n, 20n));
    expect(position.question.from).toEqual({ kind: 'offset', value: 21n });
    expect(log.warnings).toEqual([]);
  });

  it('given_a_first_message_behind_the_asked_offset_should_warn_with_the_count', async () => {
    const { advance, log } = await openPosition(storedAt(99n));
    advance(messagesAt(150n));
    expect(log.warnings).toEqual([
      '50 messages of partition 1 of topic "events" of stream "app" were not there (offsets 100 ' +
        'to 149): if retention removed them before they were consumed, let it keep messages for ' +
        'longer',
    ]);
  });

  it('given_no_stored_offset_should_not_take_a_late_first_message_for_a_gap', async () => {
    const { advance, position, log } = await openPosition(undefined);
    advance(messagesAt(1000n));
    expect(position.question.from).toEqual({ kind: 'offset', value: 1001n });
    expect(log.warnings).toEqual([]);
  });

  it('given_messages_before_the_asked_offset_should_leave_them_out', async () => {
    const { advance, position } = await openPosition(storedAt(4n));
    expect(advance(messagesAt(3n, 4n, 5n)).map(({ offset }) => offset)).toEqual([5n]);
    expect(advance(messagesAt(4n, 5n))).toEqual([]);
    expect(position.question.from).toEqual({ kind: 'offset', value: 6n });
  });

  it('given_no_messages_should_stay', async () => {
    const { advance, position } = await openPosition(storedAt(4n));
    expect(advance([])).toEqual([]);
    expect(position.question.from).toEqual({ kind: 'offset', value: 5n });
  });
});

describe('SinkPosition with a partition that was begun anew', () => {
  it('given_a_partition_without_messages_should_begin_at_the_first_one', async () => {
    const sight = { mark: '0 1', messagesCount: 0n };
    const { position, log } = await openPosition(storedAt(4n), { sight });
    expect(position.question.from).toEqual({ kind: 'first' });
    expect(log.warnings).toEqual([]);
  });

  it('given_an_anchor_of_a_run_before_should_compare_it_when_it_opens', async () => {
    const anchors = new SinkAnchors();
    const first = await openPosition(undefined, { anchors });
    first.advance(messagesAt(3n, 4n));
    const same = { anchors, messages: messagesAt(4n, 5n) };
    expect((await openPosition(storedAt(4n), same)).position.question.from).toEqual({
      kind: 'offset',
      value: 5n,
    });
    const other = { anchors, messages: madeAt(2n, 4n, 5n) };
    const { position, log } = await openPosition(storedAt(4n), other);
    expect(position.question.from).toEqual({ kind: 'first' });
    expect(log.warnings).toEqual([expect.stringContaining('was begun anew')]);
  });

  it('given_a_new_process_should_compare_the_message_at_the_stored_offset', async () => {
    const { position, server } = await openPosition(storedAt(4n), { messages: messagesAt(4n) });
    server.messages = madeAt(2n, 0n, 1n, 2n, 3n, 4n);
    position.look(SIGHT);
    await position.checkIdle(NEVER);
    expect(position.question.from).toEqual({ kind: 'first' });
  });

  it('given_messages_that_follow_by_offset_only_should_confirm_none_of_them', async () => {
    const { position, advance, server } = await openPosition(storedAt(4n), {
      messages: messagesAt(4n),
    });
    server.messages = madeAt(2n, 0n, 1n, 2n, 3n, 4n, 5n, 6n);
    const { epoch } = position;
    position.look(SIGHT);
    expect(advance(madeAt(2n, 5n, 6n))).toHaveLength(2);
    await expect(position.confirm(epoch, NEVER)).resolves.toBe(false);
    // What was asked before belongs to the partition that is no more.
    expect(position.advance(madeAt(2n, 7n), epoch)).toEqual([]);
    expect(position.question).toEqual({ from: { kind: 'first' }, epoch: epoch + 1 });
  });

  it('given_a_check_a_moment_ago_should_confirm_without_another', async () => {
    const { position, advance, server } = await openPosition(storedAt(4n), {
      messages: messagesAt(4n, 5n),
    });
    advance(messagesAt(5n));
    await expect(position.confirm(0, NEVER)).resolves.toBe(true);
    // When it was opened.
    expect(server.pollsCount).toBe(1);
  });

  it('given_a_request_that_was_repeated_should_compare_at_once', async () => {
    const anchors = new SinkAnchors();
    const { position, server } = await openPosition(storedAt(4n), {
      anchors,
      messages: messagesAt(4n),
    });
    server.messages = madeAt(2n, 4n);
    anchors.disturb();
    await expect(position.confirm(0, NEVER)).resolves.toBe(false);
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
    const { position, log, server, idle } = await openPosition(storedAt(4n), { resetCheckMs: 0 });
    await idle(20);
    expect(server.askedCount).toBe(21);
    expect(position.question.from).toEqual({ kind: 'offset', value: 5n });
    expect(log.warnings).toEqual([]);
  });

  it('given_a_stored_offset_that_is_gone_should_begin_anew_at_the_second_look', async () => {
    const { position, log, server, idle } = await openPosition(storedAt(4n), { resetCheckMs: 0 });
    server.stored = undefined;
    await idle(1);
    expect(position.question.from).toEqual({ kind: 'offset', value: 5n });
    await idle(1);
    expect(position.question.from).toEqual({ kind: 'first' });
    expect(log.warnings).toEqual([
      'Partition 1 of topic "events" of stream "app" was begun anew: before offset 5 it has not ' +
        'what was read, or our stored offset is gone; it is read from its first message',
    ]);
  });

  it('given_a_follower_that_lags_for_a_moment_should_stay', async () => {
    const { position, server, idle } = await openPosition(storedAt(4n), { resetCheckMs: 0 });
    const lagging = [undefined, storedAt(4n), undefined, storedAt(4n), storedAt(2n, 2n)];
    for (const stored of [...lagging, storedAt(4n), undefined]) {
      server.stored = stored;
      await idle(1);
    }
    expect(position.question.from).toEqual({ kind: 'offset', value: 5n });
  });

  it('given_an_end_before_our_place_should_begin_anew_at_the_sixth_look', async () => {
    const { position, server, idle } = await openPosition(storedAt(4n), { resetCheckMs: 0 });
    server.stored = storedAt(4n, 2n);
    await idle(5);
    expect(position.question.from).toEqual({ kind: 'offset', value: 5n });
    await idle(1);
    expect(position.question.from).toEqual({ kind: 'first' });
  });

  it('given_messages_between_two_looks_should_forget_the_doubts', async () => {
    const { advance, position, server, idle } = await openPosition(storedAt(4n), {
      resetCheckMs: 0,
    });
    server.stored = undefined;
    await idle(1);
    advance(messagesAt(5n));
    await idle(1);
    expect(position.question.from).toEqual({ kind: 'offset', value: 6n });
  });

  it('given_no_offset_that_was_stored_should_miss_none', async () => {
    const { advance, position, server, idle } = await openPosition(undefined, { resetCheckMs: 0 });
    advance(messagesAt(0n, 1n));
    await idle(5);
    expect(position.question.from).toEqual({ kind: 'offset', value: 2n });
    position.remember();
    server.stored = undefined;
    await idle(2);
    expect(position.question.from).toEqual({ kind: 'first' });
  });

  it('given_a_partition_that_was_begun_anew_should_say_it_once', async () => {
    const { log, server, idle } = await openPosition(storedAt(4n), { resetCheckMs: 0 });
    server.stored = undefined;
    await idle(9);
    expect(log.warnings).toHaveLength(1);
  });
});
