// The sink's test cases of the specification, section 6.4, by their own names, configured by the
// environment names of section 6.6.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Binary, Long } from 'mongodb';
import { ConnectorsStage, prefixed } from '../support/connectors-stage.ts';
import { untilFact } from '../support/facts.ts';
import { describeIggy } from '../support/iggy.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { describeMongodb } from '../support/mongodb.ts';

const GROUP = 'sink-tests';
const PREFIX = 'IGGY_CONNECTORS_SINK_MONGODB';

const FILE = `
type = "sink"
key = "mongodb"
enabled = true
name = "MongoDB sink"

[[streams]]
stream = "replaced by the environment"
topics = []

[plugin_config]
`;

describeIggy('the MongoDB sink', () => {
  describeMongodb('between a real Iggy and a real MongoDB', () => {
    let iggy: TestIggy;
    let stage: ConnectorsStage;

    beforeAll(async () => {
      iggy = await startTestIggy();
    });

    afterAll(async () => {
      await iggy.stop();
    });

    beforeEach(async () => {
      stage = await ConnectorsStage.open({ iggy });
    });

    afterEach(async () => {
      await stage.close();
    });

    const start = async (fields: Readonly<Record<string, string>> = {}): Promise<void> => {
      await stage.start({
        connectors: { 'mongodb.toml': FILE },
        environment: {
          [`${PREFIX}_PLUGIN_CONFIG_CONNECTION_URI`]: stage.database.uri,
          [`${PREFIX}_PLUGIN_CONFIG_DATABASE`]: stage.database.name,
          [`${PREFIX}_PLUGIN_CONFIG_COLLECTION`]: 'events',
          [`${PREFIX}_STREAMS_0_STREAM`]: stage.stream,
          [`${PREFIX}_STREAMS_0_TOPICS`]: `[${stage.topic}]`,
          [`${PREFIX}_STREAMS_0_CONSUMER_GROUP`]: GROUP,
          [`${PREFIX}_PATH`]: '/usr/lib/libiggy_connector_mongodb_sink.so',
          ...prefixed(`${PREFIX}_PLUGIN_CONFIG_`, fields),
        },
      });
    };

    it('json_messages_sink_to_mongodb', async () => {
      await stage.send([
        '{"n":1}',
        '{"n":9007199254740993}',
        '{"name":"Zoë","list":[1,{"a":null}]}',
      ]);
      await start({ PAYLOAD_FORMAT: 'json' });
      const documents = await stage.untilDocuments('events', 3);
      expect(documents.map(({ _id: id, payload }) => [id, payload])).toEqual([
        ['1', { n: 1 }],
        ['2', { n: Long.fromString('9007199254740993') }],
        ['3', { name: 'Zoë', list: [1, { a: null }] }],
      ]);
    });

    it('binary_messages_sink_as_bson_binary', async () => {
      await stage.send(['\0\u0001plain', 'more']);
      await start();
      const documents = await stage.untilDocuments('events', 2);
      const payloads = documents.map(({ payload }) =>
        payload instanceof Binary ? [payload.sub_type, payload.toString('utf8')] : payload,
      );
      expect(payloads).toEqual([
        [Binary.SUBTYPE_DEFAULT, '\0\u0001plain'],
        [Binary.SUBTYPE_DEFAULT, 'more'],
      ]);
    });

    it('metadata_fields_included', async () => {
      await stage.send(['x', 'y']);
      await start();
      await stage.untilDocuments('events', 2);
      const { client, name } = stage.database;
      const types = await client
        .db(name)
        .collection('events')
        .aggregate([
          { $sort: { iggy_offset: 1 } },
          { $set: { fields: { $objectToArray: '$$ROOT' } } },
          {
            $set: {
              fields: { $map: { input: '$fields', in: ['$$this.k', { $type: '$$this.v' }] } },
            },
          },
        ])
        .toArray();
      expect(types[1]?.['fields']).toEqual([
        ['_id', 'string'],
        ['iggy_offset', 'long'],
        ['iggy_timestamp', 'date'],
        ['iggy_stream', 'string'],
        ['iggy_topic', 'string'],
        ['iggy_partition_id', 'int'],
        ['iggy_checksum', expect.stringMatching(/long|string|decimal/)],
        ['iggy_origin_timestamp', 'date'],
        ['payload', 'binData'],
      ]);
      const [message] = await stage.messages();
      expect(types[0]).toMatchObject({
        iggy_stream: stage.stream,
        iggy_topic: stage.topic,
        iggy_partition_id: 0,
        iggy_timestamp: new Date(Number((message?.timestampUs ?? 0n) / 1000n)),
      });
    });

    it('large_batch_processed_correctly', async () => {
      const count = 1050;
      await stage.send(Array.from({ length: count }, (_, index) => `message ${index}`));
      await start({ BATCH_SIZE: '10', PAYLOAD_FORMAT: 'text' });
      const documents = await stage.untilDocuments('events', count);
      await stage.untilOffset(GROUP, BigInt(count - 1));
      expect(new Set(documents.map(({ payload }) => payload)).size).toBe(count);
      await expect(stage.untilDocuments('events', count)).resolves.toHaveLength(count);
    });

    it('auto_create_collection_on_open', async () => {
      const { client, name } = stage.database;
      await start({ AUTO_CREATE_COLLECTION: 'true' });
      await untilFact(
        async () =>
          (await client.db(name).listCollections({ name: 'events' }).toArray()).length === 1,
        'the collection',
      );
    });
  });
});
