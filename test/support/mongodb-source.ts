// A MongoDB source as its runtime drives it, without Iggy: what would be sent is kept.
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import type { Collection, Document } from 'mongodb';
import { mongodbSourceConfigSchema } from '../../src/connectors/mongodb-source-config.ts';
import { createMongodbSource } from '../../src/connectors/mongodb-source.ts';
import type { ProducedMessage, Source, SourceBatch } from '../../src/connectors/connector.ts';
import { createTestMongodbDatabase } from './mongodb.ts';
import type { TestMongodbDatabase } from './mongodb.ts';

/** Of a run that should end: more batches than any test makes. */
const BATCHES_MAX = 10_000;

export const NEVER = new AbortController().signal;

/** The notes and warnings of a connector. */
export interface RecordedLog {
  readonly notes: string[];
  readonly warnings: string[];
  note(message: string): void;
  warn(message: string): void;
}

export function createLog(): RecordedLog {
  const notes: string[] = [];
  const warnings: string[] = [];
  return {
    notes,
    warnings,
    note: (message) => void notes.push(message),
    warn: (message) => void warnings.push(message),
  };
}

export interface TestSource {
  readonly source: Source;
  readonly log: RecordedLog;
}

/** A source of collection `items` of the database, with short pauses. */
export function createTestSource(
  database: Pick<TestMongodbDatabase, 'uri' | 'name'>,
  fields: Readonly<Record<string, unknown>> = {},
): TestSource {
  const log = createLog();
  const config = mongodbSourceConfigSchema.parse({
    connection_uri: database.uri,
    database: database.name,
    collection: 'items',
    retry_delay: '1ms',
    ...fields,
  });
  return { source: createMongodbSource({ key: 'test', log }, config), log };
}

export interface Run {
  readonly messages: readonly ProducedMessage[];
  /** As it would be on disk. */
  readonly state: string | undefined;
  readonly batches: readonly SourceBatch[];
  readonly log: RecordedLog;
}

/** Polls as the runtime does until there is nothing more, then closes. */
export async function runSource({ source, log }: TestSource, state?: string): Promise<Run> {
  const batches: SourceBatch[] = [];
  let saved = state;
  try {
    await source.open(state, NEVER);
    saved = (await source.acknowledge(NEVER)) ?? saved;
    for (let isFull = true; isFull && batches.length < BATCHES_MAX;) {
      const batch = await source.poll(NEVER);
      batches.push(batch);
      if (batch.state !== undefined) {
        saved = batch.state;
        saved = (await source.acknowledge(NEVER)) ?? saved;
      }
      isFull = batch.isFull;
    }
  } finally {
    await source.close();
  }
  return { messages: batches.flatMap(({ messages }) => messages), state: saved, batches, log };
}

/** Payloads of format json. */
export function payloadsOf(messages: readonly ProducedMessage[]): unknown[] {
  return messages.map(({ payload }): unknown => JSON.parse(payload.toString('utf8')));
}

/** Whatever a test stores. */
export interface Item {
  _id: unknown;
  readonly [field: string]: unknown;
}

/** A filter; the driver's types know no `_id` of any type. */
export function byId(id: unknown): Document {
  return { _id: { $eq: id } };
}

/** What the tests of one file share: a collection `items`, empty before each of them. */
export interface Stage {
  readonly database: TestMongodbDatabase;
  readonly items: Collection<Item>;
  /** A whole run of a new source. */
  readonly run: (fields?: Readonly<Record<string, unknown>>, state?: string) => Promise<Run>;
}

/** To be called within a describe; what it gives is there once tests run. */
export function stageItems(): Stage {
  let database: TestMongodbDatabase | undefined;
  const there = (): TestMongodbDatabase => {
    if (database === undefined) {
      throw new Error('The stage is not set up');
    }
    return database;
  };
  const stage: Stage = {
    get database() {
      return there();
    },
    get items() {
      return there().client.db(there().name).collection<Item>('items');
    },
    run: async (fields, state) => await runSource(createTestSource(there(), fields), state),
  };
  beforeAll(async () => {
    database = await createTestMongodbDatabase();
  });
  beforeEach(async () => {
    await stage.items.drop();
  });
  afterAll(async () => {
    await database?.drop();
  });
  return stage;
}
