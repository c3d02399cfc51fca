// A partition that begins at offset 0 again while a sink reads it, and is at once longer than the
// sink had come: offsets alone would pass over the first of its new messages.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConnectorsStage } from '../support/connectors-stage.ts';
import { describeIggy } from '../support/iggy.ts';
import { describeMongodb } from '../support/mongodb.ts';
import { startTestIggy } from '../support/start-iggy.ts';
import type { TestIggy } from '../support/start-iggy.ts';

const NEVER = new AbortController().signal;
const GROUP = 'anew-tests';
const OLD_COUNT = 100;
const NEW_COUNT = 300;

const LOGIN = z.object({ access_token: z.object({ token: z.string() }) });

/** What only an operator asks of Iggy. */
async function ask(iggy: TestIggy, method: 'GET' | 'DELETE', path: string): Promise<void> {
  const { address, credentials } = iggy;
  const login = await fetch(`${address}/users/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
  const { token } = LOGIN.parse(await login.json()).access_token;
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${address}${path}`, { method, headers });
  expect(reply.ok).toBe(true);
}

function numbered(count: number, from: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => JSON.stringify({ n: from + n }));
}

describeIggy('a sink whose partition begins at offset 0 again', () => {
  describeMongodb('between a real Iggy and a real MongoDB', () => {
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

    const topicPath = (): string => `/streams/${stage.stream}/topics/${stage.topic}`;

    const begin = {
      purged: async () => {
        // Of messages that are not on its disk yet 0.8 goes on showing the old ones, and nobody can
        // read the new ones in their place.
        await ask(iggy, 'GET', `${topicPath()}/messages/flush/0/true`);
        await ask(iggy, 'DELETE', `${topicPath()}/purge`);
      },
      'deleted and made again': async () => {
        const { stream, topic } = stage;
        await ask(iggy, 'DELETE', topicPath());
        await stage.client.createTopic({ stream, topic, partitionsCount: 1 }, NEVER);
      },
    } as const;

    it.each(['purged', 'deleted and made again'] as const)(
      'loses nothing of a topic that is %s and filled at once',
      async (how) => {
        await stage.send(numbered(OLD_COUNT, 0));
        const file = `
type = "sink"
key = "mongodb"

[[streams]]
stream = "${stage.stream}"
topics = ["${stage.topic}"]
batch_length = 50
consumer_group = "${GROUP}"

[plugin_config]
${stage.place('events')}
payload_format = "json"
`;
        await stage.start({ connectors: { 'mongodb.toml': file } });
        await stage.untilOffset(GROUP, BigInt(OLD_COUNT - 1));
        await begin[how]();
        await stage.send(numbered(NEW_COUNT, 1000), 0, 1000);
        const documents = await stage.untilDocuments('events', OLD_COUNT + NEW_COUNT);
        expect(documents).toHaveLength(OLD_COUNT + NEW_COUNT);
        await stage.untilOffset(GROUP, BigInt(NEW_COUNT - 1));
      },
    );
  });
});
