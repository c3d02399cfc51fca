// What the documents say and the code knows is the same.
import { describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { PROXY_FLAGS } from '../../src/cli-flags.ts';
import { LISTENER_KEYS } from '../../src/config-listener-keys.ts';
import { mongodbUri } from '../../src/config-place-values.ts';
import { isSettingName, notesOf, SETTING_NAMES } from '../../src/config-settings.ts';
import { SQLSTATE } from '../../src/errors.ts';
import { KIND_SYNONYMS, listStatementKinds } from '../../src/guardrails/sql-rules.ts';
import { loadFrom, problemsOf } from '../support/load-config.ts';
import { fallbackOf, listOf, tableBelow } from '../support/markdown.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LEFT_OUT = new Set(['node_modules', 'dist', 'coverage', '.git', '.gatepost']);

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

function listMarkdown(folder = '.'): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      return LEFT_OUT.has(entry.name) ? [] : listMarkdown(file);
    }
    return entry.name.endsWith('.md') ? [file] : [];
  });
}

/** The text without blocks of code, in which brackets mean something else. */
const proseOf = (markdown: string): string => markdown.replaceAll(/^```.*?^```$/gms, '');

/** Anchors of headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const LINKS = listMarkdown().flatMap((file) =>
  [...proseOf(read(file)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => ({ file, link }))
    .filter(({ link }) => !/^[a-z]+:/.test(link)),
);

function isBroken({ file, link }: { readonly file: string; readonly link: string }): boolean {
  const [target = '', anchor] = link.split('#');
  const place = target === '' ? file : path.posix.join(path.posix.dirname(file), target);
  if (!existsSync(path.join(ROOT, place))) {
    return true;
  }
  return anchor !== undefined && !anchorsOf(read(place)).includes(anchor);
}

const manual = read('wire/README.md');

describe('Every Markdown file', () => {
  test('is looked at', () => {
    expect(listMarkdown()).toEqual(
      expect.arrayContaining(['README.md', 'wire/README.md', 'docs/rest.md']),
    );
    expect(LINKS.length).toBeGreaterThan(100);
  });

  test('has relative links only to what exists, headings included', () => {
    expect(LINKS.filter(isBroken)).toEqual([]);
  });

  test('names only npm scripts that exist', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    const named = listMarkdown().flatMap((file) =>
      [...read(file).matchAll(/npm run ([a-z]+)/g)].map(([, script = '']) => script),
    );
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});

describe('The manual of the listeners', () => {
  test('has the table of kinds that the code has', () => {
    const documented = tableBelow(manual, 'All kinds of statements').map(
      ([kind = '', coveredBy, isReadOnly]) => ({
        kind,
        coveredBy: [kind, ...listOf(coveredBy)],
        isReadOnly: isReadOnly === 'yes',
      }),
    );
    expect(documented).toEqual(listStatementKinds());
  });

  test('has the synonyms that the code has', () => {
    const line = /^These mean the same: (.*)\.$/m.exec(manual)?.[1];
    const synonyms = listOf(line?.replaceAll('`', '')).map((pair) => pair.split(' and '));
    expect(synonyms).toEqual([...KIND_SYNONYMS]);
  });

  describe('has for each setting', () => {
    const rows = tableBelow(manual, 'Settings');

    test('of a listener, its upstream and its guardrails a row', () => {
      const groups = ['PostgreSQL', 'MongoDB', 'Listeners', 'Limits and policy'];
      const settings = SETTING_NAMES.filter((name) => groups.includes(notesOf(name).group));
      expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(settings));
    });

    test('that clients log in by, and that is a flag of pgwire-proxy, a row', () => {
      const settings = ['WIRE_AUTH', 'WIRE_ALLOW_INSECURE', 'ACCOUNTS', 'ACCOUNTS_DATABASE_URL'];
      expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(settings));
    });

    test.each(rows)('the default: %s', (name = '', _unit, _key, fallback) => {
      expect(isSettingName(name)).toBe(true);
      expect(fallback).toBe(fallbackOf(name));
    });

    test('keys of a listener that exist, all of them but what it is called', () => {
      const keys = rows.flatMap(([, , key]) => listOf(key)).filter((key) => !key.startsWith('--'));
      // Some are of both backends, and come from a setting of each.
      expect([...new Set(keys)].toSorted()).toEqual(
        LISTENER_KEYS.filter((key) => key !== 'name' && key !== 'backend').toSorted(),
      );
    });

    test('the flag of pgwire-proxy where there is one', () => {
      const flags = rows.flatMap(([name = '', , key]) =>
        listOf(key)
          .filter((word) => word.startsWith('--'))
          .map((flag) => [flag.slice(2), name]),
      );
      expect(flags.toSorted()).toEqual(PROXY_FLAGS.toSorted());
    });
  });

  test('has every SQLSTATE of ours in the table of errors', () => {
    const documented = tableBelow(manual, 'Errors')
      .flat()
      .flatMap((cell) => cell.match(/\b[0-9A-Z]{5}\b/g) ?? []);
    // Raised at the start, over HTTP and by the command line only, where no client of ours is.
    const others = ['22023', '42704', '42710', '55000', '55006'];
    const raised = Object.values(SQLSTATE).filter((sqlState) => !others.includes(sqlState));
    expect(documented).toEqual(expect.arrayContaining(raised));
  });
});

const layerOptions = z.tuple([
  z.unknown(),
  z.object({
    layers: z.array(z.object({ files: z.string(), may: z.array(z.string()) })),
  }),
]);

describe('ARCHITECTURE.md', () => {
  test('has the table of layers that lint enforces', async () => {
    const configuration: unknown = await new ESLint({ cwd: ROOT }).calculateConfigForFile(
      path.join(ROOT, 'src/main.ts'),
    );
    const { rules } = z.object({ rules: z.record(z.string(), z.unknown()) }).parse(configuration);
    const [, { layers }] = layerOptions.parse(rules['gatepost/layers']);
    const documented = tableBelow(read('ARCHITECTURE.md'), 'Layers').map(([files, may]) => ({
      files,
      may: listOf(may),
    }));
    expect(documented).toEqual(layers);
  });

  test('names only files that exist', () => {
    const named = [
      ...read('ARCHITECTURE.md').matchAll(/`((?:src|wire|routes|test|\.ci)\/[^`*]+)`/g),
    ];
    const files = named.map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });
});

describe('The test plan', () => {
  const plan = read('test/PGWIRE_TEST_PLAN.md');

  /** The specification's own words. */
  const ITEMS: Readonly<Record<string, readonly string[]>> = {
    'Unit tests': [
      'Protocol message encoding/decoding',
      'SSL negotiation',
      'Startup sequence',
      'Query handling',
      'Error translation',
      'Guardrail enforcement',
      'Cancel request handling',
      'Connection limits',
      'Graceful shutdown',
      'Guardrail limits',
    ],
    'Manual testing (via psql)': [
      'Basic SELECT query',
      'Multi-statement query',
      'Catalog commands (\\d, \\dt, \\l)',
      'DML with RETURNING',
      'Transaction block',
      'Query cancellation (Ctrl+C)',
      'Large result truncation',
      'Syntax error handling',
      'Permission error handling',
      'Timeout handling',
    ],
    'Load testing': [
      'Concurrent connections up to limit',
      'Connection rejection at limit',
      'Query throughput',
      'Memory usage under load',
      'Graceful degradation',
    ],
    'Success criteria': [
      'psql can connect and execute queries',
      '\\d commands work (catalog queries)',
      'Multi-statement queries work',
      'UPDATE/INSERT/DELETE with RETURNING work',
      'Transactions work properly',
      'Cancel requests work (Ctrl+C)',
      'Errors are properly translated',
      'Resource limits are enforced',
      'Metrics are collected',
      'Graceful shutdown works',
    ],
  };

  test.each(Object.entries(ITEMS))(
    'has each item of "%s", with what covers it',
    (heading, items) => {
      const rows = tableBelow(plan, heading);
      expect(rows.map(([item]) => item)).toEqual(items);
      expect(rows.filter((cells) => !/\]\(|npm run/.test(cells.at(-1) ?? ''))).toEqual([]);
    },
  );
});

