// The client of Gatepost's own database while MongoDB comes and goes.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { performance } from 'node:perf_hooks';
import { StoreClient } from '../../src/store/store-client.ts';
import { untilFact } from '../support/facts.ts';
import { createRestartableMongodb } from '../support/restartable-servers.ts';
import type { RestartableServer } from '../support/restartable-servers.ts';

const SOON = (): AbortSignal => AbortSignal.timeout(20_000);

/** Fast is less than it takes to look for a server. */
const FAST_MS = 1500;

async function opens(client: StoreClient): Promise<boolean> {
  return await client.open(SOON()).then(
    () => true,
    () => false,
  );
}

describe('StoreClient', () => {
  let server: RestartableServer;

  beforeAll(async () => {
    server = await createRestartableMongodb();
    await server.start();
  }, 60_000);

  afterAll(async () => {
    await server.remove();
  });

  it('opens the database gatepost, or the one that is said', async () => {
    const [usual, other] = [
      new StoreClient(() => server.url),
      new StoreClient(() => server.url, { database: 'other' }),
    ];
    const names = [await usual.open(SOON()), await other.open(SOON())].map(
      ({ databaseName }) => databaseName,
    );
    expect(names).toEqual(['gatepost', 'other']);
    await Promise.all([usual.close(), other.close()]);
  });

  it('fails fast while MongoDB is away, and works again when it is back', async () => {
    const client = new StoreClient(() => server.url);
    const db = await client.open(SOON());
    await db.collection('x').insertOne({ n: 1 });
    await server.kill();
    await untilFact(async () => !(await opens(client)), 'the outage to be noticed');
    const startedAtMs = performance.now();
    const failures = await Promise.all(
      Array.from(
        { length: 50 },
        async () => await client.open(SOON()).catch((error: unknown) => error),
      ),
    );
    expect(performance.now() - startedAtMs).toBeLessThan(FAST_MS);
    expect(failures).toEqual(
      Array.from({ length: 50 }, () => expect.objectContaining({ sqlState: '08006' })),
    );
    await server.start();
    await untilFact(async () => await opens(client), 'MongoDB to be found again');
    expect(await db.collection('x').countDocuments()).toBe(1);
    await client.close();
  }, 60_000);

  it('asks for the address anew until a server has answered', async () => {
    const uris = ['mongodb://127.0.0.1:1/', undefined, server.url];
    let asked = 0;
    const client = new StoreClient(() => {
      const uri = uris[Math.min(asked, uris.length - 1)];
      asked += 1;
      if (uri === undefined) {
        throw new Error('It is not there yet');
      }
      return uri;
    });
    await untilFact(async () => await opens(client), 'the third address');
    const before = asked;
    expect(await opens(client)).toBe(true);
    expect(asked).toBe(before);
    await client.close();
  }, 60_000);

  it('works at once when there is an address, however long there was none', async () => {
    let isThere = false;
    const client = new StoreClient(() => {
      if (!isThere) {
        throw new Error('It is not there yet');
      }
      return server.url;
    });
    for (let count = 0; count < 50; count += 1) {
      await expect(client.open(SOON())).rejects.toThrow('not there yet');
    }
    isThere = true;
    expect(await opens(client)).toBe(true);
    await client.close();
  });

  it('is not closed to others by one who has given up', async () => {
    const client = new StoreClient(() => server.url);
    await expect(client.open(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    const leaving = new AbortController();
    const left = client.open(leaving.signal);
    const other = client.open(SOON());
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect((await other).client).toBeInstanceOf(MongoClient);
    await client.close();
  });

  it('tells no host and no password', async () => {
    const client = new StoreClient(() => 'mongodb://u:Zq9kTv7w@127.0.0.1:1/');
    const failure = await client.open(SOON()).catch((error: unknown) => error);
    expect(String(failure)).not.toMatch(/Zq9kTv7w|127\.0\.0\.1/);
    await client.close();
  });
});
