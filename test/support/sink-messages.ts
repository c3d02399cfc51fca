// Messages as a poll gives them, and a MongoDB sink that takes them.
import type {
  ConnectorLog,
  ConsumedBatch,
  ConsumeOutcome,
  PayloadSchema,
  Sink,
} from '../../src/connectors/connector.ts';
import type { PolledMessage } from '../../src/connectors/iggy-messages.ts';
import { createMongodbSink } from '../../src/connectors/mongodb-sink.ts';
import { mongodbSinkConfigSchema } from '../../src/connectors/mongodb-sink-config.ts';
import type { MongodbSinkConfig } from '../../src/connectors/mongodb-sink-config.ts';

export const NEVER = new AbortController().signal;

/** 2026-02-21 in microseconds, with some that a date does not hold. */
const TIMESTAMP_US = 1_771_632_000_123_456n;

/** A message at this offset; id and payload follow from it unless they are said. */
export function polledMessage(
  offset: number | bigint,
  own: Partial<Omit<PolledMessage, 'payload'>> & { payload?: string | Buffer } = {},
): PolledMessage {
  const { payload = JSON.stringify({ n: Number(offset) }), ...others } = own;
  return {
    offset: BigInt(offset),
    id: 1000n + BigInt(offset),
    checksum: 7n * BigInt(offset),
    timestampUs: TIMESTAMP_US + BigInt(offset),
    originTimestampUs: TIMESTAMP_US - 5000n,
    headers: [],
    ...others,
    payload: Buffer.from(payload),
  };
}

/** Messages from one offset to another, without the latter. */
export function polledMessages(from: number, to: number): readonly PolledMessage[] {
  return Array.from({ length: to - from }, (_, index) => polledMessage(from + index));
}

export function batchOf(
  messages: readonly PolledMessage[],
  own: Partial<ConsumedBatch> = {},
): ConsumedBatch {
  return { stream: 'orders', topic: 'created', partitionId: 0, ...own, messages };
}

export interface RecordedLog extends ConnectorLog {
  readonly notes: string[];
  readonly warnings: string[];
}

export function recordLog(): RecordedLog {
  const notes: string[] = [];
  const warnings: string[] = [];
  return {
    notes,
    warnings,
    note: (message) => notes.push(message),
    warn: (message) => warnings.push(message),
  };
}

/** The configuration with its defaults, as a file gives it. */
export function sinkConfig(own: Readonly<Record<string, unknown>> = {}): MongodbSinkConfig {
  return mongodbSinkConfigSchema.parse({
    connection_uri: 'mongodb://localhost',
    database: 'shop',
    collection: 'orders',
    ...own,
  });
}

export interface TestSink {
  readonly sink: Sink;
  readonly log: RecordedLog;
  readonly consume: (
    messages: readonly PolledMessage[],
    batch?: Partial<ConsumedBatch>,
  ) => Promise<ConsumeOutcome>;
}

export interface TestSinkOptions {
  readonly schema?: PayloadSchema;
  readonly group?: string;
  readonly stop?: AbortSignal;
}

/** A sink of the topic that `batchOf` names. */
export function createTestSink(
  config: Readonly<Record<string, unknown>>,
  own: TestSinkOptions = {},
): TestSink {
  const { schema, group = 'group', stop = NEVER } = own;
  const log = recordLog();
  const topic = { stream: 'orders', topic: 'created', consumerGroup: group, schema };
  const sink = createMongodbSink(
    { key: 'mongodb', topics: [topic], log, stop },
    sinkConfig(config),
  );
  return {
    sink,
    log,
    consume: async (messages, batch) => await sink.consume(batchOf(messages, batch), NEVER),
  };
}
