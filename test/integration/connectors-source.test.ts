// The source's test cases of the specification, section 6.5, by their own names, configured by the
// environment names of section 6.6.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Decimal128, ObjectId } from 'mongodb';
import { ConnectorsStage, prefixed } from '../support/connectors-stage.ts';
import { untilFact } from '../support/facts.ts';
import { describeIggy } from '../support/iggy.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { httpUrlOf } from '../support/start-service.ts';
import type { RunningService } from '../support/start-service.ts';

const PREFIX = 'IGGY_CONNECTORS_SOURCE_MONGODB';

const FILE = `
type = "source"
key = "mongodb"
enabled = true
name = "MongoDB source"

[[streams]]
stream = "replaced by the environment"
topic = "replaced by the environment"

[plugin_config]
poll_interval = "50ms"
`;

describeIggy('the MongoDB source', () => {
  describeMongodb('between a real MongoDB and a real Iggy', () => {
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

    const orders = () => stage.database.client.db(stage.database.name).collection('orders');

    const start = async (
      fields: Readonly<Record<string, string>> = {},
      others: Readonly<Record<string, string>> = {},
    ): Promise<RunningService> => {
      return await stage.start({
        connectors: { 'mongodb.toml': FILE },
        environment: {
          [`${PREFIX}_PLUGIN_CONFIG_CONNECTION_URI`]: stage.database.uri,
          [`${PREFIX}_PLUGIN_CONFIG_DATABASE`]: stage.database.name,
          [`${PREFIX}_PLUGIN_CONFIG_COLLECTION`]: 'orders',
          [`${PREFIX}_STREAMS_0_STREAM`]: stage.stream,
          [`${PREFIX}_STREAMS_0_TOPIC`]: stage.topic,
          [`${PREFIX}_PATH`]: '/usr/lib/libiggy_connector_mongodb_source.so',
          ...prefixed(`${PREFIX}_PLUGIN_CONFIG_`, fields),
          ...others,
        },
      });
    };

    const texts = async (count: number): Promise<string[]> =>
      (await stage.untilMessages(count)).map(({ payload }) => payload.toString('utf8'));

    it('source_polls_documents_to_iggy', async () => {
      const id = new ObjectId();
      await orders().insertMany([
        { _id: id, firstName: 'Ann', total: Decimal128.fromString('12.50') },
        { n: 2 },
        { n: 3 },
      ]);
      await start();
      const arrived = await texts(3);
      expect(JSON.parse(arrived[0] ?? '')).toEqual({
        _id: { $oid: id.toHexString() },
        firstName: 'Ann',
        total: { $numberDecimal: '12.50' },
      });
      expect(arrived).toHaveLength(3);
    });

    it('offset_tracking_across_polls', async () => {
      await orders().insertMany([{ n: 1 }, { n: 2 }]);
      await start();
      await stage.untilMessages(2);
      await orders().insertMany([{ n: 3 }]);
      const arrived = await texts(3);
      expect(arrived.map((text) => /"n":(\d)/.exec(text)?.[1])).toEqual(['1', '2', '3']);
    });

    it('delete_after_read_removes_documents', async () => {
      await orders().insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
      await start({ DELETE_AFTER_READ: 'true' });
      await untilFact(async () => (await orders().countDocuments()) === 0, 'an empty collection');
      expect(await texts(3)).toHaveLength(3);
    });

    it('mark_processed_sets_field', async () => {
      await orders().insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
      await start({ PROCESSED_FIELD: 'processed' });
      await untilFact(
        async () => (await orders().countDocuments({ processed: true })) === 3,
        'three marked documents',
      );
      expect(await texts(3)).toHaveLength(3);
    });

    it('payload_format_json_emits_schema_json', async () => {
      await orders().insertOne({ n: 1 });
      const service = await start({ PAYLOAD_FORMAT: 'json' });
      await stage.untilMessages(1);
      await service.logged('service-started');
      const answer = await fetch(`${httpUrlOf(service)}/connectors/mongodb`);
      expect(await answer.json()).toMatchObject({
        key: 'mongodb',
        type: 'source',
        status: 'running',
        streams: [{ schema: 'json' }],
      });
    });

    it('payload_format_that_is_not_the_schema_is_an_invalid_configuration', async () => {
      const schema = { [`${PREFIX}_STREAMS_0_SCHEMA`]: 'raw' };
      const service = await start({ PAYLOAD_FORMAT: 'json' }, schema);
      await service.logged('service-started');
      const answer = await fetch(`${httpUrlOf(service)}/connectors/mongodb`);
      expect(await answer.json()).toMatchObject({
        status: 'error',
        lastError: { message: expect.stringContaining('schema') },
      });
    });
  });
});
