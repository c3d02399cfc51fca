// One partition into the sink: the next poll runs while the last one is consumed, and never more
// than that one batch ahead.
import type { Budget, Share } from './budget.ts';
import type { RunReport } from './connector-runner.ts';
import type { ConnectorLog, ConsumeOutcome, Sink } from './connector.ts';
import type { ConsumerPlace, IggyClient } from './iggy-client.ts';
import { IggyError } from './iggy-error.ts';
import type { PolledMessage } from './iggy-messages.ts';
import { OffsetWriter } from './offset-writer.ts';
import { pause } from './retry.ts';
import type { SinkAnchors, TopicSight } from './sink-anchor.ts';
import { SinkPosition } from './sink-position.ts';

/** What a message takes beside its payload, about. */
const MESSAGE_BYTES = 256;

/** Decoded, of one poll: fewer messages are asked for where they are large. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024;

/** What is taken for a message's size before one was seen. */
const UNSEEN_BYTES = 1024;

export interface PartitionPlace extends ConsumerPlace {
  readonly stream: string;
  readonly topic: string;
  readonly consumer: string;
}

/** What the partitions of a sink share. */
export interface SinkShared {
  readonly sink: Sink;
  readonly client: IggyClient;
  readonly log: ConnectorLog;
  readonly anchors: SinkAnchors;
  readonly report: RunReport;
  /** Polls under way. */
  readonly polls: Budget;
  /** Batches being consumed. */
  readonly consumes: Budget;
  /** Decoded bytes that are held. */
  readonly bytes: Budget;
  readonly resetCheckMs: number;
  /** Aborts when nothing more is to be begun. */
  readonly stop: AbortSignal;
  /** Aborts when what is under way is to end. */
  readonly abort: AbortSignal;
  /** Something failed: everything else is to stop too. */
  readonly fail: (error: unknown) => void;
}

export interface PartitionOptions {
  readonly place: PartitionPlace;
  readonly sight: TopicSight;
  readonly batchLength: number;
  readonly pollIntervalMs: number;
  /** The longest pause between polls that find nothing. */
  readonly idleMaxMs: () => number;
}

interface Polled {
  readonly messages: readonly PolledMessage[];
  readonly epoch: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly held: Share;
}

/** What was settled, in one life of the partition. */
interface Settled {
  readonly offset: bigint;
  readonly epoch: number;
}

/** Consumes one partition from the stored offset on. Run once. */
export class SinkPartition {
  readonly #options: PartitionOptions;
  readonly #shared: SinkShared;
  readonly #position: SinkPosition;
  readonly #offsets: OffsetWriter<Settled>;
  #messageBytes = UNSEEN_BYTES;

