import { describe, expect, test } from '@jest/globals';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import type { ConfigWorld } from '../support/load-config.ts';

const TLS = { WIRE_TLS_CERT: 'c.pem', WIRE_TLS_KEY: 'k.pem' };
const FILES = { 'c.pem': 'certificate', 'k.pem': 'key' };
const ACCOUNTS = { ACCOUNTS: 'on', WIRE_AUTH: 'accounts' };

/** Its API is off and its own MongoDB port too, so that only one listener has a say. */
function world(env: ConfigWorld['env'], command: ConfigWorld['command'] = 'serve'): ConfigWorld {
  const others = { API: 'off', WIRE_MONGODB_PORT: 'off', POSTGRES_HOST: 'db' };
  return { command, env: { ...others, ...env }, files: FILES };
}

const refusal = (name: string, host: string, actor: string): string =>
  `listener "${name}" listens on "${host}" without TLS and without accounts: whoever reaches the ` +
  `port acts as ${actor}; set WIRE_AUTH=accounts, or WIRE_TLS_CERT and WIRE_TLS_KEY, or ` +
  'HOST=127.0.0.1, or WIRE_ALLOW_INSECURE=true where something else keeps others out';

const open = (host: string, lacks: string): string =>
  `Listener postgres listens on ${host} without ${lacks}: whoever reaches the port acts as the ` +
  'user of the upstream; set WIRE_AUTH=accounts, keep it behind a firewall, or set HOST to ' +
  '127.0.0.1';

const plain =
  'Listener postgres listens on 0.0.0.0 without TLS: statements and rows cross the network in ' +
  'plain text, though passwords do not; set WIRE_TLS_CERT and WIRE_TLS_KEY';

describe('listening', () => {
  test.each([
    ['127.0.0.1', false],
    ['127.1.2.3', false],
    ['::1', false],
    ['localhost', false],
    ['LocalHost', false],
    ['0.0.0.0', true],
    ['::', true],
    ['10.0.0.7', true],
    ['127.example.org', true],
  ])('on %s is beyond loopback: %s', (host, isBeyond) => {
    const problems = isBeyond ? [refusal('postgres', host, 'the user of the upstream')] : [];
    expect(problemsOf(world({ HOST: host }))).toEqual(problems);
    const { warnings } = loadFrom(world({ HOST: host, WIRE_ALLOW_INSECURE: 'true' }));
    expect(warnings).toEqual(isBeyond ? [open(host, 'TLS or authentication')] : []);
  });

  test.each<[string, ConfigWorld['env'], readonly string[]]>([
    ['TLS', TLS, [open('0.0.0.0', 'authentication')]],
    ['accounts', ACCOUNTS, [plain]],
    ['accounts and TLS', { ...ACCOUNTS, ...TLS }, []],
    ['leave', { WIRE_ALLOW_INSECURE: 'true' }, [open('0.0.0.0', 'TLS or authentication')]],
    [
      'leave that is needless',
      { WIRE_ALLOW_INSECURE: 'true', ...TLS },
      [open('0.0.0.0', 'authentication')],
    ],
  ])('beyond loopback starts with %s, and warns of what is open', (_, env, warnings) => {
    expect(loadFrom(world({ HOST: '0.0.0.0', ...env })).warnings).toEqual(warnings);
  });

  test.each<[string, ConfigWorld['env']]>([
    ['nothing', {}],
    ['leave that is denied', { WIRE_ALLOW_INSECURE: 'false' }],
    ['TLS that is switched off', { ...TLS, WIRE_ENABLE_TLS: 'false' }],
    ['accounts that nobody logs in with', { ACCOUNTS: 'on' }],
  ])('beyond loopback does not start with %s, whatever serves it', (_, env) => {
    const problems = [refusal('postgres', '0.0.0.0', 'the user of the upstream')];
    expect(problemsOf(world({ HOST: '0.0.0.0', ...env }))).toEqual(problems);
    expect(problemsOf(world({ HOST: '0.0.0.0', ...env }, 'pgwire-proxy'))).toEqual(problems);
  });

  test('is judged for each listener, by its own host, TLS and accounts', () => {
    const listeners = ['', 'host = "::1"', 'auth = "accounts"', 'backend = "mongodb"'];
    const toml = listeners
      .map((line, index) => `[[listeners]]\nname = "l${index}"\nport = ${6000 + index}\n${line}`)
      .join('\n');
    const env = { HOST: '0.0.0.0', API: 'off', GATEPOST_CONFIG: 'a.toml' };
    expect(problemsOf({ env, files: { 'a.toml': toml } })).toEqual([
      refusal('l0', '0.0.0.0', 'the user of the upstream'),
      refusal('l3', '0.0.0.0', 'the administrator of the embedded MongoDB'),
    ]);
  });

  test.each<[string, ConfigWorld['env'], string, string]>([
    ['your PostgreSQL', { POSTGRES_HOST: 'db' }, 'postgres', 'the user of the upstream'],
    ['the embedded PostgreSQL', {}, 'postgres', 'the user of the upstream'],
    [
      'your MongoDB',
      { MONGODB_URI: 'mongodb://u:hunter2@h' },
      'mongodb',
      'the user of the MongoDB connection string',
    ],
    ['the embedded MongoDB', {}, 'mongodb', 'the administrator of the embedded MongoDB'],
  ])('beyond loopback says as whom clients act in front of %s', (_, own, name, actor) => {
    const env = { ...own, HOST: '0.0.0.0', API: 'off' };
    expect(problemsOf({ env })).toContain(refusal(name, '0.0.0.0', actor));
    const { warnings } = loadFrom({ env: { ...env, WIRE_ALLOW_INSECURE: 'true' } });
    expect(warnings).toContainEqual(expect.stringContaining(`acts as ${actor};`));
  });
});
