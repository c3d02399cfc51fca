// The implementations of connectors by the names that files give them.
import type { PayloadSchema, Sink, SinkContext, Source, SourceContext } from './connector.ts';
import { createMongodbSink } from './mongodb-sink.ts';
import { mongodbSinkConfigSchema } from './mongodb-sink-config.ts';
import type { MongodbSinkConfig } from './mongodb-sink-config.ts';
import { createMongodbSource } from './mongodb-source.ts';
import { mongodbSourceConfigSchema, payloadSchemaOf } from './mongodb-source-config.ts';
import { createPlugin } from './plugin-config.ts';
import type { Plugin } from './plugin-config.ts';

/** Each by type and name: a later connector is entered here, and nowhere else. */
export interface ConnectorRegistry {
  readonly sinks: ReadonlyMap<string, Plugin<SinkContext, Sink>>;
  readonly sources: ReadonlyMap<string, Plugin<SourceContext, Source>>;
}

/** What a payload must be to be stored in a format. */
const SINK_SCHEMAS: Readonly<Record<MongodbSinkConfig['payload_format'], PayloadSchema>> = {
  binary: 'raw',
  json: 'json',
  string: 'text',
  text: 'text',
};

const mongodbSink = createPlugin({
  schema: mongodbSinkConfigSchema,
  payloadSchemaOf: ({ payload_format: format }) => SINK_SCHEMAS[format],
  create: createMongodbSink,
});

const mongodbSource = createPlugin({
  schema: mongodbSourceConfigSchema,
  payloadSchemaOf,
  create: createMongodbSource,
});

/** Gatepost's own. */
export const connectorRegistry: ConnectorRegistry = {
  sinks: new Map([['mongodb', mongodbSink]]),
  sources: new Map([['mongodb', mongodbSource]]),
};
