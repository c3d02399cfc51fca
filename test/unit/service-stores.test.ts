import { describe, expect, test } from '@jest/globals';
import { createEmbeddedDatabases } from '../../src/embedded/embedded-databases.ts';
import { createMetrics } from '../../src/metrics.ts';
import { openStores } from '../../src/service-stores.ts';
import type { OwnStores } from '../../src/service-stores.ts';
import { loadFrom } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const DSN = 'postgresql://app:hunter2@db/orders';
const URI = 'mongodb://app:hunter2@h';

function storesOf(world: ConfigWorld): OwnStores {
  const config = loadFrom(world);
  const observer = { observe: () => undefined };
  const observers = {
    observer,
    metrics: createMetrics({ version: '1.2.3' }),
    attach: () => undefined,
    close: () => Promise.resolve(),
  };
  return openStores(config, observers, createEmbeddedDatabases(config, observer));
}

describe('The probes of what Gatepost keeps', () => {
  test.each<[string, ConfigWorld, readonly (readonly [string, boolean])[]]>([
    ['nothing, where nothing is kept', { env: { WIRE_UPSTREAM_DSN: DSN, MONGODB_URI: URI } }, []],
    ['the store in the embedded MongoDB', {}, [['store', false]]],
    [
      'the store in the MongoDB that is queried',
      { env: { WIRE_UPSTREAM_DSN: DSN, MONGODB_URI: URI, ACTIVITY: 'on' } },
      [['store', false]],
    ],
    [
      'both on servers of their own, accounts as needed by whoever logs in with them',
      {
        env: {
          ...{ WIRE_UPSTREAM_DSN: DSN, MONGODB_URI: URI, WIRE_AUTH: 'accounts', ACCOUNTS: 'on' },
          ACCOUNTS_DATABASE_URL: 'postgresql://gatepost@other/gatepost',
          ACTIVITY_MONGODB_URI: 'mongodb://other',
        },
      },
      [
        ['accounts', true],
        ['store', false],
      ],
    ],
  ])('are of %s', (_what, world, expected) => {
    const { probes } = storesOf(world);
    expect(probes.map(({ backend, isRequired }) => [backend, isRequired])).toEqual(expected);
  });

  test('say at once that the embedded MongoDB is not running', async () => {
    const [probe] = storesOf({}).probes;
    await expect(probe?.probe(AbortSignal.timeout(1000))).rejects.toMatchObject({
      sqlState: '08006',
    });
  });
});
