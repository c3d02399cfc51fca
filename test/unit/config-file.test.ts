import { describe, expect, test } from '@jest/globals';
import { describeListener, parseConfigFile } from '../../src/config-file.ts';
import type { FileTexts } from '../../src/config-file.ts';
import { SETTING_NAMES } from '../../src/config-settings.ts';

function parse(toml: string): FileTexts & { problems: readonly string[] } {
  const problems: string[] = [];
  return { ...parseConfigFile(toml, problems), problems };
}

describe('a key at the top', () => {
  test.each([
    ['port = 3100', 'PORT', '3100'],
    ['port = "3100"', 'PORT', '3100'],
    ['wire_max_rows = 10_000', 'WIRE_MAX_ROWS', '10000'],
    ['wire_max_bytes = "64MB"', 'WIRE_MAX_BYTES', '64MB'],
    ['wire_enable_tls = true', 'WIRE_ENABLE_TLS', 'true'],
    ['wire_deny = ["drop", "truncate"]', 'WIRE_DENY', 'drop,truncate'],
    ['wire_deny = "drop, truncate"', 'WIRE_DENY', 'drop, truncate'],
    ['wire_mongodb_deny = ["drop", "$out"]', 'WIRE_MONGODB_DENY', 'drop,$out'],
    ['wire_mongodb_javascript = true', 'WIRE_MONGODB_JAVASCRIPT', 'true'],
    ['wire_mongodb_port = "off"', 'WIRE_MONGODB_PORT', 'off'],
    ['log_level = "debug"', 'LOG_LEVEL', 'debug'],
    ['postgres_password = "p\\"w"', 'POSTGRES_PASSWORD', 'p"w'],
    ["wire_upstream_dsn = 'postgres://h/d'", 'WIRE_UPSTREAM_DSN', 'postgres://h/d'],
    ['gatepost_data_dir = "/var/lib/gatepost"', 'GATEPOST_DATA_DIR', '/var/lib/gatepost'],
  ] as const)('%s gives %s the text %j', (toml, name, text) => {
    const { settings, problems } = parse(toml);
    expect(problems).toEqual([]);
    expect([...settings]).toEqual([[name, text]]);
  });

  test.each(SETTING_NAMES.filter((name) => name !== 'GATEPOST_CONFIG'))(
    'may be %s in lower case',
    (name) => {
      const { settings, problems } = parse(`${name.toLowerCase()} = "text"`);
      expect(problems).toEqual([]);
      expect([...settings.keys()]).toEqual([name]);
    },
  );

  test.each([
    ['prot', 'port'],
    ['wire_max_row', 'wire_max_rows'],
    ['listener', 'listeners'],
    ['PORT', 'host'],
    ['gatepost_config', 'gatepost_data_dir'],
    ['max_rows', 'wire_max_rows'],
  ])('that is not known, %s, is told %s', (key, nearest) => {
    expect(parse(`${key} = "text"`)).toEqual({
      settings: new Map(),
      listeners: [],
      problems: [`"${key}" in the file is not a key; the nearest known one is ${nearest}`],
    });
  });

  test.each([
    ['port = [1]', 'port (file) is not text, a number, true or false'],
    ['port = ["3000"]', 'port (file) is not text, a number, true or false'],
    ['port = { http = 1 }', 'port (file) is not text, a number, true or false'],
    ['[port]', 'port (file) is not text, a number, true or false'],
    ['host = 1979-05-27', 'host (file) is not text, a number, true or false'],
    ['wire_deny = [1]', 'wire_deny (file) is not text or a list of texts'],
    ['wire_deny = [["a"]]', 'wire_deny (file) is not text or a list of texts'],
    [
      'wire_allow = []',
      'wire_allow (file) is an empty list, which is ambiguous: leave it out for no list',
    ],
    ['listeners = "x"', 'listeners (file) is not a list of tables: write each as [[listeners]]'],
    ['listeners = [1]', 'listeners (file) is not a list of tables: write each as [[listeners]]'],
    ['[listeners]', 'listeners (file) is not a list of tables: write each as [[listeners]]'],
  ])('of a kind that says nothing is refused: %s', (toml, problem) => {
    const { settings, listeners, problems } = parse(toml);
    expect(problems).toEqual([problem]);
    expect(settings.size + listeners.length).toBe(0);
  });
});

