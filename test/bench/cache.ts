// How long an answer takes out of the cache, beside the same one made, in turns:
// `node --import ./test/support/typescript.js test/bench/cache.ts`. PostgreSQL and MongoDB are the
// embedded ones, or MongoDB is that of TEST_MONGODB_URI. BENCH_SECONDS is the length of one turn,
// BENCH_ROUNDS how many there are.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import autocannon from 'autocannon';
import { MongoClient } from 'mongodb';
import { createEmbeddedMongodb } from '../../src/embedded/mongodb.ts';
import { ADMIN } from '../support/api-stage.ts';
import { runDirectly } from '../support/databases.ts';
import { startOwnProcess } from '../support/own-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import { ratioOf } from './statistics.ts';
import { startUpstream } from './upstream.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 3);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const CONNECTIONS = [1, 16];
const ROWS = 200_000;

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;
const PROGRAMS = path.resolve(import.meta.dirname, '../../node_modules/.cache/gatepost');

const PLANT = `create table items as
  select id, 'item number ' || id as name, id % 7 as kind, id / 3.0 as price
    from generate_series(1, ${ROWS}) as id;
  alter table items add primary key (id); analyze items`;

type Request = Omit<autocannon.Request, 'headers'> & {
  readonly headers: Readonly<Record<string, string>>;
};

/** The same request without the cache, and with it. */
interface Case {
  readonly name: string;
  readonly made: Request;
  readonly cached: Request;
}

const AUTHORIZATION = { authorization: `Bearer ${ADMIN}` };

function queryOf(name: string, sql: string): Case {
  const headers = { ...AUTHORIZATION, 'content-type': 'application/json' };
  const toRequest = (changes: object): Request => {
    const body = JSON.stringify({ backend: 'postgres', sql, ...changes });
    return { method: 'POST', path: '/query', headers, body };
  };
  return { name, made: toRequest({}), cached: toRequest({ cacheSeconds: 600 }) };
}

function readOf(name: string, url: string): Case {
  const made = { method: 'GET', path: url, headers: AUTHORIZATION } as const;
  const headers = { ...AUTHORIZATION, 'cache-control': 'max-age=600' };
  return { name, made, cached: { ...made, headers } };
}

const CASES: readonly Case[] = [
  queryOf(
    `sums of ${ROWS} rows by kind`,
    'select kind, count(*), sum(price), max(name) from items group by kind order by kind',
  ),
  queryOf('1000 rows', 'select * from items where id <= 1000'),
  queryOf('select 1', 'select 1'),
  readOf('GET by key', '/api/postgres/public/items/4711'),
];

const upstream = await startUpstream();
try {
  await runDirectly(upstream.url, PLANT);
  await withMongodb(async (mongodbUri) => await runAll(upstream.url, mongodbUri));
} finally {
  await upstream.stop();
}

async function withMongodb(run: (uri: string) => Promise<void>): Promise<void> {
  const given = process.env['TEST_MONGODB_URI'];
  if (given !== undefined) {
    await run(given);
    return;
  }
  const temporary = await createTemporaryDirectory();
  const mongodb = createEmbeddedMongodb({
    directory: path.join(temporary.path, 'data'),
    observer: { observe: () => undefined },
    binary: process.env['MONGOD_BINARY'],
    programsDirectory: PROGRAMS,
  });
  try {
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    await mongodb.start(signal);
    await run(await mongodb.untilRunning(signal));
  } finally {
    await mongodb.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
    await temporary.remove();
  }
}

async function runAll(dsn: string, mongodbUri: string): Promise<void> {
  const database = `gatepost_bench_${randomBytes(6).toString('hex')}`;
  const cache = { mongodbUri, database };
  const api = await startOwnProcess({ kind: 'api', options: { dsn }, cache });
  const client = new MongoClient(mongodbUri);
  try {
    for (const connections of CONNECTIONS) {
      for (const one of CASES) {
        await measure(one, `http://127.0.0.1:${api.port}`, connections);
      }
    }
  } finally {
    await api.stop();
    await client.db(database).dropDatabase();
    await client.close();
  }
}

async function measure({ name, made, cached }: Case, url: string, connections: number) {
  const times: Record<'made' | 'cached', number[]> = { made: [], cached: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const madeMs = await fire(made, { url, connections });
    const cachedMs = await fire(cached, { url, connections });
    // The first round is for the compilers, and fills the cache.
    if (round > 0) {
      await assertHit(cached, url);
      times.made.push(madeMs);
      times.cached.push(cachedMs);
    }
  }
  const { median, least, most } = ratioOf(times.cached, times.made);
  const [madeMs, cachedMs] = [times.made.at(-1) ?? NaN, times.cached.at(-1) ?? NaN];
  process.stdout.write(
    `${name}, ${connections} at a time: a hit takes ${median.toFixed(3)} of the time ` +
      `(${least.toFixed(3)} to ${most.toFixed(3)}); ` +
      `made ${madeMs.toFixed(2)} ms, cached ${cachedMs.toFixed(2)} ms\n`,
  );
}

/** @returns milliseconds that one answer takes, whoever waits beside it */
async function fire(
  request: Request,
  { url, connections }: { readonly url: string; readonly connections: number },
): Promise<number> {
  const result = await autocannon({ url, connections, duration: SECONDS, requests: [request] });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were no success, ${result.errors} failed`);
  }
  return (connections * 1000 * result.duration) / result.requests.total;
}

async function assertHit({ method = 'GET', path: at = '', headers, body }: Request, url: string) {
  const answer = await fetch(`${url}${at}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: body.toString() }),
  });
  await answer.arrayBuffer();
  if (answer.headers.get('x-cache') !== 'hit') {
    throw new Error(`That was no hit: ${answer.headers.get('x-cache') ?? 'nothing'}`);
  }
}
