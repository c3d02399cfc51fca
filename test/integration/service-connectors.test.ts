// gatepost connectors, the built program, between a real Iggy and a real MongoDB.
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import {
  isRunning,
  metricsOf,
  orders,
  shown,
  sinkToml as sinkTomlOf,
  untilShown,
} from '../support/connectors-service.ts';
import { ConnectorsStage } from '../support/connectors-stage.ts';
import { untilFound } from '../support/facts.ts';
import { ask, askJson } from '../support/http-client.ts';
import { describeIggy } from '../support/iggy.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { readSample } from '../support/prometheus-text.ts';
import { createBearer } from '../support/rest-service.ts';
import { writeConnectors } from '../support/start-connectors.ts';
import { httpUrlOf } from '../support/start-service.ts';
import type { RunningService } from '../support/start-service.ts';

const KEY = 'hunter2-of-http';
const AWAY = 'mongodb://app:hunter2-of-mongodb@127.0.0.1:1/?serverSelectionTimeoutMS=200';

const bearer = createBearer('reader', 'read');

let iggy: TestIggy;
let stage: ConnectorsStage;

function sinkToml(key: string, collection: string, more = ''): string {
  const { stream, topic } = stage;
  return sinkTomlOf({ stream, topic, place: stage.place(collection) }, key, more);
}

async function startAlone(
  connectors: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const service = await stage.start({ connectors, environment });
  await service.logged('service-started');
  return service;
}

const labelsOf = (key: string): Record<string, string> => ({
  connector_key: key,
  connector_type: 'sink',
});

