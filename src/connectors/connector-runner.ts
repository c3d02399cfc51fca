// One connector's life: run, and run again when what stopped it passes by itself.
import type { ConnectorStatus } from '../connectors-control.ts';
import type { Observer } from '../observation.ts';
import { toBatch } from './connector-counters.ts';
import type { BatchNumbers, CounterTotals } from './connector-counters.ts';
import type { ConnectorType } from './connector.ts';
import { linkSignals } from './linked-signal.ts';
import { backOffMs, pause } from './retry.ts';
import type { BackOff } from './retry.ts';
import { restartsByItself, toRunFailure } from './run-failure.ts';

/** Between two runs of a connector that restarts by itself. */
const RESTART: BackOff = { firstMs: 1000, maxMs: 60_000 };

/** A run that held so long was a good one: the next failure counts as the first. */
const STEADY_MS = 60_000;

/** What still runs so long after the deadline is left to itself, and said. */
const ABANDON_MS = 2000;

export interface RunSignals {
  /** Begin nothing more; what is under way is brought to its end. */
  readonly stop: AbortSignal;
  /** End at once. */
  readonly abort: AbortSignal;
}

/** What a run tells of itself. */
export interface RunReport {
  /** Connected, and at work. */
  running(): void;
  /** Work went well: what was wrong before is over. */
  progressed(): void;
  /** @param counted a failure whose errors are in the numbers, so that it is not counted again */
  batch(numbers: BatchNumbers, counted?: unknown): void;
}

/**
 * From opening to closing. Resolves when it was stopped and nothing of it is left; rejects with
 * what ended it.
 */
export type ConnectorRun = (signals: RunSignals, report: RunReport) => Promise<void>;

export interface ConnectorIdentity {
  readonly type: ConnectorType;
  readonly key: string;
  readonly name: string;
}

export interface ConnectorRunnerOptions {
  readonly identity: ConnectorIdentity;
  readonly run: ConnectorRun;
  readonly observer: Observer;
  readonly counters: CounterTotals;
  /** Tests wait for less than a second. */
  readonly restart?: BackOff;
}

export interface LastError {
  readonly message: string;
  readonly at: Date;
}

/** Runs one connector until it is stopped; started once. */
export class ConnectorRunner {
  readonly #options: ConnectorRunnerOptions;
  readonly #stop = new AbortController();
  readonly #abort = new AbortController();
  #life: Promise<void> = Promise.resolve();
  #status: ConnectorStatus = 'stopped';
  #lastError: LastError | undefined;
  #counted: unknown;

  constructor(options: ConnectorRunnerOptions) {
    this.#options = options;
  }

  get status(): ConnectorStatus {
    return this.#status;
  }

  /** Why it stopped or waited last, until it works again. */
  get lastError(): LastError | undefined {
    return this.#lastError;
  }

  /** Begins; whatever goes wrong shows in the status. */
  start(): void {
    this.#enter('starting');
    this.#life = this.#live();
  }

  /** Resolves when it has stopped, and soon after the deadline in any case. */
  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#status === 'stopped') {
      return;
    }
    this.#enter('stopping');
    this.#stop.abort(new Error('The connector is stopped'));
    if (!(await this.#hasEndedBy(deadline))) {
      this.#warn('It did not end in time and was left to itself: some of it may be done again');
    }
    this.#enter('stopped');
  }

  async #hasEndedBy(deadline: AbortSignal): Promise<boolean> {
    const forced = linkSignals([deadline]);
    let timer: NodeJS.Timeout | undefined;
    const abandoned = new Promise<boolean>((resolve) => {
      const end = (): void => {
        this.#abort.abort(new Error('The connector is ended at once'));
        timer = setTimeout(resolve, ABANDON_MS, false);
      };
      if (forced.signal.aborted) {
        end();
      }
      forced.signal.addEventListener('abort', end, { once: true });
    });
    try {
      return await Promise.race([this.#life.then(() => true), abandoned]);
    } finally {
      forced.release();
      clearTimeout(timer);
    }
  }

  async #live(): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      const startedAtMs = performance.now();
      const error = await this.#runOnce();
      if (this.#stop.signal.aborted) {
        this.#noteLast(error);
        return;
      }
      failures = performance.now() - startedAtMs >= STEADY_MS ? 1 : failures;
      if (!this.#fail(error) || !(await this.#isPauseOver(failures))) {
        return;
      }
      this.#enter('starting');
    }
  }

  /** What ended it; undefined for our own signals. */
  async #runOnce(): Promise<unknown> {
    const signals = { stop: this.#stop.signal, abort: this.#abort.signal };
    try {
      await this.#options.run(signals, this.#createReport());
    } catch (error) {
      return error === signals.stop.reason || error === signals.abort.reason ? undefined : error;
    }
    return undefined;
  }

  #createReport(): RunReport {
    return {
      running: () => {
        this.#enterRunning();
      },
      progressed: () => {
        this.#lastError = undefined;
      },
      batch: (numbers, counted) => {
        this.#counted = counted ?? this.#counted;
        this.#count(numbers);
      },
    };
  }

  /** A run that was left to itself may still report. */
  #enterRunning(): void {
    if (!this.#stop.signal.aborted) {
      this.#enter('running');
    }
  }

  /** A failure on the way out changes nothing, and somebody should know of it. */
  #noteLast(error: unknown): void {
    if (error !== undefined) {
      this.#warn(`While it stopped: ${toRunFailure(error)?.message ?? 'a fault of Gatepost'}`);
    }
  }

  /** Whether it is to run again. */
  #fail(error: unknown): boolean {
    const { type, key } = this.#options.identity;
    const failure = toRunFailure(error);
    if (error !== this.#counted) {
      this.#count({ errors: 1 });
    }
    if (failure === undefined) {
      this.#options.observer.observe({ kind: 'fault', component: `${type} ${key}`, error });
    }
    const message = failure?.message ?? 'Stopped by a fault of Gatepost: see its log, then restart';
    this.#lastError = { message, at: new Date() };
    this.#enter('error', message);
    return failure !== undefined && restartsByItself(failure.kind);
  }

  /** False when it was stopped meanwhile. */
  async #isPauseOver(failures: number): Promise<boolean> {
    const pauseMs = backOffMs(failures, this.#options.restart ?? RESTART);
    try {
      await pause(pauseMs, this.#stop.signal);
      return true;
    } catch {
      return false;
    }
  }

  #count(numbers: BatchNumbers): void {
    const batch = toBatch(this.#options.identity, numbers);
    this.#options.counters.add(batch);
    this.#options.observer.observe(batch);
  }

  #enter(status: ConnectorStatus, message?: string): void {
    if (status === this.#status) {
      return;
    }
    this.#status = status;
    const { type, key, name } = this.#options.identity;
    this.#options.observer.observe({ kind: 'connector-status', type, key, name, status, message });
  }

  #warn(message: string): void {
    const { type, key } = this.#options.identity;
    this.#options.observer.observe({ kind: 'risk-noticed', component: `${type} ${key}`, message });
  }
}
