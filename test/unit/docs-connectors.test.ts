// What the manual of the connectors says and the code knows is the same.
import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Registry } from 'prom-client';
import * as z from 'zod';
import { createOpenApiDocument } from '../../routes/openapi.ts';
import { notesOf, SETTING_NAMES } from '../../src/config-settings.ts';
import { createConnectorMetrics } from '../../src/connector-metrics.ts';
import { fieldsOf } from '../../src/connectors/connector-file-fields.ts';
import * as fileTables from '../../src/connectors/connector-file-schema.ts';
import { loadConnectorsConfig } from '../../src/connectors/runtime-config-load.ts';
import { mongodbSinkConfigSchema } from '../../src/connectors/mongodb-sink-config.ts';
import { mongodbSourceConfigSchema } from '../../src/connectors/mongodb-source-config.ts';
import * as runtimeTables from '../../src/connectors/runtime-config-schema.ts';
import { readSystemInputs } from '../../src/config.ts';
import { fallbackOf, listOf, tableBelow } from '../support/markdown.ts';
import { parsePrometheusText } from '../support/prometheus-text.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const manual = readFileSync(path.join(ROOT, 'docs/connectors.md'), 'utf8');

const TABLES: readonly (readonly [heading: string, schema: z.ZodType])[] = [
  ['Table iggy', runtimeTables.iggyTable.schema],
  ['Table iggy.tls', runtimeTables.iggyTlsTable.schema],
  ['Table state', runtimeTables.stateTable.schema],
  ['Table connectors', runtimeTables.connectorsTable.schema],
  ['Table http', runtimeTables.httpTable.schema],
  ['Table http.metrics', runtimeTables.httpMetricsTable.schema],
  ['Table logging', runtimeTables.loggingTable.schema],
  ['What it is', fileTables.identityTable.schema],
  ['Top of the file', fileTables.connectorTable.schema],
  ['Streams of a sink', fileTables.sinkStreamTable.schema],
  ['Stream of a source', fileTables.sourceStreamTable.schema],
  ['Fields of a sink', mongodbSinkConfigSchema],
  ['Fields of a source', mongodbSourceConfigSchema],
];

interface Described {
  readonly name: string;
  readonly accepted: string;
  readonly fallback: string;
  readonly description: string;
}

/** What a schema knows of its fields; those that take nothing are there to be refused. */
function describeFields(schema: z.ZodType): Described[] {
  const { required = [], properties = {} } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  });
  return [...fieldsOf(schema).values()]
    .filter(({ accepted }) => !accepted.startsWith('nothing'))
    .map(({ name, accepted, defaultValue }) => {
      const property = properties[name];
      const missing = required.includes(name) ? 'required' : 'none';
      return {
        name,
        accepted,
        fallback: textOf(defaultValue) ?? missing,
        description: (typeof property === 'object' ? property.description : undefined) ?? '',
      };
    });
}

function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