describe('docker-compose.yml', () => {
  const [, service = ''] = read('docker-compose.yml').split(/^ {2}gatepost:$/m);
  const [, environment = ''] = /^ {4}environment:\n((?: {6}.*\n)+)/m.exec(service) ?? [];
  const pairs = [...environment.matchAll(/^ {6}([A-Z_]+): (.*)$/gm)];

  test('gives Gatepost settings that exist', () => {
    expect(pairs.length).toBeGreaterThan(5);
    expect(pairs.map(([, name = '']) => name).filter((name) => !isSettingName(name))).toEqual([]);
  });

  const env = Object.fromEntries(
    pairs.map(([, name = '', value = '']): [string, string] => [
      name,
      value.replace(/^\$\{[A-Z_]+:-(.*)\}$/, '$1').replaceAll(/^'|'$/g, ''),
    ]),
  );

  test('starts as it is: beyond loopback the REST API is off until there are tokens', () => {
    expect(problemsOf({ env })).toEqual([]);
    expect(problemsOf({ env: { ...env, API: 'on' } })).toEqual([
      expect.stringMatching(/^HOST is "0\.0\.0\.0", and the REST API has neither tokens nor acc/),
    ]);
    const API_TOKENS = `me:write:${'0'.repeat(64)}`;
    expect(problemsOf({ env: { ...env, API: 'on', API_TOKENS } })).toEqual([]);
  });

  test('has accounts in its own databases once .env says so, and none before', () => {
    expect(loadFrom({ env })).toMatchObject({ accounts: undefined, store: undefined });
    const config = loadFrom({
      env: { ...env, ACCOUNTS: 'on', WIRE_AUTH: 'accounts', API: 'on' },
    });
    expect(config.accounts?.databaseUrl).toMatch(/@postgres:5432\/postgres$/);
    expect(config.store).toMatchObject({ mongodbUri: env['MONGODB_URI'], isRecording: true });
  });

  test('has the defaults of Gatepost where .env leaves them out', () => {
    const defaults = pairs.flatMap(([, name = '', value = '']) => {
      const [, own = '', text = ''] = /^\$\{([A-Z_]+):-(.*)\}$/.exec(value) ?? [];
      return own.startsWith('WIRE_') ? [[name, own, text]] : [];
    });
    expect(defaults.length).toBeGreaterThan(0);
    expect(defaults).toEqual(
      defaults.map(([name = '']) => [name, name, fallbackOf(name).replace('unset', '')]),
    );
  });

  test('names a MongoDB that Gatepost accepts, by the name of its service', () => {
    const [, , uri = ''] = pairs.find(([, name]) => name === 'MONGODB_URI') ?? [];
    expect(mongodbUri.schema.parse(uri)).toBe(uri);
    const [, host = ''] = /^mongodb:\/\/([a-z]+):27017\//.exec(uri) ?? [];
    const services = [...read('docker-compose.yml').matchAll(/^ {2}([a-z]+):$/gm)];
    expect(services.map(([, name]) => name)).toContain(host);
  });

  test('brings connectors and their Iggy up by a profile only', () => {
    const services = read('docker-compose.yml').split(/^ {2}(?=[a-z-]+:$)/m);
    const profiled = services.filter((service) => service.includes('profiles: [connectors]'));
    expect(profiled.map((service) => service.split(':')[0])).toEqual(['iggy', 'connectors']);
  });

  test('publishes ports on loopback only', () => {
    const published = [...read('docker-compose.yml').matchAll(/^ {6}- '([\d.:]+)'$/gm)];
    expect(published.map(([, port]) => port)).toEqual([
      '127.0.0.1:3000:3000',
      '127.0.0.1:5433:5433',
      '127.0.0.1:5434:5434',
      '127.0.0.1:3001:3000',
      '127.0.0.1:8081:8081',
    ]);
  });
});
