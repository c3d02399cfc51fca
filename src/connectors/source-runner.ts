// Runs a source. Of each batch: read it, send it, save where it ends and what it owes, acknowledge
// it, save that nothing is owed. Whatever stops it in between, nothing is acknowledged that is not
// stored by Iggy with its state on disk; what was sent without that is sent again, by the same ids.
import type { ConnectorStage } from '../observation.ts';
import { ConnectorError, UnsettledError } from './connector-error.ts';
import type { ConnectorRun, RunReport, RunSignals } from './connector-runner.ts';
import type { ConnectorLog, ProducedMessage, Source, SourceBatch } from './connector.ts';
import type { IggyClient } from './iggy-client.ts';
import { pause } from './retry.ts';
import type { SourceStream } from './runtime-config.ts';
import { StateStore } from './state-store.ts';
import type { StatePlace } from './state-store.ts';
import { findTopic } from './topics.ts';

/** How often the topic's partitions are looked at, in case there are others. */
const PARTITIONS_CHECK_MS = 10_000;

export interface SourceRunOptions {
  readonly client: IggyClient;
  readonly stream: SourceStream;
  readonly state: StatePlace;
  readonly log: ConnectorLog;
  /** Tests wait for less than ten seconds. */
  readonly partitionsCheckMs?: number;
}

/** A run of the source that `create` makes for it. */
export function createSourceRun(create: () => Source, options: SourceRunOptions): ConnectorRun {
  return async (signals, report) => {
    const store = await StateStore.open(options.state);
    try {
      const source = create();
      try {
        await new SourceProduction({ source, store, options, signals, report }).run();
      } finally {
        await source.close();
      }
    } finally {
      await store.close();
    }
  };
}

interface Opened {
  readonly source: Source;
  readonly store: StateStore;
  readonly options: SourceRunOptions;
  readonly signals: RunSignals;
  readonly report: RunReport;
}

/** What each stage of a batch took. */
type Durations = Map<ConnectorStage, number>;

class SourceProduction {
  readonly #opened: Opened;
  #partitionIds: readonly number[] = [];
  #lookedAtMs = 0;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  /** @throws what ended it; a signal's reason when it was stopped */
  async run(): Promise<never> {
    const { source, store, signals, report } = this.#opened;
    const state = await store.load();
    await source.open(state, signals.stop);
    // Found out later, a full disk would let the same be sent at each restart.
    await store.prove(state);
    await this.#acknowledge(new Map());
    await this.#findPartitions(signals.stop);
    report.running();
    for (;;) {
      signals.stop.throwIfAborted();
      const isFull = await this.#carryBatch();
      report.progressed();
      if (!isFull) {
        await pause(source.pollIntervalMs, signals.stop);
      }
    }
  }

