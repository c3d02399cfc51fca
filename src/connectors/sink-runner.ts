// Runs a sink: every partition of every topic, also those that are added, until it is stopped or
// one of them fails.
import { Budget } from './budget.ts';
import type { ConnectorRun, RunReport, RunSignals } from './connector-runner.ts';
import type { ConnectorLog, Sink } from './connector.ts';
import type { IggyClient } from './iggy-client.ts';
import { linkSignals } from './linked-signal.ts';
import type { LinkedSignal } from './linked-signal.ts';
import { pause } from './retry.ts';
import type { SinkStream } from './runtime-config.ts';
import { SinkAnchors, sightOf } from './sink-anchor.ts';
import type { TopicSight } from './sink-anchor.ts';
import { SinkPartition } from './sink-partition.ts';
import type { PartitionPlace, SinkShared } from './sink-partition.ts';
import { RESET_CHECK_MS } from './sink-position.ts';
import { checkDistinct, findTopic } from './topics.ts';
import type { FoundTopic } from './topics.ts';

/** How often partitions are looked for that were not there before. */
const DISCOVERY_MS = 10_000;

/** Under way at a time; more would only wait for the one processor that reads their answers. */
const POLLS_MAX = 4;
const CONSUMES_MAX = 4;

/**
 * Decoded payloads that are held, of all partitions together. It is passed by what polls that are
 * under way bring beyond what was expected of them.
 */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** The longest pause between polls that find nothing, unless `poll_interval` is longer. */
const IDLE_MAX_MS = 250;

/** Of all idle partitions together: a thousand of them are asked less often. */
const IDLE_POLLS_PER_SECOND = 200;

export interface SinkRunOptions {
  readonly client: IggyClient;
  readonly streams: readonly SinkStream[];
  readonly log: ConnectorLog;
  /** For all runs of the connector; for those of this one unless given. */
  readonly anchors?: SinkAnchors;
  /** Tests wait for less than ten seconds. */
  readonly discoveryMs?: number;
  readonly resetCheckMs?: number;
}

/** A run of the sink that `create` makes for it. */
export function createSinkRun(
  create: (stop: AbortSignal) => Sink,
  options: SinkRunOptions,
): ConnectorRun {
  const anchors = options.anchors ?? new SinkAnchors();
  return async (signals, report) => {
    const sink = create(signals.stop);
    try {
      const lease = await sink.open(signals.stop);
      await consumeWhile(lease, { sink, options, anchors, signals, report });
    } finally {
      await sink.close();
    }
  };
}

interface Opened {
  readonly sink: Sink;
  readonly options: SinkRunOptions;
  readonly anchors: SinkAnchors;
  readonly signals: RunSignals;
  readonly report: RunReport;
}

async function consumeWhile(lease: AbortSignal, opened: Opened): Promise<void> {
  const abort = linkSignals([opened.signals.abort, lease]);
  const stop = linkSignals([opened.signals.stop, abort.signal]);
  try {
    await new SinkConsumption(opened, stop, abort.signal).run();
    lease.throwIfAborted();
  } finally {
    stop.release();
    abort.release();
  }
}

interface SeenPartition {
  readonly name: string;
  readonly place: PartitionPlace;
  readonly sight: TopicSight;
}

/** All partitions of an opened sink. */
class SinkConsumption {
  readonly #options: SinkRunOptions;
  readonly #report: RunReport;
  readonly #stop: LinkedSignal;
  readonly #shared: SinkShared;
  readonly #running = new Map<string, Promise<void>>();
  /** Those that are open. */
  readonly #partitions = new Map<string, SinkPartition>();
  #failure: { readonly error: unknown } | undefined;

  constructor({ sink, options, anchors, report }: Opened, stop: LinkedSignal, abort: AbortSignal) {
    this.#options = options;
    this.#report = report;
    this.#stop = stop;
    this.#shared = {
      sink,
      report,
      client: options.client,
      log: options.log,
      anchors,
      polls: new Budget(POLLS_MAX),
      consumes: new Budget(CONSUMES_MAX),
      bytes: new Budget(HELD_BYTES_MAX),
      resetCheckMs: options.resetCheckMs ?? RESET_CHECK_MS,
      stop: stop.signal,
      abort,
      fail: (error) => {
        this.#fail(error);
      },
    };
  }

  /** @throws the first failure; nothing when it was stopped */
  async run(): Promise<void> {
    try {
      await this.#startPartitions();
      this.#report.running();
      for (;;) {
        await pause(this.#options.discoveryMs ?? DISCOVERY_MS, this.#stop.signal);
        await this.#startPartitions();
      }
    } catch (error) {
      this.#fail(error);
    }
    await Promise.all(this.#running.values());
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  /** The first one counts; being stopped is none. */
  #fail(error: unknown): void {
    const { stop, abort } = this.#shared;
    const isStopped = [stop, abort].some((signal) => signal.aborted && error === signal.reason);
    if (!isStopped) {
      this.#failure ??= { error };
    }
    this.#stop.abort(error);
  }

  async #startPartitions(): Promise<void> {
    const { client, stop } = this.#shared;
    const found: (FoundTopic & { readonly config: SinkStream })[] = [];
    for (const config of this.#options.streams) {
      const { stream } = config;
      for (const topic of config.topics) {
        const details = await findTopic(client, { stream, topic }, stop);
        found.push({ stream, topic, details, config });
      }
    }
    await checkDistinct(client, found, stop);
    for (const one of found) {
      this.#startTopic(one, one.config);
    }
  }

  /** Its new partitions begin; the others learn what it looks like now. */
  #startTopic({ stream, topic, details }: FoundTopic, config: SinkStream): void {
    for (const { id } of details.partitions) {
      const place = { stream, topic, partitionId: id, consumer: config.consumerGroup };
      const name = JSON.stringify(place);
      const sight = sightOf(details, id);
      this.#partitions.get(name)?.look(sight);
      if (!this.#running.has(name)) {
        this.#running.set(name, this.#runPartition({ name, place, sight }, config));
      }
    }
  }

  async #runPartition({ name, place, sight }: SeenPartition, config: SinkStream): Promise<void> {
    const { batchLength, pollIntervalMs } = config;
    const idleMaxMs = (): number => {
      const shareMs = (this.#running.size * 1000) / IDLE_POLLS_PER_SECOND;
      return Math.max(pollIntervalMs, IDLE_MAX_MS, shareMs);
    };
    try {
      const options = { place, sight, batchLength, pollIntervalMs, idleMaxMs };
      const partition = await SinkPartition.open(options, this.#shared);
      this.#partitions.set(name, partition);
      await partition.run();
    } catch (error) {
      this.#fail(error);
    }
  }
}
