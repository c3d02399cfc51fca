import { performance } from 'node:perf_hooks';
import { toErrorCode } from './error-code.ts';
import { ServiceError } from './errors.ts';
import type { Observer } from './observation.ts';

/** How long an answer stands: however often the endpoints are asked, a backend is not. */
export const PROBE_CACHE_MS = 2000;

/** Kubernetes gives a probe one second by default; a later answer is of no use to it. */
export const PROBE_TIMEOUT_MS = 1000;

/** What a driver or PostgreSQL uses as a code; anything else could be text of any kind. */
const FAILURE_CODE = /^[0-9A-Z_]{2,40}$/;

/** Asks one backend whether it works, over a connection of its own. */
export interface Probe {
  readonly backend: string;
  /** Whether the service is unready without it. */
  readonly isRequired: boolean;
  /** Rejects when the backend is down; settles soon after the signal aborts. */
  probe(signal: AbortSignal): Promise<void>;
}

export interface BackendReport {
  readonly backend: string;
  readonly isRequired: boolean;
  readonly isUp: boolean;
  /** How long the last probe took. */
  readonly latencyMs: number;
  /** SQLSTATE or driver code, `timeout` or `unknown`; never an error's text. */
  readonly failure: string | undefined;
}

export interface ReadinessReport {
  readonly isDraining: boolean;
  readonly listeners: readonly { readonly listener: string; readonly isBound: boolean }[];
  readonly backends: readonly BackendReport[];
}

interface ReadinessOptions {
  readonly observer: Observer;
  readonly probes: readonly Probe[];
  /** Listeners that are to be bound; each is unbound until it is said otherwise. */
  readonly listeners?: readonly string[];
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number;
}

export interface Readiness {
  setListening(listener: string, isBound: boolean): void;
  /** From here on the service is unready, whatever else is true. */
  startDraining(): void;
  /** Takes PROBE_TIMEOUT_MS at most; never rejects. */
  report(): Promise<ReadinessReport>;
}

/** Whether new clients are to be sent here. */
export function isReady({ isDraining, listeners, backends }: ReadinessReport): boolean {
  return (
    !isDraining &&
    listeners.every(({ isBound }) => isBound) &&
    backends.every(({ isRequired, isUp }) => isUp || !isRequired)
  );
}

/** Keeps what readiness depends on, and probes backends when a report is asked for. */
export function createReadiness({
  observer,
  probes,
  listeners = [],
  now = () => performance.now(),
}: ReadinessOptions): Readiness {
  const bound = new Map(listeners.map((listener) => [listener, false]));
  const caches = probes.map((probe) => new ProbeCache(probe, observer, now));
  let isDraining = false;
  return {
    setListening(listener, isBound) {
      bound.set(listener, isBound);
    },
    startDraining() {
      isDraining = true;
    },
    async report() {
      const backends = await Promise.all(caches.map(async (cache) => await cache.report()));
      // Read after the wait: a drain that began meanwhile counts.
      return {
        isDraining,
        listeners: [...bound].map(([listener, isBound]) => ({ listener, isBound })),
        backends,
      };
    },
  };
}

/** One backend's last answer, and the one probe that is under way. */
class ProbeCache {
  readonly #probe: Probe;
  readonly #observer: Observer;
  readonly #now: () => number;
  #last: { readonly report: BackendReport; readonly finishedAtMs: number } | undefined;
  #asking: Promise<BackendReport> | undefined;
  /** Still true when a probe outlives its timeout; no second one is started beside it. */
  #isProbing = false;

  constructor(probe: Probe, observer: Observer, now: () => number) {
    this.#probe = probe;
    this.#observer = observer;
    this.#now = now;
  }

  async report(): Promise<BackendReport> {
    if (this.#last !== undefined && this.#now() - this.#last.finishedAtMs < PROBE_CACHE_MS) {
      return this.#last.report;
    }
    // Cleared here and not in #ask, which may be done before its promise is kept.
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return await this.#asking;
  }

  async #ask(): Promise<BackendReport> {
    const startedAtMs = this.#now();
    const failure = this.#isProbing ? 'timeout' : await this.#findFailure();
    const finishedAtMs = this.#now();
    const { backend, isRequired } = this.#probe;
    const isUp = failure === undefined;
    const latencyMs = finishedAtMs - startedAtMs;
    const report = { backend, isRequired, isUp, latencyMs, failure };
    this.#last = { report, finishedAtMs };
    this.#observer.observe({
      kind: 'backend-probed',
      backend,
      isUp,
      durationMs: latencyMs,
      failure,
    });
    return report;
  }

  async #findFailure(): Promise<string | undefined> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), PROBE_TIMEOUT_MS);
    const timedOut = new Promise<string>((resolve) => {
      timeout.signal.addEventListener('abort', () => resolve('timeout'), { once: true });
    });
    try {
      return await Promise.race([this.#runProbe(timeout.signal), timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #runProbe(signal: AbortSignal): Promise<string | undefined> {
    this.#isProbing = true;
    try {
      await this.#probe.probe(signal);
      return undefined;
    } catch (error) {
      return toFailure(error);
    } finally {
      this.#isProbing = false;
    }
  }
}

function toFailure(error: unknown): string {
  if (error instanceof ServiceError) {
    return error.sqlState;
  }
  const code = toErrorCode(error);
  return code !== undefined && FAILURE_CODE.test(code) ? code : 'unknown';
}
