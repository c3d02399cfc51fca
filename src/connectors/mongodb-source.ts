// A source that polls a collection of MongoDB: documents behind the last one, in an order in which
// none is passed over, deleted or marked only when their messages are stored.
import type { MongoClient } from 'mongodb';
import { ConnectorError } from './connector-error.ts';
import type { Source, SourceBatch, SourceContext } from './connector.ts';
import { openMongodb } from './mongodb-connection.ts';
import { shownFailure } from './mongodb-failures.ts';
import { payloadFormatOf } from './mongodb-source-config.ts';
import type { MongodbSourceConfig } from './mongodb-source-config.ts';
import { Acknowledger } from './source-acknowledge.ts';
import type { Settlement } from './source-acknowledge.ts';
import { Attempts } from './source-attempts.ts';
import { BatchMaker } from './source-batch.ts';
import type { MadeBatch, SentDocument } from './source-batch.ts';
import { checkCollection } from './source-checks.ts';
import { parsePosition } from './source-cursor.ts';
import type { Position } from './source-cursor.ts';
import { PayloadEncoder } from './source-document.ts';
import { planProjection } from './source-projection.ts';
import type { ReadPlan } from './source-projection.ts';
import { ReadAhead } from './source-read-ahead.ts';
import { SourceReader } from './source-reader.ts';
import type { ReadBatch } from './source-reader.ts';
import { durationMs, parseDocument, settlementOf } from './source-settings.ts';
import { StartOffset } from './source-start.ts';
import { FIRST_STATE, formatState, parseState } from './source-state.ts';
import type { Fingerprint, SourceState } from './source-state.ts';
import type { Fields } from './source-values.ts';

/** What there is while the source is open. */
interface Opened {
  readonly client: MongoClient;
  readonly reader: SourceReader;
  readonly ahead: ReadAhead;
  readonly attempts: Attempts;
  readonly start: StartOffset;
  readonly batches: BatchMaker;
  readonly acknowledger: Acknowledger | undefined;
}

/** A state, and the documents that are pending in it. */
interface Progress {
  readonly state: SourceState;
  readonly sent: readonly SentDocument[];
}

interface Counts {
  sent: number;
  skipped: number;
}

const NOTHING: SourceBatch = { messages: [], state: undefined, isFull: false };

/**
 * A source of one collection.
 *
 * @throws ConnectorError `invalid-config`
 */
export function createMongodbSource(context: SourceContext, config: MongodbSourceConfig): Source {
  return new MongodbSource(context, config);
}

class MongodbSource implements Source {
  readonly pollIntervalMs: number;
  readonly #context: SourceContext;
  readonly #config: MongodbSourceConfig;
  readonly #fingerprint: Fingerprint;
  readonly #settlement: Settlement | undefined;
  readonly #plan: ReadPlan;
  readonly #queryFilter: Fields | undefined;
  #opened: Opened | undefined;
  /** What the runtime has saved. */
  #saved: Progress = { state: FIRST_STATE, sent: [] };
  /** What it was given, and has not acknowledged yet. */
  #polled: Progress | undefined;
  #counts: Counts = { sent: 0, skipped: 0 };
  /** Sent, given up when they were to be settled, and not told to the runtime yet. */
  #givenUpCount = 0;

  constructor(context: SourceContext, config: MongodbSourceConfig) {
    this.#context = context;
    this.#config = config;
    const { database, collection, tracking_field: trackingField } = config;
    this.#fingerprint = { database, collection, trackingField };
    this.#settlement = settlementOf(config);
    this.#queryFilter = parseDocument(config.query_filter, 'query_filter');
    const projection = parseDocument(config.projection, 'projection');
    const plan = planProjection(projection, trackingField);
    if ('problem' in plan) {
      throw new ConnectorError('invalid-config', `projection cannot be used. ${plan.problem}`);
    }
    this.#plan = plan.value;
    this.pollIntervalMs = durationMs(config.poll_interval);
  }

