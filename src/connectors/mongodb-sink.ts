// The MongoDB sink: each message of Iggy becomes a document.
import { MongoServerError, WriteConcern } from 'mongodb';
import type { Collection, Db, MongoClient } from 'mongodb';
import type {
  ConnectorLog,
  ConsumedBatch,
  ConsumeOutcome,
  PayloadSchema,
  Sink,
  SinkContext,
} from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import { parseHumantimeMs } from './humantime.ts';
import { acquireLease } from './lease.ts';
import type { Lease } from './lease.ts';
import { openMongodb } from './mongodb-connection.ts';
import { toConnectorError } from './mongodb-failures.ts';
import { insertBatch } from './mongodb-sink-batch.ts';
import type { MongodbSinkConfig } from './mongodb-sink-config.ts';
import { storeDeadLetters } from './mongodb-sink-dead-letters.ts';
import type { SinkDocument } from './mongodb-sink-document.ts';
import type { ChunkOptions } from './mongodb-sink-insert.ts';
import { settle } from './mongodb-sink-policy.ts';
import { untilAborted } from '../until-aborted.ts';

/** How long a command may go without an answer, where the connection string does not say. */
const COMMAND_TIMEOUT_MS = 30_000;

/** How long a majority may take to confirm a write, where the connection string does not say. */
const CONFIRM_TIMEOUT_MS = 20_000;

const NAMESPACE_EXISTS_CODE = 48;

/** What an open sink holds. */
interface Holdings {
  readonly client: MongoClient;
  readonly lease: Lease;
  readonly collection: Collection<SinkDocument>;
  readonly deadLetters: Collection<SinkDocument>;
}

const NOTHING = {
  settledCount: 0,
  storedCount: 0,
  replayedCount: 0,
  deadLetteredCount: 0,
  skippedCount: 0,
  errorsCount: 0,
} as const;

type Counts = Record<keyof typeof NOTHING, number>;

/** A sink that is not connected yet. */
export function createMongodbSink(context: SinkContext, config: MongodbSinkConfig): Sink {
  return new MongodbSink(context, config);
}

class MongodbSink implements Sink {
  readonly #context: SinkContext;
  readonly #config: MongodbSinkConfig;
  #holdings: Holdings | undefined;
  /** Since it was opened. */
  #counts: Counts = { ...NOTHING };

  constructor(context: SinkContext, config: MongodbSinkConfig) {
    this.#context = context;
    this.#config = config;
  }

  async open(signal: AbortSignal): Promise<AbortSignal> {
    // After a lost lease.
    await this.close();
    const { connection_uri: connectionUri, max_pool_size: maxPoolSize } = this.#config;
    const appName = `gatepost/sink-${this.#context.key}`;
    const client = await openMongodb(
      { connectionUri, maxPoolSize, appName, commandTimeoutMs: COMMAND_TIMEOUT_MS },
      signal,
    );
    try {
      this.#holdings = await this.#prepare(client, signal);
      return this.#holdings.lease.signal;
    } catch (error) {
      await client.close().catch(() => undefined);
      signal.throwIfAborted();
      throw new ConnectorError(
        'init',
        `The sink cannot be prepared: ${toConnectorError(error).message}`,
      );
    }
  }

  async consume(batch: ConsumedBatch, signal: AbortSignal): Promise<ConsumeOutcome> {
    const holdings = this.#holdings;
    if (holdings === undefined) {
      return { ...NOTHING, failure: new ConnectorError('connection', 'The sink is not open') };
    }
    const { batch_size, verbose_logging, on_failure } = this.#config;
    const chunks = this.#chunkOptions(batch, holdings);
    const tried = await insertBatch(
      batch,
      {
        chunks,
        documents: { config: this.#config, schema: this.#schemaOf(batch) },
        chunkMessagesMax: batch_size,
        isVerbose: verbose_logging,
        onStored: (messagesCount) => {
          this.#counts.storedCount += messagesCount;
        },
      },
      signal,
    );
    const outcome = await settle(batch, tried, {
      onFailure: on_failure,
      log: this.#context.log,
      storeDeadLetters: async (rejected) => {
        await storeDeadLetters(rejected, { ...chunks, collection: holdings.deadLetters }, signal);
      },
    });
    this.#count(outcome);
    return outcome;
  }

  async close(): Promise<void> {
    const holdings = this.#holdings;
    if (holdings === undefined) {
      return;
    }
    this.#holdings = undefined;
    await holdings.lease.release();
    await holdings.client.close().catch(() => undefined);
    const { storedCount, replayedCount, deadLetteredCount, skippedCount, errorsCount } =
      this.#counts;
    this.#counts = { ...NOTHING };
    this.#context.log.note(
      `Closed: ${storedCount} messages stored, ${replayedCount} there already, ` +
        `${deadLetteredCount} dead letters, ${skippedCount} skipped, ${errorsCount} errors`,
    );
  }

  async #prepare(client: MongoClient, signal: AbortSignal): Promise<Holdings> {
    const { database, collection, auto_create_collection, dead_letter_collection } = this.#config;
    const { log, topics } = this.#context;
    const db = client.db(database);
    if (auto_create_collection) {
      await untilAborted(createMissingCollection(db, collection), signal);
    }
    const writeConcern = durableConcern(client, log);
    return {
      client,
      collection: db.collection<SinkDocument>(collection, { writeConcern }),
      deadLetters: db.collection<SinkDocument>(
        dead_letter_collection ?? `${collection}_dead_letters`,
        { writeConcern },
      ),
      // The last step: what is held is given back by close.
      lease: await acquireLease({ database: db, topics, log }, signal),
    };
  }

  #chunkOptions(batch: ConsumedBatch, { collection }: Holdings): ChunkOptions {
    return {
      collection,
      place: batch,
      log: this.#context.log,
      stop: this.#context.stop,
      retriesMax: this.#config.max_retries,
      retryDelayMs: parseHumantimeMs(this.#config.retry_delay) ?? 0,
    };
  }

  #schemaOf({ stream, topic }: ConsumedBatch): PayloadSchema | undefined {
    return this.#context.topics.find((one) => one.stream === stream && one.topic === topic)?.schema;
  }

  /** What is stored was counted chunk by chunk. */
  #count(outcome: ConsumeOutcome): void {
    this.#counts.replayedCount += outcome.replayedCount;
    this.#counts.deadLetteredCount += outcome.deadLetteredCount;
    this.#counts.skippedCount += outcome.skippedCount;
    this.#counts.errorsCount += outcome.errorsCount;
  }
}

async function createMissingCollection(db: Db, name: string): Promise<void> {
  const found = await db.listCollections({ name }, { nameOnly: true }).toArray();
  if (found.length > 0) {
    return;
  }
  try {
    await db.createCollection(name);
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS_CODE)) {
      throw error;
    }
  }
}

/**
 * An offset is stored after its insert, so an insert must outlive the server that took it. A write
 * concern that the operator has defined by name is his word; a number may be too few.
 */
function durableConcern(client: MongoClient, log: ConnectorLog): WriteConcern {
  const own = client.writeConcern;
  const w = own?.w;
  if (typeof w === 'number') {
    log.note(`w=${w} in connection_uri is taken as w=majority: what is stored must last`);
  }
  if (own?.journal === false) {
    log.note('journal=false in connection_uri is left out: what is stored must last');
  }
  return new WriteConcern(
    typeof w === 'string' ? w : 'majority',
    own?.wtimeoutMS ?? CONFIRM_TIMEOUT_MS,
    own?.journal === true ? true : undefined,
  );
}
