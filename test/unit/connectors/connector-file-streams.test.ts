import { describe, expect, it } from '@jest/globals';
import type { TomlValue } from 'smol-toml';
import { readConnectorEnv } from '../../../src/connectors/connector-file-env.ts';
import {
  readSinkStreams,
  readSourceStream,
} from '../../../src/connectors/connector-file-streams.ts';
import type { StreamsContext } from '../../../src/connectors/connector-file-streams.ts';
import type { PayloadSchema } from '../../../src/connectors/connector.ts';
import { createInputs } from '../../support/connector-files.ts';

const SHARE = 'IGGY_CONNECTORS_SINK_A_';

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly payloadSchema?: PayloadSchema | undefined;
}

function contextOf(toml: TomlValue | undefined, given: Given = {}): StreamsContext {
  const { env = {} } = given;
  const texts = Object.entries(env).map(([name, text]) => ({ name: `${SHARE}${name}`, text }));
  return {
    key: 'a',
    file: 'a.toml',
    toml,
    env: readConnectorEnv(SHARE, texts).streams,
    payloadSchema: 'payloadSchema' in given ? given.payloadSchema : 'json',
    inputs: createInputs(),
    problems: [],
    notes: [],
  };
}

const SINK = { stream: 'shop', topics: ['orders'] };
const SOURCE = { stream: 'shop', topic: 'orders' };

describe('readSinkStreams', () => {
  it('given_a_stream_and_its_topics_should_fill_in_the_defaults', () => {
    const context = contextOf([SINK]);
    expect(readSinkStreams(context)).toEqual({
      streams: [
        {
          stream: 'shop',
          topics: ['orders'],
          schema: 'json',
          batchLength: 1000,
          pollIntervalMs: 5,
          consumerGroup: 'iggy-connect-sink-a',
        },
      ],
      shown: [
        {
          stream: 'shop',
          topics: ['orders'],
          schema: 'json',
          batch_length: 1000,
          poll_interval: '5ms',
          consumer_group: 'iggy-connect-sink-a',
        },
      ],
    });
    expect(context.problems).toEqual([]);
  });

  it('given_every_field_should_read_it', () => {
    const full = {
      ...SINK,
      schema: 'text',
      batch_length: 7,
      poll_interval: '1s',
      consumer_group: 'g',
    };
    expect(readSinkStreams(contextOf([full])).streams).toEqual([
      {
        stream: 'shop',
        topics: ['orders'],
        schema: 'text',
        batchLength: 7,
        pollIntervalMs: 1000,
        consumerGroup: 'g',
      },
    ]);
  });

  it('given_variables_should_change_a_stream_and_add_the_next', () => {
    const env = {
      STREAMS_0_TOPICS: '[a,b]',
      STREAMS_0_BATCH_LENGTH: '10',
      STREAMS_1_STREAM: '123',
      STREAMS_1_TOPICS: 'c',
    };
    expect(readSinkStreams(contextOf([SINK], { env })).streams).toMatchObject([
      { stream: 'shop', topics: ['a', 'b'], batchLength: 10 },
      { stream: '123', topics: ['c'] },
    ]);
  });

  it('given_variables_only_should_make_a_stream_of_them', () => {
    const env = { STREAMS_0_STREAM: 'shop', STREAMS_0_TOPICS: 'orders' };
    expect(readSinkStreams(contextOf(undefined, { env })).streams).toHaveLength(1);
  });

  it('given_a_gap_should_refuse_what_is_behind_it', () => {
    const context = contextOf([SINK], { env: { STREAMS_2_STREAM: 'x' } });
    expect(readSinkStreams(context).streams).toHaveLength(1);
    expect(context.problems).toEqual([
      'IGGY_CONNECTORS_SINK_A_STREAMS_2_STREAM: there is no stream 1 before it',
    ]);
  });

  it.each<[string, TomlValue | undefined, string]>([
    ['none', undefined, 'streams (a.toml) is missing: write [[streams]] with a stream and its'],
    ['an empty list', [], 'streams (a.toml) is missing'],
    ['a table', SINK, 'streams (a.toml) is not a list of tables: write each as [[streams]]'],
    ['a list of texts', ['shop'], 'streams (a.toml) is not a list of tables'],
    ['no stream', [{ topics: ['a'] }], 'streams[0].stream (a.toml) is missing'],
    ['no topics', [{ stream: 'a' }], 'streams[0].topics (a.toml) is missing'],
    [
      'an empty list of topics',
      [{ stream: 'a', topics: [] }],
      'streams[0].topics (a.toml) is a list: accepted is a list of',
    ],
    [
      'a text as topics',
      [{ stream: 'a', topics: 'a' }],
      'streams[0].topics (a.toml) is "a": accepted is a list of texts',
    ],
    [
      "a source's topic",
      [{ ...SINK, topic: 'a' }],
      'streams[0].topic (a.toml) is not a field; the nearest known one is topics',
    ],
    [
      'a schema that Gatepost has not',
      [{ ...SINK, schema: 'avro' }],
      'streams[0].schema (a.toml) is "avro": accepted is one of json, raw, text',
    ],
    [
      "an avro schema's path",
      [{ ...SINK, avro_schema_path: 'x' }],
      'streams[0].avro_schema_path (a.toml) is not a field',
    ],
    [
      'no messages in a poll',
      [{ ...SINK, batch_length: 0 }],
      'streams[0].batch_length (a.toml) is 0: accepted is a whole number from 1 to 100000',
    ],
    [
      'no pause at all',
      [{ ...SINK, poll_interval: '0' }],
      'streams[0].poll_interval (a.toml) is "0": accepted is a duration',
    ],
    [
      'a pause without a unit',
      [{ ...SINK, poll_interval: '5' }],
      'streams[0].poll_interval (a.toml) is "5": accepted is a duration',
    ],
    [
      'a name that is too long',
      [{ ...SINK, consumer_group: 'ä'.repeat(128) }],
      'is too long: accepted are 255 bytes',
    ],
    [
      'a topic twice',
      [SINK, SINK],
      'streams (a.toml) has topic "orders" of stream "shop" twice for one consumer_group: keep one',
    ],
  ])('given_%s_should_say_what_is_wrong', (_what, toml, problem) => {
    const context = contextOf(toml);
    readSinkStreams(context);
    expect(context.problems).toEqual([expect.stringContaining(problem)]);
  });

  it('given_a_topic_twice_for_two_consumer_groups_should_take_both', () => {
    const context = contextOf([SINK, { ...SINK, consumer_group: 'other' }]);
    readSinkStreams(context);
    expect(context.problems).toEqual([]);
  });

  it('given_a_schema_that_asks_more_than_the_format_should_leave_it_to_the_sink', () => {
    const context = contextOf([{ ...SINK, schema: 'json' }], { payloadSchema: 'raw' });
    expect(readSinkStreams(context).streams).toMatchObject([{ schema: 'json' }]);
    expect(context.problems).toEqual([]);
  });

  it('given_no_schema_should_take_that_of_the_format', () => {
    const context = contextOf([SINK], { payloadSchema: 'text' });
    expect(readSinkStreams(context).streams).toMatchObject([{ schema: 'text' }]);
  });
});

