import { describe, expect, it } from '@jest/globals';
import { parseIggyJson } from '../../../src/connectors/iggy-json.ts';
import {
  checkNewName,
  readStoredOffset,
  readStream,
  readTopicDetails,
  readTopics,
  shownTopic,
  streamPath,
  topicPath,
} from '../../../src/connectors/iggy-topics.ts';

/** As 0.8 answers it, with the partitions in another order. */
const TOPIC = parseIggyJson(
  '{"id":0,"created_at":1795282455137524,"name":"t","size":"0 B",' +
    '"message_expiry":18446744073709551615,"compression_algorithm":"none",' +
    '"max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":0,' +
    '"partitions_count":2,"partitions":[' +
    '{"id":1,"created_at":1795282455137535,"segments_count":1,"current_offset":0,' +
    '"size":"0 B","messages_count":0},' +
    '{"id":0,"created_at":1795282455137535,"segments_count":1,' +
    '"current_offset":18446744073709551614,"size":"0 B","messages_count":9007199254740993}]}',
);

describe('replies about topics', () => {
  it('are read: a stream', () => {
    const reply = { id: 3, name: 's', topics_count: 2, size: '0 B', topics: [] };
    expect(readStream(reply)).toEqual({ id: 3, name: 's', topicsCount: 2 });
  });

  it('are read: a list of topics', () => {
    expect(readTopics([TOPIC])).toEqual([{ id: 0, name: 't', partitionsCount: 2 }]);
  });

  it('are read: a topic, its partitions in order and exact', () => {
    expect(readTopicDetails(TOPIC)).toEqual({
      id: 0,
      name: 't',
      partitionsCount: 2,
      createdAtUs: 1795282455137524n,
      partitions: [
        { id: 0, currentOffset: 2n ** 64n - 2n, messagesCount: 9007199254740993n },
        { id: 1, currentOffset: 0n, messagesCount: 0n },
      ],
    });
  });

  it('are read: a stored offset', () => {
    const reply = parseIggyJson(
      '{"partition_id":0,"current_offset":18446744073709551615,"stored_offset":1}',
    );
    expect(readStoredOffset(reply)).toEqual({ currentOffset: 2n ** 64n - 1n, storedOffset: 1n });
  });

  it.each([
    ['a stream', readStream, { id: 3, name: 's' }, 'topics_count'],
    ['a list of topics', readTopics, [{ id: 1, name: 't' }], '0.partitions_count'],
    ['a list of topics', readTopics, undefined, 'all'],
    ['a topic', readTopicDetails, { id: 0, name: 't', partitions_count: 1 }, 'partitions'],
    [
      'a stored offset',
      readStoredOffset,
      { current_offset: 1, stored_offset: 'x' },
      'stored_offset',
    ],
  ])('that are not %s say where: %#', (what, read, reply: unknown, where) => {
    expect(() => read(reply)).toThrow(`Iggy's answer is not ${what}: see ${where}`);
  });
});

describe('names', () => {
  it.each([
    ['events', '/streams/events'],
    [7, '/streams/7'],
    ['a b/c?d', '/streams/a%20b%2Fc%3Fd'],
    ['größe', '/streams/gr%C3%B6%C3%9Fe'],
  ])('stand in a path: %p', (stream, path) => {
    expect(streamPath(stream)).toBe(path);
    expect(topicPath({ stream, topic: 'x y' })).toBe(`${path}/topics/x%20y`);
  });

  it('stand in an error', () => {
    expect(shownTopic({ stream: 's', topic: 't' })).toBe('topic "t" of stream "s"');
  });

  it.each(['events', 'größe', '1a', '-1', 'x'.repeat(255)])('can be given: %s', (name) => {
    expect(() => checkNewName(name)).not.toThrow();
  });

  it.each(['', '7', '+7', '0123', 'x'.repeat(256), 'é'.repeat(128)])('cannot be: %j', (name) => {
    expect(() => checkNewName(name)).toThrow('cannot name a stream or topic');
  });
});
