// The text of a statement is nobody's business but the server's: comments, blanks and all.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runDirectly, testPostgresUrl } from '../support/databases.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { keyOf, startupPacket, valueOf, WireClient } from '../support/wire-client.ts';

let gate: Gate;
let client: WireClient;
let clientPid: number;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
  client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'tester' }));
  clientPid = keyOf(await client.untilReady()).processId;
});

afterAll(async () => {
  client.destroy();
  await gate.stop();
});

describe('The text of a simple query', () => {
  it.each([
    '/* before */ QUERY -- behind',
    '  \t\r\n QUERY \n\n  ;  \n\t ',
    `QUERY /* żółw 🐢 \u00a0 ' " $$ */ where true and 'é' <> $q$;$q$`,
    'QUERY;;;',
  ])('arrives as it was sent: %j', async (frame) => {
    const text = frame.replace(
      'QUERY',
      `select encode(convert_to(current_query(), 'UTF8'), 'hex')`,
    );
    expect(valueOf(await client.query(text))).toBe(Buffer.from(text).toString('hex'));
    const [row] = await runDirectly(
      testPostgresUrl(),
      `select query from pg_stat_activity where pid = ${clientPid}`,
    );
    expect(row).toEqual({ query: text });
  });
});
