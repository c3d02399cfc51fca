// What a plugin is configured with: one schema, from which everything else about its fields comes.
import type * as z from 'zod';
import type { SystemInputs } from '../config-sources.ts';
import { declareTable, readTable } from './connector-file-table.ts';
import type { DeclaredTable, TableSources } from './connector-file-table.ts';
import type { DeclaredField } from './connector-file-fields.ts';
import type { PayloadSchema } from './connector.ts';
import { redactUri } from './redact.ts';

/** How one implementation is made. */
export interface PluginOptions<Config, Context, Connector> {
  readonly schema: z.ZodType<Config>;
  /** What the payloads of its messages are by its configuration. */
  readonly payloadSchemaOf: (config: Config) => PayloadSchema;
  readonly create: (context: Context, config: Config) => Connector;
}

/** An implementation, whatever it is configured with. */
export interface Plugin<Context, Connector> {
  /** Undefined, with problems, when a field is missing, unknown or wrong. */
  readonly configure: (
    sources: TableSources,
    inputs: SystemInputs,
    problems: string[],
  ) => ConfiguredPlugin<Context, Connector> | undefined;
}

export interface ConfiguredPlugin<Context, Connector> {
  /** Every field with its value, defaults included, secrets masked. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly payloadSchema: PayloadSchema;
  readonly create: (context: Context) => Connector;
}

/** A plugin for the registry. */
export function createPlugin<Config extends object, Context, Connector>(
  options: PluginOptions<Config, Context, Connector>,
): Plugin<Context, Connector> {
  const table = declareTable(options.schema);
  return {
    configure: (sources, inputs, problems) => {
      const read = readTable(table, sources, inputs, problems);
      if (read === undefined) {
        return undefined;
      }
      const { values, given } = read;
      return {
        shown: showValues(table, given, values),
        payloadSchema: options.payloadSchemaOf(values),
        create: (context) => options.create(context, values),
      };
    },
  };
}

/**
 * What may be shown of a table: what was given, else the default, else what the schema made of
 * nothing; null for what stays unset.
 */
export function showValues<Values extends object>(
  { fields }: DeclaredTable<Values>,
  given: ReadonlyMap<string, unknown>,
  values: Values,
): Readonly<Record<string, unknown>> {
  const made = new Map<string, unknown>(Object.entries(values));
  const shown = [...fields.values()].map((field): [string, unknown] => {
    const { name, defaultValue } = field;
    return [name, maskValue(field, given.get(name) ?? defaultValue ?? made.get(name) ?? null)];
  });
  return Object.fromEntries(shown);
}

function maskValue({ secret }: DeclaredField, value: unknown): unknown {
  if (secret === undefined || value === null) {
    return value;
  }
  return secret === 'uri' && typeof value === 'string' ? redactUri(value) : '***';
}