describe('a file that is no TOML', () => {
  test('is refused with the place and the reason', () => {
    expect(parse('port = 1\nhost = = 2\n').problems).toEqual([
      'GATEPOST_CONFIG: the file is not TOML at line 2, column 8: invalid value',
    ]);
  });

  test('is refused without showing any of it', () => {
    const { problems } = parse('postgres_password = "hunter2\nport = 1');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^GATEPOST_CONFIG: the file is not TOML at line 1, column \d+: /);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('is refused when a key is there twice', () => {
    expect(parse('port = 1\nport = 2').problems).toHaveLength(1);
  });

  test('cannot reach the prototype of anything', () => {
    expect(parse('__proto__ = { port = 1 }').problems).toHaveLength(1);
    expect(parse('[[listeners]]\n__proto__ = { port = 1 }').problems).toHaveLength(1);
  });

  test('may be empty', () => {
    expect(parse('')).toEqual({ settings: new Map(), listeners: [], problems: [] });
  });
});

describe('[[listeners]]', () => {
  test('are read in their order, with every key', () => {
    const { listeners, problems } = parse(`
      [[listeners]]
      name = "orders"
      backend = "postgres"
      port = 6000
      host = "0.0.0.0"
      upstream_dsn = "postgres://h/d"
      readiness = "optional"
      tls_cert = "c.pem"
      tls_key = "k.pem"
      max_connections = 5
      query_timeout = "1m"
      max_rows = 1_000
      max_bytes = "1MB"
      on_limit = "truncate"
      idle_timeout = "1h"
      allow = ["select", "create table"]
      deny = ["drop"]
      access = "read-only"

      [[listeners]]
      name = "reports"
      port = 6001
      upstream_dsn_file = "/run/secrets/dsn"

      [[listeners]]
      name = "events"
      backend = "mongodb"
      port = 6002
      mongodb_uri = "mongodb://h/d"
      javascript = true
      deny = ["drop", "aggregate:$out"]

      [[listeners]]
      name = "logs"
      backend = "mongodb"
      port = 6003
      mongodb_uri_file = "/run/secrets/uri"
    `);
    expect(problems).toEqual([]);
    expect(listeners).toEqual([
      {
        name: 'orders',
        backend: 'postgres',
        port: '6000',
        host: '0.0.0.0',
        upstream_dsn: 'postgres://h/d',
        readiness: 'optional',
        tls_cert: 'c.pem',
        tls_key: 'k.pem',
        max_connections: '5',
        query_timeout: '1m',
        max_rows: '1000',
        max_bytes: '1MB',
        on_limit: 'truncate',
        idle_timeout: '1h',
        allow: 'select,create table',
        deny: 'drop',
        access: 'read-only',
      },
      { name: 'reports', port: '6001', upstream_dsn_file: '/run/secrets/dsn' },
      {
        name: 'events',
        backend: 'mongodb',
        port: '6002',
        mongodb_uri: 'mongodb://h/d',
        javascript: 'true',
        deny: 'drop,aggregate:$out',
      },
      {
        name: 'logs',
        backend: 'mongodb',
        port: '6003',
        mongodb_uri_file: '/run/secrets/uri',
      },
    ]);
  });

  test('leave out what is empty', () => {
    expect(parse('[[listeners]]\nname = "a"\nhost = ""').listeners).toEqual([{ name: 'a' }]);
  });

  test.each([
    ['pot = 1', '"pot" in listener "a" is not a key; the nearest known one is port'],
    [
      'wire_max_rows = 1',
      '"wire_max_rows" in listener "a" is not a key; the nearest known one is max_rows',
    ],
    ['max_rows = [1]', 'listener "a": max_rows is not text, a number, true or false'],
    [
      'mongodb_ur = "x"',
      '"mongodb_ur" in listener "a" is not a key; the nearest known one is mongodb_uri',
    ],
    ['tls_key = ["a"]', 'listener "a": tls_key is not text, a number, true or false'],
    ['allow = [1]', 'listener "a": allow is not text or a list of texts'],
    [
      'deny = []',
      'listener "a": deny is an empty list, which is ambiguous: leave it out for no list',
    ],
  ])('are refused with %s', (line, problem) => {
    expect(parse(`[[listeners]]\nname = "a"\n${line}`).problems).toEqual([problem]);
  });

  test('are named by their place while they have no name', () => {
    const { problems } = parse('[[listeners]]\nname = "a"\n[[listeners]]\nx = 1');
    expect(problems).toEqual([
      expect.stringMatching(/^"x" in listener 2 of the file is not a key; /),
    ]);
  });
});

describe('describeListener', () => {
  test.each([
    ['orders', 'listener "orders"'],
    ['a\nb', 'listener "a\\nb"'],
    ['', 'listener 3 of the file'],
    [undefined, 'listener 3 of the file'],
    [7, 'listener 3 of the file'],
  ])('calls a listener of the name %j %s', (name, label) => {
    expect(describeListener(name, 2)).toBe(label);
  });
});