  async open(state: string | undefined, signal: AbortSignal): Promise<void> {
    const saved = this.#restored(state);
    this.#saved = { state: saved, sent: saved.pending.map((one) => ({ ...one, bson: undefined })) };
    this.#polled = undefined;
    this.#counts = { sent: 0, skipped: 0 };
    const { connection_uri: connectionUri, max_pool_size: maxPoolSize } = this.#config;
    const appName = `gatepost/source/${this.#context.key}`;
    const client = await openMongodb({ connectionUri, maxPoolSize, appName }, signal);
    try {
      const opened = this.#build(client);
      await this.#look(opened, signal);
      this.#opened = opened;
    } catch (error) {
      await client.close().catch(() => undefined);
      signal.throwIfAborted();
      throw error instanceof ConnectorError
        ? error
        : new ConnectorError('init', `MongoDB refused at the start: ${shownFailure(error)}`);
    }
  }

  async poll(signal: AbortSignal): Promise<SourceBatch> {
    const opened = this.#whileOpen();
    this.#polled = undefined;
    await this.#settle(signal);
    const { documents, isFull, doubles } = await opened.attempts.run(
      'Poll',
      signal,
      async (inTime) => await this.#read(opened, inTime),
    );
    const pollTime = new Date();
    const made = opened.batches.make(documents, pollTime, doubles);
    if (made.position === undefined) {
      return this.#nothing(made);
    }
    const { position, failure, isCut } = made;
    const behind = parsePosition(position);
    if ((isFull || isCut) && failure === undefined && behind !== undefined) {
      opened.ahead.start(position, async () => await opened.reader.read(behind, signal));
    }
    const isMore = isFull || isCut || failure !== undefined;
    return this.#given(made, { pollTime, isMore });
  }

