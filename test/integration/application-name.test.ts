// The upstream's own logs and views tell who is behind a connection of Gatepost.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StatementFinished } from '../../src/observation.ts';
import { runDirectly, testPostgresUrl } from '../support/databases.ts';
import { runPsql } from '../support/psql.ts';
import { startGate } from '../support/start-gate.ts';
import type { Gate } from '../support/start-gate.ts';
import { keyOf, startupPacket, valueOf, WireClient } from '../support/wire-client.ts';

let gate: Gate;

beforeAll(async () => {
  gate = await startGate({ dsn: testPostgresUrl() });
});

afterAll(async () => {
  await gate.stop();
});

/** What pg_stat_activity shows for a client that calls itself so. */
async function nameAtUpstream(parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const client = await WireClient.open(gate.port);
  client.send(startupPacket({ user: 'tester', ...parameters }));
  const { processId } = keyOf(await client.untilReady());
  const [row] = await runDirectly(
    testPostgresUrl(),
    `select application_name as name from pg_stat_activity where pid = ${processId}`,
  );
  client.destroy();
  return row?.['name'];
}

describe('The application name at the upstream', () => {
  it('is gatepost/psql@127.0.0.1 for psql', async () => {
    const url = `postgresql://tester@127.0.0.1:${gate.port}/postgres`;
    const sql = 'select application_name from pg_stat_activity where pid = pg_backend_pid()';
    const { stdout } = await runPsql({ url, args: ['-Atc', sql] });
    expect(stdout).toBe('gatepost/psql@127.0.0.1');
  });

  it('has an empty place for a client that does not say', async () => {
    expect(await nameAtUpstream({})).toBe('gatepost/@127.0.0.1');
  });

  it.each([
    { title: 'cut to 63 bytes', name: 'n'.repeat(64), kept: 'n'.repeat(44) },
    { title: 'cut from 9 000 bytes', name: 'n'.repeat(9000), kept: 'n'.repeat(44) },
    {
      title: 'cleaned of escape sequences',
      name: '\u001b[31mred\u001b[0m',
      kept: '?[31mred?[0m',
    },
    { title: 'cleaned of line ends', name: 'a\r\nb', kept: 'a??b' },
    { title: 'cleaned of everything but ASCII', name: 'Zoë', kept: 'Zo?' },
    {
      title: 'left alone with blanks, quotes and backslashes',
      name: `a 'b' \\c`,
      kept: `a 'b' \\c`,
    },
  ])('is $title', async ({ name, kept }) => {
    const shown = await nameAtUpstream({ application_name: name });
    expect(shown).toBe(`gatepost/${kept}@127.0.0.1`);
    expect(Buffer.byteLength(String(shown))).toBeLessThanOrEqual(63);
  });

  it('cannot be replaced through options', async () => {
    const shown = await nameAtUpstream({ options: '-c application_name=hidden' });
    expect(shown).toBe('gatepost/@127.0.0.1');
  });

  it("follows the client's own SET, as on PostgreSQL", async () => {
    const client = await WireClient.login(gate.port);
    await client.query(`set application_name = 'PostgreSQL JDBC Driver'`);
    expect(valueOf(await client.query('show application_name'))).toBe('PostgreSQL JDBC Driver');
    const { session } = await gate.observed(
      (one): one is StatementFinished =>
        one.kind === 'statement-finished' && one.text === 'show application_name',
    );
    expect(session.applicationName).toBe('PostgreSQL JDBC Driver');
    client.destroy();
  });
});
