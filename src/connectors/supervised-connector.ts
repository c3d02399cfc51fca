// One configured connector over its restarts: its runner, what it is shown as, what it has done.
import type { ConnectorStatus, ShownConnector } from '../connectors-control.ts';
import { startDeadline } from '../lifecycle.ts';
import type { Observer } from '../observation.ts';
import { CounterTotals } from './connector-counters.ts';
import { ConnectorRunner } from './connector-runner.ts';
import type { ConnectorRun, LastError } from './connector-runner.ts';
import type { ConnectorLog, ConnectorType } from './connector.ts';
import { IggyClient } from './iggy-client.ts';
import type { BackOff } from './retry.ts';
import type {
  ConnectorConfig,
  ConnectorsConfig,
  ReadySink,
  ReadySource,
} from './runtime-config.ts';
import { SinkAnchors } from './sink-anchor.ts';
import { createSinkRun } from './sink-runner.ts';
import { createSourceRun } from './source-runner.ts';

/** What a restart leaves the batch that is under way. */
const RESTART_GRACE_MS = 10_000;

export interface SupervisedConnectorOptions {
  readonly config: Pick<ConnectorsConfig, 'iggy' | 'statePath'>;
  readonly observer: Observer;
  readonly reload: (connector: ConnectorConfig) => ConnectorConfig;
  readonly restart?: BackOff;
}

/** A life of it: with a runner, or with the reason why it has none. */
type Life =
  | { readonly kind: 'run'; readonly runner: ConnectorRunner }
  | { readonly kind: 'refused'; readonly lastError: LastError }
  | { readonly kind: 'off' };

export class SupervisedConnector {
  readonly #options: SupervisedConnectorOptions;
  readonly #counters = new CounterTotals();
  /** Of a sink: what it has read last, whichever life of it has. */
  readonly #anchors = new SinkAnchors();
  #config: ConnectorConfig;
  #life: Life = { kind: 'off' };
  #isStopped = false;
  #restarting: Promise<void> | undefined;

  constructor(config: ConnectorConfig, options: SupervisedConnectorOptions) {
    this.#config = config;
    this.#options = options;
  }

  get type(): ConnectorType {
    return this.#config.type;
  }

  get key(): string {
    return this.#config.key;
  }

  get shown(): ShownConnector {
    const { type, key, name, isEnabled, shown } = this.#config;
    const { streams, pluginConfig } = shown;
    const counters = this.#counters.totals;
    const { status, lastError } = this.#state;
    return { type, key, name, isEnabled, status, lastError, streams, pluginConfig, counters };
  }

  get #state(): { status: ConnectorStatus; lastError: LastError | undefined } {
    const life = this.#life;
    switch (life.kind) {
      case 'run':
        return { status: life.runner.status, lastError: life.runner.lastError };
      case 'refused':
        return { status: 'error', lastError: life.lastError };
      case 'off':
        return { status: 'stopped', lastError: undefined };
    }
  }

  /** Begins, unless it is switched off or its configuration is wrong. */
  start(): void {
    const { isEnabled, problem, notes } = this.#config;
    const log = this.#createLog();
    for (const note of notes) {
      log.note(note);
    }
    if (!isEnabled) {
      this.#life = { kind: 'off' };
      this.#observeStatus('stopped');
    } else if (problem !== undefined) {
      this.#life = { kind: 'refused', lastError: { message: problem.message, at: new Date() } };
      this.#observeStatus('error', problem.message);
    } else {
      noteNumbers(this.#config, log);
      const runner = this.#createRunner(this.#config, log);
      this.#life = { kind: 'run', runner };
      runner.start();
    }
  }

  /** Resolves when it has stopped, for good. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopped = true;
    await this.#end(deadline);
  }

  /** Resolves when it has stopped and begins again, as it is configured now; does not throw. */
  async restart(): Promise<void> {
    this.#restarting ??= this.#restartOnce();
    await this.#restarting;
  }

  async #restartOnce(): Promise<void> {
    const deadline = startDeadline(RESTART_GRACE_MS, new AbortController().signal);
    try {
      await this.#end(deadline.signal);
    } finally {
      deadline.clear();
      this.#restarting = undefined;
    }
    if (!this.#isStopped) {
      this.#config = this.#options.reload(this.#config);
      this.start();
    }
  }

  async #end(deadline: AbortSignal): Promise<void> {
    const life = this.#life;
    if (life.kind === 'run') {
      await life.runner.stop(deadline);
    }
  }

  #createRunner(config: ReadySink | ReadySource, log: ConnectorLog): ConnectorRunner {
    const { observer, restart } = this.#options;
    return new ConnectorRunner({
      identity: config,
      run: createRun(config, this.#options.config, { log, anchors: this.#anchors }),
      observer,
      counters: this.#counters,
      ...(restart === undefined ? {} : { restart }),
    });
  }

  #createLog(): ConnectorLog {
    const { observer } = this.#options;
    const component = `${this.type} ${this.key}`;
    return {
      note: (message) => {
        observer.observe({ kind: 'component-reported', component, message });
      },
      warn: (message) => {
        observer.observe({ kind: 'risk-noticed', component, message });
      },
    };
  }

  #observeStatus(status: ConnectorStatus, message?: string): void {
    const { type, key, name } = this.#config;
    this.#options.observer.observe({ kind: 'connector-status', type, key, name, status, message });
  }
}

/** With a connection to Iggy for each run: what one leaves behind is not the next one's. */
function createRun(
  connector: ReadySink | ReadySource,
  { iggy, statePath }: Pick<ConnectorsConfig, 'iggy' | 'statePath'>,
  { log, anchors }: { log: ConnectorLog; anchors: SinkAnchors },
): ConnectorRun {
  return async (signals, report) => {
    const onRetry = (): void => {
      anchors.disturb();
      report.batch({ errors: 1 });
    };
    const client = new IggyClient({ ...iggy, onRetry });
    const run =
      connector.type === 'sink'
        ? sinkRun(connector, client, { log, anchors })
        : sourceRun(connector, client, { log, statePath });
    try {
      await run(signals, report);
    } finally {
      client.close();
    }
  };
}

function sinkRun(
  sink: ReadySink,
  client: IggyClient,
  { log, anchors }: { log: ConnectorLog; anchors: SinkAnchors },
): ConnectorRun {
  const { key, streams } = sink;
  const topics = streams.flatMap(({ stream, topics, consumerGroup, schema }) =>
    topics.map((topic) => ({ stream, topic, consumerGroup, schema })),
  );
  return createSinkRun((stop) => sink.create({ key, topics, log, stop }), {
    client,
    streams,
    log,
    anchors,
  });
}

/** Allowed, and even safer than a name, which Iggy hashes; but perhaps not what was meant. */
function noteNumbers(connector: ReadySink | ReadySource, log: ConnectorLog): void {
  const streams = connector.type === 'sink' ? connector.streams : [];
  for (const { consumerGroup } of streams.filter((one) => /^\+?\d+$/.test(one.consumerGroup))) {
    log.note(`Iggy takes consumer group "${consumerGroup}" for the consumer of that number`);
  }
}

function sourceRun(
  source: ReadySource,
  client: IggyClient,
  { log, statePath }: { log: ConnectorLog; statePath: string },
): ConnectorRun {
  const { key, stream } = source;
  const state = { directory: statePath, key };
  return createSourceRun(() => source.create({ key, log }), { client, stream, state, log });
}