  async acknowledge(signal: AbortSignal): Promise<string | undefined> {
    if (this.#polled !== undefined) {
      this.#saved = this.#polled;
      this.#polled = undefined;
    }
    const isOwed = await this.#settle(signal);
    return isOwed ? formatState(this.#saved.state, this.#fingerprint) : undefined;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) {
      return;
    }
    this.#opened = undefined;
    await opened.client.close().catch(() => undefined);
    const { sent, skipped } = this.#counts;
    const settled = opened.acknowledger?.settledCount ?? 0;
    const verb = this.#settlement?.kind === 'mark' ? 'marked' : 'deleted';
    this.#context.log.note(
      `Closed: ${sent} documents read for sending, ${skipped} skipped, ${settled} ${verb}, ` +
        `${opened.attempts.retriesCount} retries; ` +
        `${this.#saved.state.processedDocuments} documents in all runs`,
    );
  }

  #restored(text: string | undefined): SourceState {
    if (text === undefined) {
      return FIRST_STATE;
    }
    const state = parseState(text, this.#fingerprint);
    const isInPass = state.offset !== undefined && parsePosition(state.offset) !== undefined;
    // A pass that was broken off is not gone on with: it may have passed over what has changed.
    return isInPass ? this.#passedOver(state) : state;
  }

  #build(client: MongoClient): Opened {
    const { log } = this.#context;
    const config = this.#config;
    const settlement = this.#settlement;
    const { projection, strip } = this.#plan;
    const isWhole = projection === undefined;
    const reader = new SourceReader(client, {
      ...this.#fingerprint,
      queryFilter: this.#queryFilter,
      processedField: config.processed_field,
      projection,
      batchSize: config.batch_size,
      log,
    });
    const retryDelayMs = durationMs(config.retry_delay);
    const attempts = new Attempts({ maxRetries: config.max_retries, retryDelayMs, log });
    const shared = { ...this.#fingerprint, isWhole, log };
    const acknowledger =
      settlement === undefined
        ? undefined
        : new Acknowledger(client, { ...shared, settlement, reader, attempts });
    const batches = new BatchMaker({
      ...shared,
      strip,
      payloads: this.#payloads(),
      isSkipping: config.on_failure === 'skip',
      isSettled: settlement !== undefined,
    });
    const start = new StartOffset({ ...this.#fingerprint, reader, log });
    return { client, reader, ahead: new ReadAhead(), attempts, start, batches, acknowledger };
  }

  #payloads(): PayloadEncoder {
    const { payload_field, snake_case_fields, include_metadata, collection } = this.#config;
    return new PayloadEncoder({
      format: payloadFormatOf(this.#config),
      field: payload_field,
      isSnakeCase: snake_case_fields,
      metadata: include_metadata ? { collection } : undefined,
    });
  }

  /** Tells the operator at the start what would be hard to find out later. */
  async #look(opened: Opened, signal: AbortSignal): Promise<void> {
    const { log } = this.#context;
    opened.reader.adapt(await checkCollection(opened.client, this.#fingerprint, log, signal));
    if (this.#settlement?.kind === 'delete') {
      log.warn(
        'delete_after_read deletes what Iggy has acknowledged, and an Iggy that acknowledges ' +
          'from memory can lose it in a power cut: let it write first, or use processed_field',
      );
    }
    await this.#position(opened, signal);
  }

  async #read(opened: Opened, signal: AbortSignal): Promise<ReadBatch> {
    const ahead = opened.ahead.take(this.#saved.state.offset);
    if (ahead !== undefined) {
      return await ahead;
    }
    const position = await this.#position(opened, signal);
    return position === 'unknown'
      ? { documents: [], isFull: false }
      : await opened.reader.read(position, signal);
  }

  /** Where the next poll begins; undefined at the first document. */
  async #position(
    { start }: Opened,
    signal: AbortSignal,
  ): Promise<Position | undefined | 'unknown'> {
    const { offset } = this.#saved.state;
    const position = offset === undefined ? undefined : parsePosition(offset);
    const text = offset ?? this.#config.initial_offset;
    if (position !== undefined || text === undefined) {
      return position;
    }
    return (await start.find(text, signal)) ?? 'unknown';
  }

  /** A poll that found nothing to go on behind. */
  #nothing({ failure }: MadeBatch): SourceBatch {
    if (failure !== undefined) {
      throw failure;
    }
    this.#saved = { ...this.#saved, state: this.#passedOver(this.#saved.state) };
    return NOTHING;
  }

  #given(
    made: MadeBatch,
    { pollTime, isMore }: { readonly pollTime: Date; readonly isMore: boolean },
  ): SourceBatch {
    const { messages, sent } = made;
    const skippedCount = made.skippedCount + this.#givenUpCount;
    this.#givenUpCount = 0;
    const next: SourceState = {
      lastPollTime: pollTime,
      offset: made.position,
      processedDocuments: this.#saved.state.processedDocuments + messages.length,
      pending: sent.map(({ id, sha256 }) => ({ id, sha256 })),
    };
    const state = isMore ? next : this.#passedOver(next);
    this.#polled = { state, sent };
    this.#counts.sent += messages.length;
    this.#counts.skipped += made.skippedCount;
    if (this.#config.verbose_logging) {
      this.#context.log.note(`Read ${messages.length} documents, skipped ${skippedCount}`);
    }
    const text = formatState(state, this.#fingerprint);
    return { messages, state: text, isFull: isMore, skippedCount };
  }

  /**
   * The state behind the last document: where documents are deleted or marked the next pass begins
   * at the start again, for those that were changed meanwhile or have come behind the position.
   */
  #passedOver(state: SourceState): SourceState {
    return this.#settlement === undefined ? state : { ...state, offset: undefined };
  }

  /**
   * Whether anything was owed.
   *
   * @throws UnsettledError when documents are owed still that stop the source
   */
  async #settle(signal: AbortSignal): Promise<boolean> {
    const { state, sent } = this.#saved;
    if (sent.length === 0) {
      return false;
    }
    const { acknowledger, batches } = this.#whileOpen();
    const unsettled = (await acknowledger?.settle(sent, signal)) ?? [];
    const isSkipping = this.#config.on_failure === 'skip';
    const left = isSkipping ? [] : unsettled.map((one) => one.sent);
    const pending = left.map(({ id, sha256 }) => ({ id, sha256 }));
    this.#saved = { state: { ...state, pending }, sent: left };
    if (acknowledger !== undefined && left.length > 0) {
      const text = formatState(this.#saved.state, this.#fingerprint);
      throw acknowledger.unsettledError(unsettled, text);
    }
    for (const one of unsettled) {
      batches.giveUp(one.sent, one.reason);
    }
    this.#counts.skipped += unsettled.length;
    this.#givenUpCount += unsettled.length;
    return true;
  }

  #whileOpen(): Opened {
    if (this.#opened === undefined) {
      throw new Error('The source is not open');
    }
    return this.#opened;
  }
}
