import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { BSON } from 'mongodb';
import {
  createDeadLetter,
  deadLetterId,
  LETTER_PAYLOAD_BYTES_MAX,
} from '../../../src/connectors/mongodb-sink-dead-letters.ts';
import { polledMessage } from '../../support/sink-messages.ts';

const MESSAGE = polledMessage(7, { timestampUs: 9n });

describe('deadLetterId', () => {
  it('given_a_message_should_be_its_place_and_time', () => {
    expect(deadLetterId(MESSAGE, { stream: 's', topic: 't', partitionId: 2 })).toBe('s:t:2:7:9');
  });

  it('given_colons_in_names_should_not_be_the_id_of_another', () => {
    const one = deadLetterId(MESSAGE, { stream: 'a:b', topic: 'c', partitionId: 0 });
    const other = deadLetterId(MESSAGE, { stream: 'a', topic: 'b:c', partitionId: 0 });
    const escaped = deadLetterId(MESSAGE, { stream: 'a%3Ab', topic: 'c', partitionId: 0 });
    expect(new Set([one, other, escaped]).size).toBe(3);
  });

  it('given_a_topic_that_was_made_again_should_be_another_id', () => {
    const place = { stream: 's', topic: 't', partitionId: 0 };
    const later = polledMessage(7, { timestampUs: 10n });
    expect(deadLetterId(later, place)).not.toBe(deadLetterId(MESSAGE, place));
  });
});

describe('createDeadLetter', () => {
  const place = { stream: 's', topic: 't', partitionId: 2 };
  const letterOf = (own: Parameters<typeof polledMessage>[1]) =>
    createDeadLetter({ message: polledMessage(7, own), reason: 'it is wrong' }, place);

  it('given_a_payload_up_to_the_bound_should_keep_all_of_it', () => {
    const payload = Buffer.alloc(LETTER_PAYLOAD_BYTES_MAX, 'x');
    const letter = letterOf({ payload });
    expect(Buffer.compare(Buffer.from(String(letter['payload'])), payload)).toBe(0);
    expect(Object.keys(letter)).not.toContain('payload_bytes');
    expect(Object.keys(letter)).not.toContain('iggy_headers_raw');
  });

  it('given_all_that_iggy_takes_should_be_a_document_that_mongodb_takes', () => {
    const payload = Buffer.alloc(64_000_000, 'x');
    // The shortest ones, of which 100 000 bytes have most.
    const kind = { kind: 'int128', value: -(2n ** 127n) } as const;
    const headers = Array.from({ length: 4000 }, () => ({ key: kind, value: kind }));
    const letter = letterOf({ payload, headers });
    expect(letter).toMatchObject({
      payload_bytes: 64_000_000,
      payload_sha256: createHash('sha256').update(payload).digest('hex'),
    });
    const bytes = BSON.serialize(letter);
    expect(bytes.length).toBeLessThan(16 * 1024 * 1024);
    const read = BSON.deserialize(bytes, { promoteBuffers: true });
    const kept: unknown = read['payload'];
    expect(Buffer.isBuffer(kept) && payload.indexOf(kept) === 0).toBe(true);
    expect(kept).toHaveLength(LETTER_PAYLOAD_BYTES_MAX);
  });

  it('given_times_that_are_no_dates_should_have_their_digits', () => {
    const letter = letterOf({ timestampUs: 2n ** 64n - 1n, originTimestampUs: 2n ** 64n - 1n });
    expect(letter).toMatchObject({
      _id: 's:t:2:7:18446744073709551615',
      iggy_timestamp_str: '18446744073709551615',
      iggy_origin_timestamp_str: '18446744073709551615',
    });
  });

  it('given_headers_that_cannot_be_read_should_keep_their_bytes', () => {
    const unreadHeaders = { reason: 'its headers cannot be read', bytes: Buffer.from('garbage') };
    expect(letterOf({ unreadHeaders })).toMatchObject({
      iggy_headers: [],
      iggy_headers_raw: Buffer.from('garbage'),
      reason: 'it is wrong',
    });
  });
});
