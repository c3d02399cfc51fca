// What a connector is to the runtime. A later one implements Sink or Source and is entered into
// the registry; everything around it (polls, offsets, sends, state, status) is the runtime's.
import type { ConnectorError } from './connector-error.ts';
import type { IggyHeader } from './iggy-headers.ts';
import type { PolledMessage } from './iggy-messages.ts';

export type ConnectorType = 'sink' | 'source';

/** What the payloads of a stream are. */
export type PayloadSchema = 'json' | 'raw' | 'text';

/** Takes sentences for the operator, without secrets. */
export interface ConnectorLog {
  note(message: string): void;
  warn(message: string): void;
}

/** One topic that a sink reads, as the consumer of this name. */
export interface SinkTopic {
  readonly stream: string;
  readonly topic: string;
  readonly consumerGroup: string;
  /** What its messages must be, where the configuration says it. */
  readonly schema?: PayloadSchema | undefined;
}

export interface SinkContext {
  readonly key: string;
  readonly topics: readonly SinkTopic[];
  readonly log: ConnectorLog;
  /**
   * Aborts when the sink is to end soon: a batch is brought to its end, and what has failed is not
   * tried again.
   */
  readonly stop: AbortSignal;
}

export interface SourceContext {
  readonly key: string;
  readonly log: ConnectorLog;
}

/** Messages of one partition, in the order of their offsets. */
export interface ConsumedBatch {
  readonly stream: string;
  readonly topic: string;
  readonly partitionId: number;
  readonly messages: readonly PolledMessage[];
}

export interface ConsumeOutcome {
  /**
   * So many messages, from the first of the batch, need not come again: the runtime stores the
   * offset of the last of them. Less than all only with a failure.
   */
  readonly settledCount: number;
  /** New in the database. */
  readonly storedCount: number;
  /** In the database already: replays of the same message. */
  readonly replayedCount: number;
  /** Not in the database, by the failure policy: kept elsewhere, or given up. */
  readonly deadLetteredCount: number;
  readonly skippedCount: number;
  /** Attempts that were repeated, and messages that failed for good. */
  readonly errorsCount: number;
  /** What stops the sink. */
  readonly failure: ConnectorError | undefined;
}

/** Takes messages out of Iggy. Calls never overlap for one partition; they do for several. */
export interface Sink {
  /**
   * Resolves when it is connected and alone with its consumer groups: it waits while another
   * instance is at work. The signal that it gives aborts, with a ConnectorError, when another one
   * may take over; then no more is consumed, and it is opened again.
   *
   * @throws ConnectorError `init`; the signal's reason
   */
  open(signal: AbortSignal): Promise<AbortSignal>;
  /**
   * Tries every message, whatever happens to others, and tells what is durable.
   *
   * @throws the signal's reason only: then nothing is settled
   */
  consume(batch: ConsumedBatch, signal: AbortSignal): Promise<ConsumeOutcome>;
  /** Gives back what it holds; does not throw. */
  close(): Promise<void>;
}

export interface ProducedMessage {
  /** 128 bits; the same for the same version of the same record, so that a replay is recognised. */
  readonly id: bigint;
  readonly payload: Buffer;
  readonly headers: readonly IggyHeader[];
  /** Messages with the same one go to the same partition, in their order. */
  readonly partitionHash: number;
}

export interface SourceBatch {
  readonly messages: readonly ProducedMessage[];
  /**
   * Saved as soon as all messages are stored: where to go on, and what is to be acknowledged.
   * Undefined when nothing was read.
   */
  readonly state: string | undefined;
  /** More may be there: the next poll need not wait. */
  readonly isFull: boolean;
  /** Records that were read and given up by the failure policy; none unless said. */
  readonly skippedCount?: number;
}

/** Brings messages into Iggy. One call at a time: poll, acknowledge, poll, and so on. */
export interface Source {
  /** Between polls that found no full batch. */
  readonly pollIntervalMs: number;
  /**
   * Connects, and goes on from a saved state. It may owe an acknowledgement from before:
   * the runtime calls `acknowledge` once before the first poll.
   *
   * @throws ConnectorError `init` | `invalid-state`; the signal's reason
   */
  open(state: string | undefined, signal: AbortSignal): Promise<void>;
  /** @throws ConnectorError `storage` | `connection` | `invalid-record`; the signal's reason */
  poll(signal: AbortSignal): Promise<SourceBatch>;
  /**
   * Called when the messages and the state of the last poll are safe: now records may be deleted
   * or marked. Gives the state without what was owed; undefined when nothing was.
   *
   * @throws UnsettledError when some cannot be, and its state is saved; ConnectorError `storage` |
   *   `connection`; the signal's reason
   */
  acknowledge(signal: AbortSignal): Promise<string | undefined>;
  /** Gives back what it holds; does not throw. */
  close(): Promise<void>;
}