describe('readSourceStream', () => {
  it('given_a_stream_and_its_topic_should_fill_in_the_defaults', () => {
    const context = contextOf([SOURCE]);
    expect(readSourceStream(context).streams).toEqual([
      {
        stream: 'shop',
        topic: 'orders',
        schema: 'json',
        batchLength: 1000,
        isAutoCreated: false,
        partitionsCount: 1,
      },
    ]);
    expect([...context.problems, ...context.notes]).toEqual([]);
  });

  it('given_variables_should_read_them_by_their_types', () => {
    const env = { STREAMS_0_AUTO_CREATE: 'true', STREAMS_0_PARTITIONS_COUNT: '4' };
    expect(readSourceStream(contextOf([SOURCE], { env }))).toMatchObject({
      streams: [{ isAutoCreated: true, partitionsCount: 4 }],
      shown: [{ auto_create: true, partitions_count: 4, linger_time: null }],
    });
  });

  it('given_a_linger_time_should_note_that_it_does_nothing', () => {
    const context = contextOf([{ ...SOURCE, linger_time: '5ms' }]);
    readSourceStream(context);
    expect(context.notes).toEqual([
      'streams[0].linger_time (a.toml) does nothing: batches are sent when they are read',
    ]);
  });

  it.each<[string, TomlValue, string]>([
    ['two streams', [SOURCE, SOURCE], 'streams (a.toml) is a list of 2: a source sends to one'],
    [
      "a sink's topics",
      [{ ...SOURCE, topics: ['a'] }],
      'streams[0].topics (a.toml) is not a field; the nearest known one is topic',
    ],
    [
      'another schema than the format has',
      [{ ...SOURCE, schema: 'raw' }],
      'streams[0].schema (a.toml) is "raw", and payloads are "json" by plugin_config',
    ],
    [
      'more partitions than a topic can have',
      [{ ...SOURCE, partitions_count: 1001 }],
      'streams[0].partitions_count (a.toml) is 1001: accepted is a whole number from 1 to 1000',
    ],
    [
      'a linger time that is none',
      [{ ...SOURCE, linger_time: 'soon' }],
      'streams[0].linger_time (a.toml) is "soon": accepted is a duration',
    ],
  ])('given_%s_should_say_what_is_wrong', (_what, toml, problem) => {
    const context = contextOf(toml);
    readSourceStream(context);
    expect(context.problems).toEqual([expect.stringContaining(problem)]);
  });

  it('given_a_plugin_that_is_wrong_itself_should_not_complain_of_the_schema', () => {
    const context = contextOf([{ ...SOURCE, schema: 'raw' }], { payloadSchema: undefined });
    readSourceStream(context);
    expect(context.problems).toEqual([]);
  });
});