describe('docs/connectors.md', () => {
  describe.each(TABLES)('in "%s"', (heading, schema) => {
    const fields = describeFields(schema);
    const rows = tableBelow(manual, heading);

    test('has each field that is taken, and no other', () => {
      expect(fields.length).toBeGreaterThan(0);
      expect(rows.map(([name]) => name).toSorted()).toEqual(
        fields.map(({ name }) => name).toSorted(),
      );
    });

    test.each(fields)('says of $name what is accepted, its default and what it means', (field) => {
      const [, accepted, fallback, meaning = ''] = rows.find(([name]) => name === field.name) ?? [];
      expect({ accepted, fallback }).toEqual({
        accepted: field.accepted,
        fallback: field.fallback,
      });
      expect(meaning).not.toBe('');
      expect(meaning.startsWith(field.description)).toBe(true);
    });
  });

  test('names what is refused', () => {
    for (const [, schema] of TABLES) {
      const refused = [...fieldsOf(schema).values()].filter(({ accepted }) =>
        accepted.startsWith('nothing'),
      );
      for (const { name } of refused) {
        expect(manual).toMatch(new RegExp(name.replace(/^avro_.*/, 'avro')));
      }
    }
  });

  test('has each setting of connectors with its default', () => {
    const settings = SETTING_NAMES.filter((name) => notesOf(name).group === 'Connectors');
    const rows = tableBelow(manual, 'Configuration');
    expect(rows.map(([name, fallback]) => [name, fallback])).toEqual(
      settings.map((name) => [name, fallbackOf(name)]),
    );
  });

  test('has each metric with its type', async () => {
    const registry = new Registry();
    createConnectorMetrics(registry);
    const families = [...parsePrometheusText(await registry.metrics())];
    const rows = tableBelow(manual, 'Metrics of connectors');
    expect(rows.map(([name, type]) => [name, type]).toSorted()).toEqual(
      families.map(([name, { type }]) => [name, type]).toSorted(),
    );
  });

  test('has each path with its methods', () => {
    const without = { version: '1', hasPostgres: false, hasMongodb: false };
    const common = Object.keys(createOpenApiDocument(without).paths);
    const { paths } = createOpenApiDocument({ ...without, hasConnectors: true });
    const described = Object.entries(paths)
      .filter(([one]) => !common.includes(one))
      .map(([one, operations]) => [
        one,
        ['get', 'post'].filter((method) => method in operations).map((one) => one.toUpperCase()),
      ]);
    const rows = tableBelow(manual, 'Status and restart');
    expect(rows.map(([one, methods]) => [one, listOf(methods)])).toEqual(described);
  });

  test('has each policy of a sink', () => {
    const rows = tableBelow(manual, 'Failure policies of a sink');
    const { on_failure: policies } = mongodbSinkConfigSchema.shape;
    expect(rows.map(([policy]) => policy)).toEqual(policies.unwrap().options);
  });

  test('quotes errors as the code writes them', () => {
    const folder = path.join(ROOT, 'src/connectors');
    const source = readdirSync(folder)
      .map((file) => readFileSync(path.join(folder, file), 'utf8'))
      .join('\n')
      // Where a long text is cut in two.
      .replaceAll(/['`] \+\n\s*['`]/g, '');
    const [, below = ''] = manual.split('## What errors mean\n');
    const [section = ''] = below.split('\n## ');
    const quoted = [...section.matchAll(/^\| (.*?) +\|/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`(.*?)`/g)])
      .flatMap(([, text = '']) => text.split(/["…]/))
      .map((part) => part.trim())
      .filter((part) => part.length > 3);
    expect(quoted.length).toBeGreaterThan(25);
    expect(quoted.filter((part) => !source.includes(part))).toEqual([]);
  });

  test('has blocks of TOML that are a configuration of both files', () => {
    const blocks = [...manual.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, text = '']) => text);
    const files = new Map([
      ['/srv/config.toml', blocks[0] ?? ''],
      ['/srv/connectors/mongodb.toml', blocks[1] ?? ''],
      ['/run/secrets/iggy', 'hunter2'],
    ]);
    const { connectors, refusedFiles, notes } = loadConnectorsConfig({
      configPath: '/srv/config.toml',
      env: {},
      workingDirectory: '/srv',
      readTextFile: (file) => files.get(file) ?? '',
      listDirectory: () => ['mongodb.toml'],
    });
    expect(blocks).toHaveLength(2);
    expect({ refusedFiles, notes }).toEqual({ refusedFiles: [], notes: [] });
    expect(connectors.map(({ type, key, problem }) => [type, key, problem?.message])).toEqual([
      ['sink', 'mongodb', undefined],
    ]);
  });
});

describe('examples/connectors', () => {
  const load = (env: Readonly<Record<string, string>>): ReturnType<typeof loadConnectorsConfig> =>
    loadConnectorsConfig({
      ...readSystemInputs(),
      configPath: 'examples/connectors/config.toml',
      workingDirectory: ROOT,
      env: { IGGY_CONNECTORS_IGGY_PASSWORD: 'hunter2', ...env },
    });

  test('are a configuration that nothing is to be said about', () => {
    const { connectors, refusedFiles, notes } = load({});
    expect(connectors.map(({ type, key, isEnabled }) => [type, key, isEnabled])).toEqual([
      ['sink', 'mongodb', true],
      ['source', 'mongodb', true],
    ]);
    const said = connectors.flatMap((one) => [one.problem?.message ?? [], one.notes].flat());
    expect([...notes, ...refusedFiles, ...said]).toEqual([]);
  });

  test('are what docker-compose.yml runs, with names of the environment that fit', () => {
    const compose = readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8');
    const [, service = ''] = compose.split(/^ {2}connectors:$/m);
    const pairs = [...service.matchAll(/^ {6}(IGGY_CONNECTORS_[A-Z_]+): (.*)$/gm)].map(
      ([, name = '', text = '']): [string, string] => [
        name,
        text.replace(/^\$\{[A-Z_]+:-(.*)\}$/, '$1'),
      ],
    );
    const env = {
      ...Object.fromEntries(pairs),
      IGGY_CONNECTORS_CONNECTORS_CONFIG_DIR: 'examples/connectors/connectors',
    };
    const { iggy, http, connectors } = load(env);
    expect(pairs.length).toBeGreaterThan(5);
    expect(iggy.addresses).toEqual(['http://iggy:3000']);
    expect(http).toMatchObject({ host: '0.0.0.0', port: 8081, apiKey: 'gatepost' });
    expect(connectors.filter(({ problem }) => problem !== undefined)).toEqual([]);
  });
});