describeMongodb('Connectors as a process', () => {
  describeIggy('between Iggy and MongoDB', () => {
    beforeAll(async () => {
      iggy = await startTestIggy();
    });

    afterAll(async () => {
      await iggy.stop();
    });

    afterEach(async () => {
      await stage.close();
    });

    it('gatepost connectors brings messages into a collection, and says so', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const service = await startAlone({ 'sink.toml': sinkToml('orders', 'copies') });
      await stage.send(orders(250));
      const documents = await stage.untilDocuments('copies', 250);
      // Several chunks are inserted at once.
      const sorted = documents.toSorted((one, other) => Number(one['_id']) - Number(other['_id']));
      expect(sorted.map(({ payload }) => payload)).toEqual(
        Array.from({ length: 250 }, (_, order) => ({ order })),
      );
      await stage.untilOffset('iggy-connect-sink-orders', 249n);
      const connector = await untilShown(
        service,
        '/connectors/orders',
        ({ counters }) => counters['delivered'] === 250,
      );
      expect(connector).toMatchObject({
        type: 'sink',
        status: 'running',
        lastError: null,
        counters: { received: 250, delivered: 250, replayed: 0, errors: 0 },
        pluginConfig: { batch_size: 100, payload_format: 'json', on_failure: 'halt' },
      });
      const metrics = await metricsOf(service);
      const count = (name: string): number | undefined =>
        readSample(metrics, `iggy_connector_${name}_total`, labelsOf('orders'));
      expect(['messages_consumed', 'messages_processed', 'errors'].map(count)).toEqual([
        250, 250, 0,
      ]);
      expect(readSample(metrics, 'iggy_connectors_sinks_running')).toBe(1);
      expect(readSample(metrics, 'iggy_connectors_sources_total')).toBe(0);
    });

    it('SIGTERM ends it with 0, offsets stored, and the next start goes on', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const connectors = { 'sink.toml': sinkToml('orders', 'copies') };
      const first = await startAlone(connectors);
      await stage.send(orders(120));
      await stage.untilDocuments('copies', 120);
      expect(await first.stop()).toBe(0);
      await stage.untilOffset('iggy-connect-sink-orders', 119n);
      await stage.send(orders(30), 0, 121);
      const second = await startAlone(connectors);
      await stage.untilDocuments('copies', 150);
      const { counters } = await untilShown(
        second,
        '/connectors/orders',
        (one) => one.counters['delivered'] === 30,
      );
      expect(counters).toMatchObject({ received: 30, replayed: 0 });
      expect(await second.stop()).toBe(0);
    });

    it('a connector with a wrong field is shown in error while the other one runs', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const service = await startAlone({
        'good.toml': sinkToml('good', 'copies'),
        'wrong.toml': sinkToml('wrong', 'others', 'batch_sise = 5\n'),
      });
      await stage.send(orders(3));
      await stage.untilDocuments('copies', 3);
      const wrong = await shown(service, '/connectors/wrong');
      expect(wrong.status).toBe('error');
      expect(wrong.lastError?.message).toMatch(
        /batch_sise .*wrong\.toml.* not a field.*batch_size/,
      );
      const line = service.log.find((one) => one['connector'] === 'wrong');
      expect(line).toMatchObject({ event: 'connector-status', level: 'error', status: 'error' });
      const [status] = await askJson(`${httpUrlOf(service)}/readyz`);
      expect(status).toBe(200);
    });

    it('a restart reads the corrected file, and only that connector stops', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const wrong = sinkToml('wrong', 'copies', 'batch_size = 0\n');
      const service = await startAlone({ 'wrong.toml': wrong, 'good.toml': sinkToml('good', 'a') });
      await untilShown(service, '/connectors/good', isRunning);
      const directory = stage.directory.path;
      const connectors = { 'wrong.toml': sinkToml('wrong', 'copies', 'batch_size = 7\n') };
      await writeConnectors({ iggy, directory, connectors });
      const url = `${httpUrlOf(service)}/connectors/wrong/restart`;
      const { status, text } = await ask(url, { method: 'POST' });
      expect([status, text]).toEqual([204, '']);
      const restarted = await untilShown(service, '/connectors/wrong', isRunning);
      expect(restarted).toMatchObject({ lastError: null, pluginConfig: { batch_size: 7 } });
      await stage.send(orders(3));
      await stage.untilDocuments('copies', 3);
      const stops = service.log.filter((one) => one['status'] === 'stopping');
      expect(stops).toEqual([]);
    });

    it('a running connector goes on where it was after a restart', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const service = await startAlone({ 'sink.toml': sinkToml('orders', 'copies') });
      await stage.send(orders(10));
      await stage.untilDocuments('copies', 10);
      const url = `${httpUrlOf(service)}/connectors/orders/restart?type=sink`;
      expect((await ask(url, { method: 'POST' })).status).toBe(204);
      await stage.send(orders(5), 0, 11);
      await stage.untilDocuments('copies', 15);
      const connector = await untilShown(
        service,
        '/connectors/orders',
        ({ counters }) => counters['delivered'] === 15,
      );
      expect(connector.counters).toMatchObject({ received: 15, replayed: 0, errors: 0 });
      const statuses = service.log
        .filter((line) => line['event'] === 'connector-status')
        .map((line) => line['status']);
      expect(statuses).toEqual([
        ...['starting', 'running', 'stopping', 'stopped'],
        ...['starting', 'running'],
      ]);
    });

    it('with a key everything but the probes asks for it, and no secret is told', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const away = sinkToml('away', 'others').replace(/connection_uri = .*/, '');
      const service = await startAlone(
        { 'sink.toml': sinkToml('orders', 'copies'), 'away.toml': away },
        {
          IGGY_CONNECTORS_HTTP_API_KEY: KEY,
          IGGY_CONNECTORS_SINK_AWAY_PLUGIN_CONFIG_CONNECTION_URI: AWAY,
          LOG_LEVEL: 'debug',
        },
      );
      const headers = { 'api-key': KEY };
      const url = httpUrlOf(service);
      await stage.send(orders(3));
      await stage.untilDocuments('copies', 3);
      await untilFound(async () => {
        const { lastError } = await shown(service, '/connectors/away', { headers });
        return lastError ?? undefined;
      }, 'the error of a MongoDB that is away');
      const paths = ['/livez', '/readyz', '/health', '/metrics', '/connectors'];
      const without = await Promise.all(paths.map(async (one) => await ask(`${url}${one}`)));
      const withKey = await Promise.all(
        paths.map(async (one) => await ask(`${url}${one}`, { headers })),
      );
      expect(without.map(({ status }) => status)).toEqual([200, 200, 401, 401, 401]);
      expect(withKey.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(withKey.at(-1)?.text).toContain('"connection_uri":"mongodb://app***"');
      expect(await service.stop()).toBe(0);
      const { credentials } = iggy;
      const password = credentials.kind === 'password' ? credentials.password : credentials.token;
      const said = [service.stdout(), service.stderr(), JSON.stringify([without, withKey])].join();
      for (const secret of ['hunter2', password, '"order"']) {
        expect(said).not.toContain(secret);
      }
    });

    it('a name of no connector exits with 2 and says which', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const service = await stage.start({
        connectors: { 'sink.toml': sinkToml('orders', 'copies') },
        environment: { IGGY_CONNECTORS_SINK_ORDRES_ENABLED: 'false' },
      });
      expect(await service.exited()).toBe(2);
      expect(service.stderr()).toMatch(
        /^IGGY_CONNECTORS_SINK_ORDRES_ENABLED is about no connector; there are: sink orders$/m,
      );
      expect(service.stdout()).toBe('');
    });

    it('beyond loopback it starts with a key or tokens only', async () => {
      stage = await ConnectorsStage.open({ iggy });
      const connectors = { 'sink.toml': sinkToml('orders', 'copies') };
      const environment = { IGGY_CONNECTORS_HTTP_ADDRESS: '0.0.0.0:0' };
      const open = await stage.start({ connectors, environment });
      expect(await open.exited()).toBe(2);
      expect(open.stderr()).toMatch(
        /^http\.address has the host "0\.0\.0\.0".*api_key.*API_TOKENS/,
      );
      for (const more of [{ IGGY_CONNECTORS_HTTP_API_KEY: KEY }, { API_TOKENS: bearer.entry }]) {
        const service = await startAlone(connectors, { ...environment, ...more });
        expect(await service.stop()).toBe(0);
      }
    });
  });
});
