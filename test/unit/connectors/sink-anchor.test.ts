import { describe, expect, it } from '@jest/globals';
import type { Poll } from '../../../src/connectors/iggy-client.ts';
import {
  judgeAnchor,
  sightOf,
  SinkAnchor,
  SinkAnchors,
} from '../../../src/connectors/sink-anchor.ts';
import type { Anchor, AnchorVerdict } from '../../../src/connectors/sink-anchor.ts';

const NEVER = new AbortController().signal;
const PLACE = { stream: 'app', topic: 'events', partitionId: 0, consumer: 'gatepost' };
const ANCHOR: Anchor = { offset: 9n, id: 1n, timestampUs: 2n, checksum: 3n };

interface Judgement {
  readonly title: string;
  readonly anchor?: Anchor;
  readonly found?: Anchor;
  readonly isMarkOther?: boolean;
  readonly verdict: AnchorVerdict;
}

const [FOUND, OTHER] = [{ ...ANCHOR }, true];
const JUDGEMENTS: readonly Judgement[] = [
  { title: 'the message', anchor: ANCHOR, found: FOUND, verdict: 'same' },
  { title: 'it, marked', anchor: ANCHOR, found: FOUND, isMarkOther: OTHER, verdict: 'same' },
  { title: 'another id', anchor: ANCHOR, found: { ...FOUND, id: 5n }, verdict: 'anew' },
  { title: 'another time', anchor: ANCHOR, found: { ...FOUND, timestampUs: 5n }, verdict: 'anew' },
  { title: 'another sum', anchor: ANCHOR, found: { ...FOUND, checksum: 5n }, verdict: 'anew' },
  { title: 'a later one', anchor: ANCHOR, found: { ...FOUND, offset: 10n }, verdict: 'retained' },
  { title: 'an earlier one', anchor: ANCHOR, found: { ...FOUND, offset: 8n }, verdict: 'unknown' },
  { title: 'nothing', anchor: ANCHOR, verdict: 'unknown' },
  { title: 'nothing, marked', anchor: ANCHOR, isMarkOther: OTHER, verdict: 'anew' },
  { title: 'no anchor', found: FOUND, verdict: 'unknown' },
  { title: 'no anchor, marked', isMarkOther: OTHER, verdict: 'anew' },
];

describe('judgeAnchor', () => {
  it.each(JUDGEMENTS)('given_an_anchor_should_judge_$title', (judgement) => {
    const { anchor, found, isMarkOther = false, verdict } = judgement;
    expect(judgeAnchor(anchor, found, isMarkOther)).toBe(verdict);
  });
});

describe('sightOf', () => {
  const details = { id: 3, name: 't', partitionsCount: 1, createdAtUs: 7n };

  it('given_a_partition_should_tell_the_topic_and_its_messages', () => {
    const partitions = [{ id: 1, currentOffset: 4n, messagesCount: 5n }];
    expect(sightOf({ ...details, partitions }, 1)).toEqual({ mark: '3 7', messagesCount: 5n });
    expect(sightOf({ ...details, partitions }, 2)).toEqual({ mark: '3 7', messagesCount: 0n });
  });
});

/** Of a partition that holds these messages. */
function createStage(anchors = new SinkAnchors()) {
  const server: { messages: readonly Anchor[]; asked: (bigint | undefined)[] } = {
    messages: [],
    asked: [],
  };
  const client = {
    poll: async ({ from, partitionId, count }: Poll) => {
      const offset = 'value' in from ? from.value : undefined;
      server.asked.push(offset);
      const messages = server.messages
        .filter((one) => one.offset >= (offset ?? 0n))
        .slice(0, count)
        .map(polledAt);
      return await Promise.resolve({ partitionId, currentOffset: 0n, messages });
    },
  };
  return { anchor: new SinkAnchor({ place: PLACE, client, anchors, mark: 'one' }), server };
}

function polledAt(anchor: Anchor) {
  return { ...anchor, originTimestampUs: 1n, payload: Buffer.from('x'), headers: [] };
}

function at(offset: bigint, id = 1n): Anchor {
  return { ...ANCHOR, offset, id };
}

describe('SinkAnchor', () => {
  it('given_messages_behind_it_should_move_only_when_it_is_still_there', async () => {
    const { anchor, server } = createStage();
    anchor.read(polledAt(at(9n)));
    anchor.read(polledAt(at(19n)));
    server.messages = [at(9n), at(19n)];
    await expect(anchor.check(NEVER)).resolves.toBe('same');
    await expect(anchor.check(NEVER)).resolves.toBe('same');
    expect(server.asked).toEqual([9n, 19n]);
  });

  it('given_messages_of_another_partition_behind_it_should_not_take_them_for_its_own', async () => {
    const { anchor, server } = createStage();
    anchor.read(polledAt(at(9n)));
    anchor.read(polledAt(at(19n, 7n)));
    server.messages = [at(9n, 7n), at(19n, 7n)];
    await expect(anchor.check(NEVER)).resolves.toBe('anew');
    await expect(anchor.check(NEVER)).resolves.toBe('anew');
  });

  it('given_retention_should_go_on_with_what_is_there', async () => {
    const { anchor, server } = createStage();
    anchor.read(polledAt(at(9n)));
    server.messages = [at(15n)];
    await expect(anchor.check(NEVER)).resolves.toBe('retained');
    server.messages = [at(15n, 7n)];
    await expect(anchor.check(NEVER)).resolves.toBe('anew');
  });

  it('given_a_restart_of_iggy_should_believe_the_message_and_not_the_time', async () => {
    const { anchor, server } = createStage();
    anchor.forget();
    anchor.read(polledAt(at(9n)));
    server.messages = [at(9n)];
    anchor.look('two');
    await expect(anchor.check(NEVER)).resolves.toBe('same');
    anchor.look('three');
    server.messages = [];
    await expect(anchor.check(NEVER)).resolves.toBe('anew');
  });

  it('given_what_happened_should_know_when_a_check_is_due', async () => {
    const anchors = new SinkAnchors();
    const { anchor, server } = createStage(anchors);
    const due = () => [anchor.isStale, anchor.isBehind];
    anchor.forget();
    anchor.read(polledAt(at(9n)));
    expect(due()).toEqual([false, false]);
    anchors.disturb();
    expect(due()).toEqual([true, true]);
    server.messages = [at(9n)];
    await anchor.check(NEVER);
    expect(due()).toEqual([false, false]);
    anchor.look('one');
    expect(due()).toEqual([true, true]);
  });

  it('given_another_run_should_remember_what_the_one_before_has_read', async () => {
    const anchors = new SinkAnchors();
    createStage(anchors).anchor.read(polledAt(at(9n)));
    const { anchor, server } = createStage(anchors);
    expect(anchor.isKnown).toBe(true);
    server.messages = [at(9n, 7n)];
    await expect(anchor.check(NEVER)).resolves.toBe('anew');
    anchor.forget();
    expect(anchor.isKnown).toBe(false);
  });

  it('given_a_message_at_the_stored_offset_should_take_it', async () => {
    const { anchor, server } = createStage();
    server.messages = [at(4n)];
    await anchor.drop(4n, NEVER);
    expect(anchor.isKnown).toBe(true);
    await expect(anchor.check(NEVER)).resolves.toBe('same');
    expect(server.asked).toEqual([4n, 4n]);
  });
});
