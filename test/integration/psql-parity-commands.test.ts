// What psql shows of the catalog through Gatepost is what it shows on a direct connection.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commands, startPsqlParity } from '../support/psql-parity.ts';
import type { PsqlParity } from '../support/psql-parity.ts';

let parity: PsqlParity;

beforeAll(async () => {
  parity = await startPsqlParity();
});

afterAll(async () => {
  await parity.stop();
});

const COMMANDS: readonly (readonly [text: string, shows: string])[] = [
  [String.raw`\d`, 'customer'],
  [String.raw`\d customer`, 'Referenced by:'],
  [String.raw`\d+ purchase`, 'ON DELETE CASCADE'],
  [String.raw`\d+ rich`, 'View definition:'],
  [String.raw`\d purchase_note`, 'Index "public.purchase_note"'],
  [String.raw`\d ticket`, 'Sequence "public.ticket"'],
  [String.raw`\d nosuch`, 'Did not find any relation'],
  [String.raw`\dt`, 'List of relations'],
  [String.raw`\dt+`, 'Who buys'],
  [String.raw`\di+`, 'purchase_note'],
  [String.raw`\dv`, 'rich'],
  [String.raw`\ds`, 'ticket'],
  [String.raw`\dn+`, 'public'],
  [String.raw`\dT+ mood`, 'glad'],
  [String.raw`\df`, 'raise_all'],
  [String.raw`\df+`, 'select n * 2'],
  [String.raw`\df pg_catalog.pg_*size*`, 'pg_relation_size'],
  [String.raw`\sf raise_all`, 'raise exception using'],
  [String.raw`\sv rich`, 'CREATE OR REPLACE VIEW'],
  [String.raw`\dp customer`, 'Access privileges'],
  [String.raw`\l DATABASE`, 'gatepost_test_'],
  [String.raw`\l template*`, 'template1'],
  [String.raw`\du ROLE`, 'Cannot login'],
  [String.raw`\dx`, 'plpgsql'],
  [String.raw`\dconfig work_mem`, 'work_mem'],
  [String.raw`\do ||`, 'concatenate'],
  [String.raw`\encoding`, 'UTF8'],
];

describe('psql prints through Gatepost what it prints directly', () => {
  it.each(COMMANDS)('for %s', async (text, shows) => {
    const { through, direct } = await parity.runBoth({ title: text, args: commands(text), shows });
    expect(through).toEqual(direct);
    expect(`${through.stdout}\n${through.stderr}`).toMatch(shows);
  });
});