  /** Whether the next one need not wait. */
  async #carryBatch(): Promise<boolean> {
    const { source, signals, report } = this.#opened;
    const durations: Durations = new Map();
    const startMs = performance.now();
    const poll = async (): Promise<SourceBatch> => await source.poll(signals.stop);
    const batch = await timed(durations, 'poll', poll);
    // What is not begun is read again by the next run.
    signals.stop.throwIfAborted();
    const { messages, state, isFull, skippedCount = 0 } = batch;
    if (state === undefined && messages.length > 0) {
      throw new Error('A source gave messages without a state');
    }
    if (state === undefined) {
      return isFull;
    }
    await this.#send(messages, durations);
    await this.#save(state, durations);
    await this.#acknowledge(durations);
    durations.set('total', performance.now() - startMs);
    const stages = [...durations].map(([stage, durationMs]) => ({ stage, durationMs }));
    const count = messages.length;
    report.batch({ produced: count, delivered: count, skipped: skippedCount, stages });
    return isFull;
  }

  async #save(state: string, durations: Durations): Promise<void> {
    const { store } = this.#opened;
    await timed(durations, 'state_save', async () => {
      await store.save(state);
    });
  }

  /** Only after what is owed is on disk. */
  async #acknowledge(durations: Durations): Promise<void> {
    const { source, signals } = this.#opened;
    try {
      const state = await source.acknowledge(signals.abort);
      if (state !== undefined) {
        await this.#save(state, durations);
      }
    } catch (error) {
      if (error instanceof UnsettledError) {
        await this.#save(error.state, durations);
      }
      throw error;
    }
  }

  async #send(messages: readonly ProducedMessage[], durations: Durations): Promise<void> {
    const { signals, report } = this.#opened;
    let storedCount = 0;
    const onStored = (count: number): void => {
      storedCount += count;
    };
    try {
      await timed(durations, 'iggy_send', async () => {
        await this.#sendToPartitions(messages, onStored);
      });
    } catch (error) {
      const errors = signals.abort.aborted ? 0 : 1;
      report.batch({ produced: messages.length, delivered: storedCount, errors }, error);
      throw error;
    }
  }

  /** One send after another: a server bounds the writes of a session that are under way. */
  async #sendToPartitions(
    messages: readonly ProducedMessage[],
    onStored: (count: number) => void,
  ): Promise<void> {
    if (messages.length === 0) {
      return;
    }
    const { options, signals } = this.#opened;
    const { stream, topic, batchLength } = options.stream;
    const parts = partsOf(messages, await this.#currentPartitions());
    for (const [partitionId, part] of parts) {
      for (let from = 0; from < part.length; from += batchLength) {
        const some = part.slice(from, from + batchLength);
        const partitioning = { kind: 'partition', partitionId } as const;
        let count = 0;
        const onPartStored = (messagesCount: number): void => {
          onStored(messagesCount - count);
          count = messagesCount;
        };
        const send = { stream, topic, partitioning, messages: some, onStored: onPartStored };
        await options.client.send(send, signals.abort);
      }
    }
  }

  async #currentPartitions(): Promise<readonly number[]> {
    const { options, signals } = this.#opened;
    const checkMs = options.partitionsCheckMs ?? PARTITIONS_CHECK_MS;
    if (performance.now() - this.#lookedAtMs >= checkMs) {
      await this.#findPartitions(signals.abort);
    }
    return this.#partitionIds;
  }

  async #findPartitions(signal: AbortSignal): Promise<void> {
    const { options } = this.#opened;
    const { stream, topic, isAutoCreated, partitionsCount } = options.stream;
    const making = isAutoCreated ? { autoCreatePartitionsCount: partitionsCount } : {};
    const found = await findTopic(options.client, { stream, topic, ...making }, signal);
    const ids = found.partitions.map(({ id }) => id);
    const before = this.#partitionIds.length;
    if (before > 0 && before !== ids.length) {
      options.log.note(
        `Topic "${topic}" of stream "${stream}" has ${ids.length} partitions now, not ${before}: ` +
          'records may go to another partition than their former versions',
      );
    }
    this.#partitionIds = ids;
    this.#lookedAtMs = performance.now();
  }
}

async function timed<T>(
  durations: Durations,
  stage: ConnectorStage,
  run: () => Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  const result = await run();
  durations.set(stage, (durations.get(stage) ?? 0) + performance.now() - startMs);
  return result;
}

/** The messages of each partition, in their order. */
function partsOf(
  messages: readonly ProducedMessage[],
  partitionIds: readonly number[],
): ReadonlyMap<number, readonly ProducedMessage[]> {
  const parts = new Map<number, ProducedMessage[]>();
  for (const message of messages) {
    const id = partitionIds[(message.partitionHash >>> 0) % partitionIds.length];
    if (id === undefined) {
      throw new ConnectorError('connection', 'The topic has no partitions: create some');
    }
    const part = parts.get(id);
    if (part === undefined) {
      parts.set(id, [message]);
    } else {
      part.push(message);
    }
  }
  return parts;
}
