// Connectors beside the API, what check says of them, and the examples: the built program between
// a real Iggy and a real MongoDB.
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { metricsOf, orders, shown, sinkToml as sinkTomlOf } from '../support/connectors-service.ts';
import { ConnectorsStage, prefixed } from '../support/connectors-stage.ts';
import { ask, askJson, problemOf } from '../support/http-client.ts';
import { describeIggy } from '../support/iggy.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { readSample } from '../support/prometheus-text.ts';
import { createBearer } from '../support/rest-service.ts';
import { writeConnectors } from '../support/start-connectors.ts';
import { httpUrlOf, startService } from '../support/start-service.ts';
import type { RunningService } from '../support/start-service.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/connectors');

/** Neither listeners nor databases: only what connectors need. */
const NO_LISTENERS = { PORT: '0', WIRE_POSTGRES_PORT: 'off', WIRE_MONGODB_PORT: 'off' };

let iggy: TestIggy;
let stage: ConnectorsStage;
const services: RunningService[] = [];

function sinkToml(key: string, collection: string, more = ''): string {
  const { stream, topic } = stage;
  return sinkTomlOf({ stream, topic, place: stage.place(collection) }, key, more);
}

/** Gatepost itself, with connectors in the directory of the stage. */
async function startServe(
  connectors: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<RunningService> {
  const directory = stage.directory.path;
  await writeConnectors({ iggy, directory, connectors });
  const service = startService({
    directory,
    args,
    environment: { ...NO_LISTENERS, IGGY_CONNECTORS_CONFIG_PATH: 'config.toml', ...environment },
  });
  services.push(service);
  return service;
}

describeMongodb('Connectors of a service', () => {
  describeIggy('between Iggy and MongoDB', () => {
    beforeAll(async () => {
      iggy = await startTestIggy();
    });

    afterAll(async () => {
      await iggy.stop();
    });

    afterEach(async () => {
      for (const service of services.splice(0)) {
        service.process.kill('SIGKILL');
        await service.exited();
      }
      await stage.close();
    });

    it('the examples carry documents through Iggy and back', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const { client, name, uri } = stage.database;
      await cp(EXAMPLES, stage.directory.path, { recursive: true });
      const { credentials } = iggy;
      const password = credentials.kind === 'password' ? credentials.password : '';
      const username = credentials.kind === 'password' ? credentials.username : '';
      const place = { PLUGIN_CONFIG_CONNECTION_URI: uri, PLUGIN_CONFIG_DATABASE: name };
      const stream = { STREAMS_0_STREAM: stage.stream, STREAMS_0_CONSUMER_GROUP: name };
      const { STREAMS_0_STREAM } = stream;
      const service = startService({
        args: ['connectors'],
        directory: stage.directory.path,
        environment: {
          ...prefixed('IGGY_CONNECTORS_', {
            ...{ IGGY_ADDRESS: iggy.address, IGGY_USERNAME: username, IGGY_PASSWORD: password },
            ...{ CONNECTORS_CONFIG_DIR: 'connectors', HTTP_ADDRESS: '127.0.0.1:0' },
          }),
          ...prefixed('IGGY_CONNECTORS_SOURCE_MONGODB_', { ...place, STREAMS_0_STREAM }),
          ...prefixed('IGGY_CONNECTORS_SINK_MONGODB_', { ...place, ...stream }),
        },
      });
      services.push(service);
      await service.logged('service-started');
      await client.db(name).collection('orders').insertOne({ item: 'lamp', price: 12.5 });
      const [copy] = await stage.untilDocuments('orders_copy', 1);
      expect(copy?.['payload']).toMatchObject({ item: 'lamp', price: 12.5 });
      const both = await askJson(`${httpUrlOf(service)}/connectors/mongodb`);
      expect(both).toMatchObject([409, { detail: 'A sink and a source have the key "mongodb"' }]);
      expect(await shown(service, '/connectors/mongodb?type=source')).toMatchObject({
        status: 'running',
        counters: { received: 1, delivered: 1 },
      });
      expect(await service.stop()).toBe(0);
    });

    it('serve runs them in its own process, behind the tokens of the API', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const [reader, admin] = [createBearer('r', 'read'), createBearer('a', 'admin')];
      const service = await startServe(
        { 'sink.toml': sinkToml('orders', 'copies') },
        { API_TOKENS: `${reader.entry},${admin.entry}` },
      );
      await service.logged('service-started');
      await stage.send(orders(20));
      await stage.untilDocuments('copies', 20);
      const url = `${httpUrlOf(service)}/connectors`;
      expect((await ask(url)).status).toBe(401);
      const listed = await askJson(url, { token: reader.token });
      expect(listed).toMatchObject([200, { items: [{ key: 'orders', status: 'running' }] }]);
      const restart = { method: 'POST' };
      const refused = await ask(`${url}/orders/restart`, { ...restart, token: reader.token });
      expect(problemOf(refused)).toMatchObject({ status: 403 });
      const taken = await ask(`${url}/orders/restart`, { ...restart, token: admin.token });
      expect(taken.status).toBe(204);
      const described = await askJson(`${httpUrlOf(service)}/openapi.json`);
      expect(described).toMatchObject([200, { paths: { '/connectors': {} } }]);
      expect(readSample(await metricsOf(service), 'iggy_connectors_sinks_total')).toBe(1);
      const notes = service.log.filter(({ component }) => component === 'connectors');
      expect(notes.map(({ message }) => message)).toEqual([
        expect.stringMatching(/\[http\] of connectors does nothing in serve/),
      ]);
      // One HTTP, its own.
      const bound = service.log.filter((line) => line['component'] === 'http');
      expect(bound).toHaveLength(1);
      expect(await service.stop()).toBe(0);
      await stage.untilOffset('iggy-connect-sink-orders', 19n);
    });

    it('check tells what would run, and which connector would not', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const good = sinkToml('good', 'copies');
      const wrong = sinkToml('wrong', 'copies', 'retry_delay = "soon"\n');
      const accepted = await startServe({ 'good.toml': good }, {}, ['check']);
      expect(await accepted.exited()).toBe(0);
      expect(accepted.stdout()).toMatch(
        /^Connectors\n.*config\.toml\n(.*\n)*.*sink good: enabled/m,
      );
      const refused = await startServe({ 'good.toml': good, 'wrong.toml': wrong }, {}, ['check']);
      expect(await refused.exited()).toBe(2);
      expect(refused.stdout()).toMatch(/sink wrong: refused/);
      expect(refused.stderr()).toMatch(/^sink wrong: .*retry_delay.*"soon"/m);
    });
    it('a file that is not there exits with 2', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const directory = stage.directory.path;
      const service = startService({ args: ['connectors', '--config', 'no.toml'], directory });
      services.push(service);
      expect(await service.exited()).toBe(2);
      expect(service.stderr()).toMatch(/no\.toml.*there is no such file/);
    });
  });
});
