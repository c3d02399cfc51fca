import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { ServiceError, SQLSTATE } from '../../../src/errors.ts';
import type { ActivityReader, RecordQuery } from '../../../src/store/activity-reader.ts';
import { ADMIN, createActivityApp, readerNamed } from '../../support/activity-app.ts';
import type { ActivityAppOptions } from '../../support/activity-app.ts';
import { ask, askJson, problemOf } from '../../support/http-client.ts';
import type { Answer, Question } from '../../support/http-client.ts';
import { createRecorder, parseJsonLines } from '../../support/observations.ts';

const PATHS = ['/api/activity', '/api/activity/summary', '/api/logs'];
const NDJSON = { accept: 'application/x-ndjson' };

/** As many records as it is told of, each with its number. */
class CountingReader implements ActivityReader {
  readonly retentionMs = 86_400_000;
  readonly queries: RecordQuery[] = [];
  /** Reading this page fails. */
  failsAt = Infinity;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  readonly listActivity: ActivityReader['listActivity'] = async (query) => {
    await Promise.resolve();
    this.queries.push(query);
    if (this.queries.length > this.failsAt) {
      throw new ServiceError(SQLSTATE.connectionFailure, 'Activity cannot be read in MongoDB');
    }
    const start = query.after === undefined ? 0 : query.after.at.getTime();
    const end = Math.min(start + query.limit, this.#count);
    const items = Array.from({ length: end - start }, (_, index) => ({ number: start + index }));
    const id = '0c4f1c55-8f43-4f0e-8d3c-2f6a1b9d7e21';
    return { items, position: end < this.#count ? { at: new Date(end), id } : undefined };
  };
  readonly listLogs = this.listActivity;

  async summarize(): Promise<Awaited<ReturnType<ActivityReader['summarize']>>> {
    return await Promise.resolve({ groups: [], isCut: false });
  }
}

const META = z.object({ $meta: z.looseObject({ next: z.string().nullable() }) });

let caller: ReturnType<ActivityAppOptions['caller']>;
let servers: Server[];

beforeEach(() => {
  caller = ADMIN;
  servers = [];
});

afterEach(() => {
  servers.forEach((server) => server.close());
});

/** The address of an app of its own. */
async function serve(reader: ActivityReader | undefined): Promise<string> {
  const observer = createRecorder();
  const app = createActivityApp({ reader, observer, caller: () => caller });
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return `http://127.0.0.1:${port}`;
}

async function askFor(
  reader: ActivityReader | undefined,
  path: string,
  question?: Question,
): Promise<Answer> {
  return await ask(`${await serve(reader)}${path}`, question);
}

const PAGE = z.object({
  items: z.array(z.object({ number: z.number() })),
  next: z.string().nullable(),
});

describe('where nothing is kept', () => {
  test.each(PATHS)('GET %s says how to keep it', async (path) => {
    const answer = await askFor(undefined, path);
    expect(answer.status).toBe(404);
    expect(problemOf(answer)['hint']).toContain('ACTIVITY=on');
  });
});

describe('a list', () => {
  it('is a page, with the address of the next one', async () => {
    const { text, headers } = await askFor(new CountingReader(5), '/api/logs?limit=2');
    expect(PAGE.parse(JSON.parse(text)).items).toEqual([{ number: 0 }, { number: 1 }]);
    const { next } = PAGE.parse(JSON.parse(text));
    expect(next).toMatch(/^\/api\/logs\?limit=2&after=[\w-]+$/);
    expect(headers['link']).toBe(`<${next}>; rel="next"`);
  });

  it('can be followed to its end', async () => {
    const url = await serve(new CountingReader(5));
    const numbers: number[] = [];
    let path: string | null = '/api/activity?limit=2&kind=statement';
    while (path !== null) {
      const [, body] = await askJson(`${url}${path}`);
      const page = PAGE.parse(body);
      numbers.push(...page.items.map(({ number }) => number));
      path = page.next;
    }
    expect(numbers).toEqual([0, 1, 2, 3, 4]);
  });

  test.each(PATHS)('GET %s refuses a parameter that is not known', async (path) => {
    const answer = await askFor(new CountingReader(1), `${path}?acount=x`);
    expect(answer.status).toBe(400);
    expect(problemOf(answer)).toMatchObject({ fields: [{ field: 'acount' }] });
  });

  test.each(PATHS)('%s answers GET only', async (path) => {
    const { status, headers } = await askFor(new CountingReader(1), path, { method: 'POST' });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('is written in no other format', async () => {
    const headers = { accept: 'text/csv' };
    const { status } = await askFor(new CountingReader(1), '/api/activity', { headers });
    expect(status).toBe(406);
  });
});

describe('whose it is', () => {
  it('is everybody’s for an administrator, who may ask for one', async () => {
    const reader = new CountingReader(1);
    await askFor(reader, '/api/activity?account=ada');
    expect(reader.queries).toMatchObject([{ owner: undefined, matches: { account: 'ada' } }]);
  });

  it('is his own for everybody else', async () => {
    caller = readerNamed('ada');
    const reader = new CountingReader(1);
    await askFor(reader, '/api/activity?account=ada&kind=login');
    // By the owner, which nobody had before, and not by the name.
    expect(reader.queries).toMatchObject([{ owner: 'account:ada', matches: { kind: 'login' } }]);
    expect(reader.queries[0]?.matches).not.toHaveProperty('account');
  });

  test.each(['/api/activity', '/api/logs'])('is not another one’s: %s', async (path) => {
    caller = readerNamed('ada');
    const reader = new CountingReader(1);
    expect((await askFor(reader, `${path}?account=grace`)).status).toBe(403);
    expect(reader.queries).toEqual([]);
  });
});

describe('lines', () => {
  const lines = async (
    reader: ActivityReader,
    path: string,
  ): Promise<readonly Record<string, unknown>[]> => {
    const { text, headers } = await askFor(reader, path, { headers: NDJSON });
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    return parseJsonLines(text);
  };

  it('are as many as are asked for, read page by page', async () => {
    const reader = new CountingReader(10_000);
    const all = await lines(reader, '/api/activity?limit=2500');
    expect(reader.queries.map(({ limit }) => limit)).toEqual([1000, 1000, 500]);
    expect(all).toHaveLength(2501);
    expect(all[2499]).toEqual({ number: 2499 });
    const bytes = all.slice(0, -1).reduce((sum, one) => sum + JSON.stringify(one).length + 1, 0);
    const { $meta: meta } = META.parse(all.at(-1));
    expect(meta).toMatchObject({ rows: 2500, bytes, truncated: false });
    expect(meta.next).toContain('/api/activity?limit=2500&after=');
  });

  it('end with no next page where there is none', async () => {
    const all = await lines(new CountingReader(3), '/api/logs?limit=100000');
    expect(all.at(-1)).toMatchObject({ $meta: { rows: 3, next: null, truncated: false } });
  });

  it('may be more than a page of JSON, and not more than their own bound', async () => {
    const reader = new CountingReader(3);
    const page = await askFor(reader, '/api/activity?limit=1001');
    const all = await askFor(reader, '/api/activity?limit=100001', { headers: NDJSON });
    expect([page.status, all.status]).toEqual([400, 400]);
  });

  it('say in the last one why they break off, and where to go on', async () => {
    const reader = new CountingReader(5000);
    reader.failsAt = 2;
    const all = await lines(reader, '/api/activity?limit=5000');
    expect(all).toHaveLength(2001);
    const { $meta: meta } = META.parse(all.at(-1));
    expect(meta).toMatchObject({ rows: 2000, truncated: true, sqlState: '08006' });
    expect(meta.next).toContain('after=');
  });

  it('are a problem where the first page cannot be read', async () => {
    const reader = new CountingReader(5000);
    reader.failsAt = 0;
    const { status, headers } = await askFor(reader, '/api/activity', { headers: NDJSON });
    expect(status).toBe(503);
    expect(headers['retry-after']).toBeDefined();
  });

  it('are read no further for a client that has gone', async () => {
    const reader = new CountingReader(100_000_000);
    const url = `${await serve(reader)}/api/activity?limit=100000`;
    await expect(ask(url, { headers: NDJSON, timeoutMs: 20 })).rejects.toThrow();
    const { length } = reader.queries;
    // It is noticed with the next write.
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.queries.length - length).toBeLessThan(5);
  });
});

describe('the summary', () => {
  it('says of which window it is', async () => {
    const window = 'from=2030-01-31T11:00:00Z&to=2030-01-31T12:00:00Z';
    const { text } = await askFor(new CountingReader(0), `/api/activity/summary?${window}`);
    expect(JSON.parse(text)).toEqual({
      from: '2030-01-31T11:00:00.000Z',
      to: '2030-01-31T12:00:00.000Z',
      items: [],
      truncated: false,
    });
  });
});