  private constructor(options: PartitionOptions, shared: SinkShared, position: SinkPosition) {
    this.#options = options;
    this.#shared = shared;
    this.#position = position;
    this.#offsets = new OffsetWriter({
      store: async (settled) => {
        await this.#storeOffset(settled);
      },
      onFailure: shared.fail,
    });
  }

  /** @throws IggyError, the signal's reason */
  static async open(options: PartitionOptions, shared: SinkShared): Promise<SinkPartition> {
    const { client, log, anchors, resetCheckMs, stop } = shared;
    const { place, sight } = options;
    const position = await SinkPosition.open(
      { place, client, log, anchors, sight, resetCheckMs },
      stop,
    );
    return new SinkPartition(options, shared, position);
  }

  /** Its topic was looked at again. */
  look(sight: TopicSight): void {
    this.#position.look(sight);
  }

  /**
   * Ends when it is stopped, with what is settled stored.
   *
   * @throws the failure of the sink or of Iggy; a signal's reason
   */
  async run(): Promise<void> {
    try {
      await this.#consumeAll();
    } finally {
      await this.#offsets.flush();
    }
  }

  async #consumeAll(): Promise<void> {
    const { stop } = this.#shared;
    let idleMs = this.#options.pollIntervalMs;
    let ahead = this.#poll();
    for (;;) {
      const polled = await ahead;
      if (polled.messages.length === 0) {
        await this.#idle(polled, idleMs);
        idleMs = Math.min(Math.max(idleMs * 2, 1), this.#options.idleMaxMs());
        ahead = this.#poll();
        continue;
      }
      idleMs = this.#options.pollIntervalMs;
      // What was polled and not begun is polled again by the next run.
      if (stop.aborted) {
        polled.held.release();
        stop.throwIfAborted();
      }
      ahead = this.#poll();
      await this.#consumeWith(polled, ahead);
    }
  }

  /** When it fails, nothing of the batch ahead is left. */
  async #consumeWith(polled: Polled, ahead: Promise<Polled>): Promise<void> {
    const letGo = ahead.then(
      ({ held }) => held,
      () => undefined,
    );
    try {
      await this.#consume(polled);
    } catch (error) {
      this.#shared.fail(error);
      (await letGo)?.release();
      throw error;
    } finally {
      polled.held.release();
    }
  }

  async #poll(): Promise<Polled> {
    const { polls, bytes, client, stop } = this.#shared;
    const { place, batchLength } = this.#options;
    const count = clamp(Math.floor(BATCH_BYTES_MAX / this.#messageBytes), 1, batchLength);
    const slot = await polls.take(1, stop);
    let held: Share | undefined;
    try {
      held = await bytes.take(count * this.#messageBytes, stop);
      const startedAtMs = performance.now();
      const { from, epoch } = this.#position.question;
      const batch = await client.poll({ ...place, from, count }, stop);
      const messages = this.#position.advance(batch.messages, epoch);
      held.resize(this.#measure(messages));
      const durationMs = performance.now() - startedAtMs;
      return { messages, epoch, startedAtMs, durationMs, held };
    } catch (error) {
      held?.release();
      throw error;
    } finally {
      slot.release();
    }
  }

  /** Their bytes; the next poll expects as large ones, and forgets large ones slowly. */
  #measure(messages: readonly PolledMessage[]): number {
    if (messages.length === 0) {
      return 0;
    }
    const bytes = messages.reduce((sum, { payload }) => sum + payload.length + MESSAGE_BYTES, 0);
    const mean = bytes / messages.length;
    this.#messageBytes = Math.ceil(Math.max(mean, (mean + this.#messageBytes) / 2));
    return bytes;
  }

  async #idle(polled: Polled, idleMs: number): Promise<void> {
    const { report, stop } = this.#shared;
    polled.held.release();
    report.progressed();
    await this.#offsets.flush();
    await this.#position.checkIdle(stop);
    await pause(idleMs, stop);
  }

  async #consume(polled: Polled): Promise<void> {
    const { sink, consumes, stop, abort } = this.#shared;
    const { stream, topic, partitionId } = this.#options.place;
    const { messages, epoch } = polled;
    const slot = await consumes.take(1, stop);
    try {
      const startedAtMs = performance.now();
      const outcome = await sink.consume({ stream, topic, partitionId, messages }, abort);
      this.#reportOutcome(polled, outcome, performance.now() - startedAtMs);
      this.#settle(messages, epoch, outcome);
    } finally {
      slot.release();
    }
  }

  #settle(messages: readonly PolledMessage[], epoch: number, outcome: ConsumeOutcome): void {
    const last = messages[outcome.settledCount - 1];
    // Of an older epoch it would take the place of one that counts.
    if (last !== undefined && epoch === this.#position.epoch) {
      this.#offsets.settle({ offset: last.offset, epoch });
    }
    if (outcome.failure !== undefined) {
      throw outcome.failure;
    }
    if (outcome.settledCount !== messages.length) {
      throw new Error('A sink left messages unsettled, and did not say why');
    }
    this.#shared.report.progressed();
  }

  #reportOutcome(polled: Polled, outcome: ConsumeOutcome, insertMs: number): void {
    this.#shared.report.batch(
      {
        consumed: polled.messages.length,
        delivered: outcome.storedCount,
        replayed: outcome.replayedCount,
        deadLettered: outcome.deadLetteredCount,
        skipped: outcome.skippedCount,
        errors: outcome.errorsCount,
        stages: [
          { stage: 'poll', durationMs: polled.durationMs },
          { stage: 'insert', durationMs: insertMs },
          { stage: 'total', durationMs: performance.now() - polled.startedAtMs },
        ],
      },
      outcome.failure,
    );
  }

  /**
   * Nothing of a partition that was begun anew meanwhile: the offset would pass over its messages.
   * One past its end means that too, and is found out when it is idle.
   */
  async #storeOffset({ offset, epoch }: Settled): Promise<void> {
    const { client, abort, log } = this.#shared;
    if (!(await this.#position.confirm(epoch, abort))) {
      return;
    }
    try {
      this.#position.remember();
      await client.storeOffset(this.#options.place, offset, abort);
    } catch (error) {
      if (!(error instanceof IggyError && error.kind === 'offset-range')) {
        throw error;
      }
      log.warn(error.message);
    }
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
