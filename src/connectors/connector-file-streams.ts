// The `[[streams]]` of a connector's file, with what the environment says about them.
import type { TomlTable, TomlValue } from 'smol-toml';
import type { SystemInputs } from '../config-sources.ts';
import type { ConnectorEnv } from './connector-file-env.ts';
import { sinkStreamTable, sourceStreamTable } from './connector-file-schema.ts';
import { isTable, readTable } from './connector-file-table.ts';
import type { DeclaredTable, TableSources } from './connector-file-table.ts';
import type { PayloadSchema } from './connector.ts';
import { parseHumantimeMs } from './humantime.ts';
import { showValues } from './plugin-config.ts';
import type { SinkStream, SourceStream } from './runtime-config.ts';

/** Where streams are read from, and what is found out meanwhile. */
export interface StreamsContext {
  readonly key: string;
  /** The file's name, for problems. */
  readonly file: string;
  readonly toml: TomlValue | undefined;
  readonly env: ConnectorEnv['streams'];
  /** What payloads are by the plugin's configuration; undefined when that one is wrong. */
  readonly payloadSchema: PayloadSchema | undefined;
  readonly inputs: SystemInputs;
  readonly problems: string[];
  readonly notes: string[];
}

export interface ReadStreams<Stream> {
  readonly streams: readonly Stream[];
  readonly shown: readonly Readonly<Record<string, unknown>>[];
}

/** The streams of a sink; what is wrong with them is added to the problems. */
export function readSinkStreams(context: StreamsContext): ReadStreams<SinkStream> {
  const read = readEach(sinkStreamTable, context).map(({ values, shown }) => {
    const schema = values.schema ?? context.payloadSchema ?? 'raw';
    const consumerGroup = values.consumer_group ?? `iggy-connect-sink-${context.key}`;
    const { stream, topics, batch_length: batchLength } = values;
    const pollIntervalMs = parseHumantimeMs(values.poll_interval) ?? 0;
    return {
      stream: { stream, topics, schema, batchLength, pollIntervalMs, consumerGroup },
      shown: { ...shown, schema, consumer_group: consumerGroup },
    };
  });
  refuseTwice(
    read.map(({ stream }) => stream),
    context,
  );
  return { streams: read.map(({ stream }) => stream), shown: read.map(({ shown }) => shown) };
}

/** The one stream of a source; what is wrong with it is added to the problems. */
export function readSourceStream(context: StreamsContext): ReadStreams<SourceStream> {
  const read = readEach(sourceStreamTable, context).map(({ values, shown, place }) => {
    checkSourceSchema(values.schema, place, context);
    const schema = values.schema ?? context.payloadSchema ?? 'raw';
    if (values.linger_time !== undefined) {
      context.notes.push(
        `${place}.linger_time (${context.file}) does nothing: batches are sent when they are read`,
      );
    }
    const { stream, topic, batch_length: batchLength } = values;
    const { auto_create: isAutoCreated, partitions_count: partitionsCount } = values;
    return {
      stream: { stream, topic, schema, batchLength, isAutoCreated, partitionsCount },
      shown: { ...shown, schema },
    };
  });
  if (read.length > 1) {
    context.problems.push(
      `streams (${context.file}) is a list of ${read.length}: a source sends to one; ` +
        'write another file for each other',
    );
  }
  return { streams: read.map(({ stream }) => stream), shown: read.map(({ shown }) => shown) };
}

interface StreamValues<Values> {
  readonly values: Values;
  readonly shown: Readonly<Record<string, unknown>>;
  /** How problems name it. */
  readonly place: string;
}

function readEach<Values extends object>(
  table: DeclaredTable<Values>,
  { file, toml, env, inputs, problems }: StreamsContext,
): StreamValues<Values>[] {
  const tables = listTables(toml, file, problems);
  if (tables === undefined) {
    return [];
  }
  return listSources(tables, { file, env }, problems).flatMap((sources) => {
    const read = readTable(table, sources, inputs, problems);
    if (read === undefined) {
      return [];
    }
    const shown = showValues(table, read.given, read.values);
    return [{ values: read.values, shown, place: sources.path }];
  });
}

function listTables(
  toml: TomlValue | undefined,
  file: string,
  problems: string[],
): readonly TomlTable[] | undefined {
  if (toml === undefined) {
    return [];
  }
  if (!Array.isArray(toml) || !toml.every(isTable)) {
    problems.push(`streams (${file}) is not a list of tables: write each as [[streams]]`);
    return undefined;
  }
  return toml;
}

/** The environment may add streams, but leave no gap. */
function listSources(
  tables: readonly TomlTable[],
  { file, env }: Pick<StreamsContext, 'file' | 'env'>,
  problems: string[],
): TableSources[] {
  const sources = tables.map((toml, place) => sourceOf(place, { file, toml, env }));
  const added = [...env].filter(([place]) => place >= tables.length);
  for (const [place, texts] of added.toSorted(([one], [other]) => one - other)) {
    if (place === sources.length) {
      sources.push(sourceOf(place, { file, toml: {}, env }));
    } else {
      const names = [...texts.values()].map(({ name }) => name).join(', ');
      problems.push(`${names}: there is no stream ${sources.length} before it`);
    }
  }
  if (sources.length === 0) {
    problems.push(`streams (${file}) is missing: write [[streams]] with a stream and its topics`);
  }
  return sources;
}

function sourceOf(
  place: number,
  { file, toml, env }: Pick<TableSources, 'file' | 'toml'> & Pick<StreamsContext, 'env'>,
): TableSources {
  return { path: `streams[${place}]`, file, toml, env: env.get(place) ?? new Map() };
}

/** A source's messages are what its payload_format makes of documents; no schema changes that. */
function checkSourceSchema(
  declared: PayloadSchema | undefined,
  place: string,
  { payloadSchema, file, problems }: StreamsContext,
): void {
  if (declared !== undefined && payloadSchema !== undefined && declared !== payloadSchema) {
    problems.push(
      `${place}.schema (${file}) is "${declared}", and payloads are "${payloadSchema}" by ` +
        'plugin_config.payload_format: leave schema out, or change one of the two',
    );
  }
}

/** The same messages twice, by the same consumer, would be a race for its offset. */
function refuseTwice(streams: readonly SinkStream[], { file, problems }: StreamsContext): void {
  const seen = new Set<string>();
  for (const { stream, topics, consumerGroup } of streams) {
    for (const topic of topics) {
      const place = JSON.stringify([consumerGroup, stream, topic]);
      if (seen.has(place)) {
        problems.push(
          `streams (${file}) has topic ${JSON.stringify(topic)} of stream ` +
            `${JSON.stringify(stream)} twice for one consumer_group: keep one`,
        );
      }
      seen.add(place);
    }
  }
}
