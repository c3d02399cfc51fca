import { describe, expect, it } from '@jest/globals';
import { deadLetterId } from '../../../src/connectors/mongodb-sink-dead-letters.ts';
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
