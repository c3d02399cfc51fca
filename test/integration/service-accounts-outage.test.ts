// MongoDB is killed and comes back while people work: what does not need it goes on, and no record
// of activity is missing but those that were counted as lost.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { connectAs, createAccountStores, logIn } from '../support/account-services.ts';
import type { AccountStores } from '../support/account-services.ts';
import { untilFact } from '../support/facts.ts';
import { ask } from '../support/http-client.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { parsePrometheusText } from '../support/prometheus-text.ts';
import type { RestService } from '../support/rest-service.ts';

/** No answer may take longer, MongoDB or not. */
const ANSWER_MAX_MS = 6000;

describeMongodb('While MongoDB is away', () => {
  let stores: AccountStores;
  let service: RestService;
  let token: string;

  beforeAll(async () => {
    stores = await createAccountStores();
    service = await stores.startService();
    await stores.run(['account', 'create', 'alice', '--scope', 'admin']);
    token = /gp_[\w-]{43}/.exec(await stores.run(['account', 'token', 'alice']))?.[0] ?? '';
  });

  afterAll(async () => {
    await service.remove();
    await stores.remove();
  });

  test('the wire and tokens work, cookies wait, and no record is lost unseen', async () => {
    const cookie = await logIn(service.url, 'alice');
    const session = await connectAs('alice', service.portFor('postgres'));
    let sent = 0;
    const over = new AbortController();
    const statements = (async () => {
      while (!over.signal.aborted) {
        await session.query(`select ${sent} as marker`);
        sent += 1;
      }
    })();
    const durations: number[] = [];
    const requests = (async () => {
      while (!over.signal.aborted) {
        const answer = await ask(`${service.url}/api/postgres`, { token });
        durations.push(answer.durationMs);
        expect(answer.status).toBe(200);
      }
    })();
    await untilFact(() => sent > 100, 'a hundred statements');
    await stores.mongodb.kill();
    const before = sent;
    await untilFact(() => sent > before + 500, 'five hundred statements more');
    const refused = await ask(`${service.url}/auth/me`, { headers: { Cookie: cookie } });
    expect(refused.status).toBe(503);
    expect(refused.durationMs).toBeLessThan(ANSWER_MAX_MS);
    const login = await ask(`${service.url}/auth/login`, {
      body: { name: 'alice', password: 'x' },
    });
    expect([401, 503]).toContain(login.status);

    await stores.mongodb.start();
    await untilFact(
      async () =>
        (await ask(`${service.url}/auth/me`, { headers: { Cookie: cookie } })).status === 200,
      'the session to be known again',
    );
    over.abort();
    await Promise.all([statements, requests]);
    await session.end();
    expect(Math.max(...durations)).toBeLessThan(ANSWER_MAX_MS);

    const lost = await lostRecords();
    const client = await MongoClient.connect(stores.mongodb.url);
    try {
      const activity = client.db('gatepost').collection('activity');
      const marked = { text: /^select \d+ as marker$/ };
      await untilFact(
        async () => (await activity.countDocuments(marked)) + lost >= sent,
        'every statement to be written',
      );
      const texts = await activity.distinct('text', marked);
      expect(await activity.countDocuments(marked)).toBe(texts.length);
      expect(texts.length).toBeGreaterThanOrEqual(sent - lost);
      expect(texts.length).toBeLessThanOrEqual(sent);
    } finally {
      await client.close();
    }
  });

  async function lostRecords(): Promise<number> {
    const { text } = await ask(`${service.url}/metrics`, { token });
    const samples = parsePrometheusText(text).get('gatepost_activity_lost_total')?.samples ?? [];
    return samples.reduce((sum, { value }) => sum + value, 0);
  }
});
