// GET /api/activity, its summary and /api/logs over HTTP, in front of a real MongoDB.
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { z } from 'zod';
import { ACTIVITY_ANSWERS } from '../../routes/activity-schemas.ts';
import { ADMIN, createActivityApp, readerNamed } from '../support/activity-app.ts';
import type { ActivityAppOptions } from '../support/activity-app.ts';
import { createActivityStage, statementOf } from '../support/activity-stage.ts';
import type { ActivityStage } from '../support/activity-stage.ts';
import { untilFact } from '../support/facts.ts';
import { ask, askJson, problemOf } from '../support/http-client.ts';
import type { Answer, Question } from '../support/http-client.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { createRecorder, parseJsonLines } from '../support/observations.ts';

const RECORDS = 2500;
const PAGE = z.object({
  items: z.array(z.looseObject({ account: z.string() })),
  next: z.string().nullable(),
});

let caller: ReturnType<ActivityAppOptions['caller']>;

beforeEach(() => {
  caller = ADMIN;
});

async function serve(stage: ActivityStage): Promise<{ server: Server; url: string }> {
  const { reader } = stage;
  const app = createActivityApp({ reader, observer: createRecorder(), caller: () => caller });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return { server, url: `http://127.0.0.1:${port}` };
}

describeMongodb('activity over HTTP', () => {
  let database: TestMongodbDatabase;
  let stage: ActivityStage;
  let server: Server;
  let url: string;

  const asked = async (path: string, question?: Question): Promise<Answer> =>
    await ask(`${url}${path}`, question);

  beforeAll(async () => {
    database = await createTestMongodbDatabase();
    stage = createActivityStage({ uri: database.uri, database: database.name });
    ({ server, url } = await serve(stage));
    for (let index = 0; index < RECORDS; index += 1) {
      stage.note(`select ${index}`, statementOf(index % 5 === 0 ? 'ada' : 'grace'));
    }
    stage.logSink.append({
      ...{ at: new Date(), level: 'info', event: 'session-opened', message: 'Session opened' },
      ...{ fields: { user: 'ada' }, owner: 'account:ada' },
    });
    await untilFact(
      () => stage.counts().activity.written === RECORDS && stage.counts().logs.written === 1,
      'all records',
    );
  });

  afterAll(async () => {
    server.close();
    await stage.close();
    await database.drop();
  });

  it('is followed from page to page by its links', async () => {
    const accounts: string[] = [];
    let path: string | null = '/api/activity?limit=1000&outcome=ok';
    while (path !== null) {
      const [status, body] = await askJson(`${url}${path}`);
      expect(status).toBe(200);
      const page = PAGE.parse(body);
      accounts.push(...page.items.map(({ account }) => account));
      path = page.next;
    }
    expect(accounts).toHaveLength(RECORDS);
    expect(accounts.filter((account) => account === 'ada')).toHaveLength(RECORDS / 5);
  });

  it('is written in lines, whole, for a client that reads slowly too', async () => {
    const headers = { accept: 'application/x-ndjson' };
    const { text, isWhole } = await asked('/api/activity?limit=100000', { headers });
    const lines = parseJsonLines(text);
    expect(isWhole).toBe(true);
    expect(new Set(lines.slice(0, -1).map(({ text: one }) => one)).size).toBe(RECORDS);
    expect(lines.at(-1)).toMatchObject({ $meta: { rows: RECORDS, truncated: false, next: null } });
  });

  it('shows everybody his own', async () => {
    caller = readerNamed('ada');
    const [, body] = await askJson(`${url}/api/activity?limit=1000`);
    const { items } = PAGE.parse(body);
    expect(items).toHaveLength(RECORDS / 5);
    expect(new Set(items.map(({ account }) => account))).toEqual(new Set(['ada']));
    const [, logs] = await askJson(`${url}/api/logs`);
    expect(logs).toMatchObject({ items: [{ event: 'session-opened', fields: { user: 'ada' } }] });
    const [, summary] = await askJson(`${url}/api/activity/summary`);
    expect(summary).toMatchObject({ items: [{ account: 'ada', count: RECORDS / 5 }] });
  });

  it('shows nothing of others', async () => {
    caller = readerNamed('somebody');
    expect(await askJson(`${url}/api/logs`)).toEqual([200, { items: [], next: null }]);
    expect(await askJson(`${url}/api/activity`)).toEqual([200, { items: [], next: null }]);
    expect(await askJson(`${url}/api/activity/summary`)).toMatchObject([200, { items: [] }]);
    expect((await asked('/api/activity?account=ada')).status).toBe(403);
  });

  it('sums up for an administrator', async () => {
    const [status, body] = await askJson(`${url}/api/activity/summary`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      items: [
        { account: 'grace', backend: 'postgres', outcome: 'ok', count: (RECORDS * 4) / 5 },
        { account: 'ada', backend: 'postgres', outcome: 'ok', count: RECORDS / 5 },
      ],
      truncated: false,
    });
  });

  it('is what its description says', async () => {
    const [, activity] = await askJson(`${url}/api/activity?limit=1000`);
    const [, logs] = await askJson(`${url}/api/logs`);
    const [, summary] = await askJson(`${url}/api/activity/summary`);
    const { ActivityPage, ActivitySummary, LogPage } = ACTIVITY_ANSWERS;
    // What the schemas do not name is left out by them.
    expect(ActivityPage.parse(activity)).toEqual(activity);
    expect(LogPage.parse(logs)).toEqual(logs);
    expect(ActivitySummary.parse(summary)).toEqual(summary);
  });

  it('has no place for operators', async () => {
    for (const query of ['account[$ne]=x', 'session[$regex]=.', '$where=1', 'meta.owner=x']) {
      expect((await asked(`/api/activity?${query}`)).status).toBe(400);
    }
    const [, body] = await askJson(
      `${url}/api/activity?session=${encodeURIComponent('{"$ne":1}')}`,
    );
    expect(body).toEqual({ items: [], next: null });
  });
});

describe('while MongoDB is away', () => {
  test.each(['/api/activity', '/api/activity/summary', '/api/logs'])(
    'GET %s is a problem that may pass',
    async (path) => {
      const uri = 'mongodb://u:Zq9kTv7w@127.0.0.1:1/';
      const stage = createActivityStage({ uri, database: 'x' });
      const { server, url } = await serve(stage);
      const answer = await ask(`${url}${path}`);
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(JSON.stringify(problemOf(answer))).not.toMatch(/Zq9kTv7w|127\.0\.0\.1/);
      server.close();
      await stage.close();
    },
  );
});
