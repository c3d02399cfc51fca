// ReadyForQuery says what the upstream says: idle, in a transaction, in a failed one.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPostgresUrl } from '../support/databases.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { firstReport, statusOf, typesOf, WireClient } from '../support/wire-client.ts';

let gate: Gate;
let client: WireClient;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
  client = await WireClient.login(gate.port);
});

afterAll(async () => {
  client.destroy();
  await gate.stop();
});

describe('The transaction status', () => {
  it("is the upstream's own after every query", async () => {
    const steps = [
      ['select 1', 'I'],
      ['begin', 'T'],
      ['select 1', 'T'],
      ['select 1/0', 'E'],
      ['select 1', 'E'],
      ['rollback', 'I'],
      ['begin; select 1; commit; begin', 'T'],
      ['commit and chain', 'T'],
      ['rollback', 'I'],
    ] as const;
    for (const [text, status] of steps) {
      expect([text, statusOf(await client.query(text))]).toEqual([text, status]);
    }
  });

  it('of a failed transaction lets nothing through but its end, as upstream', async () => {
    await client.query('begin; select 1/0');
    expect(firstReport(await client.query('table pg_class'))).toMatchObject({ C: '25P02' });
    expect(typesOf(await client.query('rollback'))).toBe('CZ');
  });
});
