// Requests a second over REST, beside a bare Express handler with `pg` that gives the same rows, in
// turns: `node --import ./test/support/typescript.js test/bench/rest.ts`. Needs a build (npm run
// build). BENCH_SECONDS is the length of one turn, BENCH_ROUNDS how many there are.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import autocannon from 'autocannon';
import type { Result } from 'autocannon';
import pg from 'pg';
import { httpUrlOf, NODE, startService } from '../support/start-service.ts';
import { startUpstream } from './upstream.ts';
import type { BenchUpstream } from './upstream.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const CONNECTIONS = 50;
const ROWS = 10_000;

const PLANT = `create table items as
  select id, 'item number ' || id as name, id % 7 as kind, id / 3.0 as price, now() as at
    from generate_series(1, ${ROWS}) as id;
  alter table items add primary key (id); analyze items`;

interface Case {
  readonly name: string;
  readonly request: autocannon.Request;
}

function queryOf(sql: string, params: readonly string[]): autocannon.Request {
  return {
    method: 'POST',
    path: '/query',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ backend: 'postgres', sql, params }),
  };
}

const CASES: readonly Case[] = [
  { name: 'GET by key', request: { method: 'GET', path: '/api/postgres/public/items/4711' } },
  {
    name: 'POST /query, 1 row',
    request: queryOf('select * from items where id = $1', ['4711']),
  },
  {
    name: 'POST /query, 1000 rows',
    request: queryOf('select * from items where id <= $1', ['1000']),
  },
];

const upstream = await startUpstream();
try {
  await plant(upstream.url);
  await runAll(upstream);
} finally {
  await upstream.stop();
}

async function plant(dsn: string): Promise<void> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  await client.query(PLANT);
  await client.end();
}

async function runAll({ url: dsn, place: { directory } }: BenchUpstream): Promise<void> {
  const service = startService({
    runtime: NODE,
    directory,
    environment: {
      PORT: '0',
      NODE_ENV: 'production',
      WIRE_POSTGRES_PORT: '0',
      WIRE_MONGODB_PORT: 'off',
      WIRE_UPSTREAM_DSN: dsn,
      API_RATE_LIMIT: '0',
      AUDIT_FILE: 'audit.jsonl',
    },
  });
  const bare = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-handler.js')], {
    env: { ...process.env, NODE_ENV: 'production', BENCH_POSTGRES_URL: dsn },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(bare.stdout, 'data')) as [Buffer];
    const urls = {
      bare: `http://127.0.0.1:${String(port).trim()}`,
      gatepost: await urlOf(service),
    };
    for (const one of CASES) {
      await measure(one, urls);
    }
  } finally {
    bare.kill();
    await service.stop();
  }
}

async function urlOf(service: ReturnType<typeof startService>): Promise<string> {
  await service.logged('service-started');
  return httpUrlOf(service);
}

async function measure(
  { name, request }: Case,
  urls: { readonly bare: string; readonly gatepost: string },
): Promise<void> {
  const ratios: number[] = [];
  const last: Record<string, Result> = {};
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bare = await fire(urls.bare, request);
    const gatepost = await fire(urls.gatepost, request);
    // The first round is for the compilers.
    if (round > 0) {
      ratios.push(gatepost.requests.average / bare.requests.average);
    }
    Object.assign(last, { bare, gatepost });
  }
  const sorted = ratios.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const shown = Object.entries(last).map(
    ([who, { requests, latency }]) =>
      `${who} ${requests.average.toFixed(0)}/s, p99 ${latency.p99} ms`,
  );
  const all = sorted.map((ratio) => ratio.toFixed(2)).join(' ');
  process.stdout.write(
    `${name}: ${median.toFixed(2)} of the bare handler (${all}); ${shown.join('; ')}\n`,
  );
}

async function fire(url: string, request: autocannon.Request): Promise<Result> {
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: SECONDS,
    requests: [request],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were no success, ${result.errors} failed`);
  }
  return result;
}
