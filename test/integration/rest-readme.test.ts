// What README says to type about REST, typed as it is written there, in its order.
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { execa } from 'execa';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createTestDatabase } from '../support/databases.ts';
import type { TestDatabase } from '../support/databases.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';
import { startRestService } from '../support/rest-service.ts';
import type { RestService } from '../support/rest-service.ts';
import { NODE } from '../support/start-service.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const README = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');

/** The blocks of shell commands below a heading. */
function blocksBelow(heading: string): readonly string[] {
  const [, section = ''] = README.split(`\n### ${heading}\n`);
  const [own = ''] = section.split(/^##+ /m);
  return [...own.matchAll(/^```sh$([^]*?)^```$/gm)].map(([, block = '']) => block.trim());
}

/** A curl that hangs is a failed test, not a stuck run. */
const COMMAND_TIMEOUT_MS = 25_000;

let postgres: TestDatabase;
let mongodb: TestMongodbDatabase;
let service: RestService;

/** Runs lines of README in a shell on this service, its own port and databases in their place. */
async function runInShell(script: string): Promise<string> {
  const { port } = new URL(service.url);
  const text = script
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
    .replaceAll('/api/mongodb/shop/', `/api/mongodb/${mongodb.name}/`)
    .replaceAll('"database": "shop"', `"database": "${mongodb.name}"`);
  const { stdout, stderr } = await execa('sh', ['-c', text], {
    reject: false,
    extendEnv: false,
    timeout: COMMAND_TIMEOUT_MS,
    env: {
      PATH: process.env['PATH'],
      ...{ PGHOST: '127.0.0.1', PGPORT: `${service.portFor('postgres')}`, PGUSER: 'tester' },
      ...{ PGSSLMODE: 'disable', PSQLRC: '/dev/null', LC_ALL: 'C.UTF-8' },
    },
  });
  // A table that is there already is as good.
  expect(stderr.replaceAll(/^NOTICE: .*$/gm, '').trim()).toBe('');
  return stdout;
}

describeMongodb('README on REST', () => {
  async function start(environment: Readonly<Record<string, string>> = {}): Promise<RestService> {
    service = await startRestService({
      environment: {
        WIRE_UPSTREAM_DSN: postgres.url,
        MONGODB_URI: mongodb.uri,
        ...environment,
      },
    });
    return service;
  }

  beforeAll(async () => {
    postgres = await createTestDatabase();
    mongodb = await createTestMongodbDatabase();
  });

  afterAll(async () => {
    await postgres.drop();
    await mongodb.drop();
  });

  describe('what to type first', () => {
    const [variables = '', ...blocks] = blocksBelow('REST');
    const lines = blocks.flatMap((block) => block.split('\n')).filter((line) => line !== '');

    /** What each line, in README's order, has to print. */
    const PRINTS: readonly (readonly [is: string, prints: RegExp])[] = [
      ['select 40', /^\{"columns":\[\{"name":"answer".*"rows":\[\{"answer":42\}\]/],
      ['db.orders.find', /^\{"columns":.*"rows":\[\],"rowCount":0,.*"truncated":false/],
      ['ndjson', /^\{"n":1,"square":1\}\n\{.*\}\n\{"n":3,"square":9\}\n\{"\$meta":\{"rows":3,/],
      ['text/csv', /^n,square\r?\n1,1\r?\n2,4\r?\n3,9$/],
      ['create table', /^CREATE TABLE$/],
      ['9.90', /^\{"id":1,"status":"new","total":"9.90"\}$/],
      ['?status=', /^\{"items":\[\{"id":1,"status":"new","total":"9.90"\}\],"next":null\}$/],
      ['PATCH', /^\{"id":1,"status":"paid","total":"9.90"\}$/],
      ['orders/1', /^\{"id":1,"status":"paid","total":"9.90"\}$/],
      ['DELETE', /^204$/],
      ['$date', /^\{"_id":1,"status":"stuck","at":\{"\$date":"2024-05-01T00:00:00Z"\}\}$/],
      ['?status=', /^\{"items":\[\{"_id":1,"status":"stuck",.*\}\],"next":null\}$/],
      ['PATCH', /^\{"_id":1,"status":"done",/],
      ['orders/1', /^\{"_id":1,"status":"done",/],
      ['DELETE', /^204$/],
      ['selec 1', /"status":400,.*"sqlState":"42601","position":1,"requestId":"[\w-]{36}"\}$/],
      ['colour', /"status":422,.*"field":"id".*"field":"colour".*"field":"status"/],
    ];

    beforeAll(async () => {
      await start();
    });

    afterAll(async () => {
      await service.remove();
    });

    it('is these lines, in this order', () => {
      expect(lines).toEqual(PRINTS.map(([is]) => expect.stringContaining(is)));
    });

    test.each(lines.map((line, index) => [line, PRINTS[index]?.[1] ?? /^$/] as const))(
      '%s',
      async (line, prints) => {
        expect(await runInShell(`${variables}\n${line}`)).toMatch(prints);
      },
    );

    it('prints the answers that README shows, the second time too', async () => {
      const shown = [...README.matchAll(/^\{"(?:n|columns|type|\$meta)".*$/gm)].map(
        ([line]) => line,
      );
      const printed = (await runInShell([variables, ...blocks].join('\n'))).split('\n');
      // What is another one each time, and what README leaves out.
      const shape = (line: string): string =>
        line
          .replace(/"durationMs":[\d.]+/, '"durationMs":0')
          .replace(/"requestId":"[^"]*"/, '"requestId":""')
          .replace(/("\$meta".*"columns":)\[.*\]/, '$1[…]');
      expect(shown.length).toBeGreaterThan(5);
      expect(printed.map(shape)).toEqual(expect.arrayContaining(shown.map(shape)));
    });
  });

  it('on tokens: what it makes is accepted, and nobody without', async () => {
    const [make = '', use = ''] = blocksBelow('Tokens');
    const directory = await createTemporaryDirectory();
    const file = path.join(directory.path, 'token');
    const program = [NODE.command, ...NODE.args].join(' ');
    const typed = (text: string): string =>
      text.replaceAll('/tmp/gatepost-token', file).replaceAll(/npm start( --silent --)?/g, program);
    const { stdout } = await execa('sh', ['-c', typed(make).split('API_TOKENS')[0] ?? '']);
    expect(stdout).toMatch(/^gp_[\w-]{43}$/m);
    const entry = /API_TOKENS=\$\((.*?)\)/.exec(typed(make))?.[1] ?? '';
    const { stdout: API_TOKENS } = await execa('sh', ['-c', entry]);
    expect(API_TOKENS).toMatch(/^me:write:[0-9a-f]{64}$/);

    await start({ API_TOKENS });
    const [refused, accepted] = (await runInShell(typed(use))).split('\n');
    expect(refused).toMatch(/"status":401,/);
    expect(accepted).toMatch(/^\{"items":\[/);
    await service.remove();
    await directory.remove();
  });
});
