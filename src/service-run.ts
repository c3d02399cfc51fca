// One run of a process: what it is built of is started, waited for, and stopped in good order.
import { performance } from 'node:perf_hooks';
import { openAudit } from './audit.ts';
import type { Config } from './config.ts';
import { startAll, startDeadline, stopAll } from './lifecycle.ts';
import type { Component } from './lifecycle.ts';
import { createLogger } from './logger.ts';
import type { LogSink } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { fanOut } from './observation.ts';
import type { Observer } from './observation.ts';
import { createOtelMetrics } from './otel-metrics.ts';
import type { Readiness } from './readiness.ts';
import { listenForStop } from './stop-signals.ts';

/** What is left after the sessions gets so long to close, however late the sessions were. */
const CLOSE_TIMEOUT_MS = 5000;

export interface ServiceOptions {
  readonly version: string;
}

export interface Observers {
  readonly observer: Observer;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** From now on this one is told as well, and the log's lines go there too. */
  attach(observer: Observer, logSink: LogSink): void;
  close(): Promise<void>;
}

export interface Parts {
  /** In the order of their start; HTTP comes first, so that it can say "not ready" to the end. */
  readonly components: readonly Component[];
  readonly readiness: Readiness;
  /** What must not outlive us, even if nobody waits for its end. */
  readonly outliving: readonly Component[];
}

/**
 * Runs the parts until a signal or a fault stops them.
 *
 * @returns the exit code: 0 after a stop in good order, 1 after a fault or a failed start
 */
export async function runParts(
  config: Config,
  { version }: ServiceOptions,
  buildParts: (observers: Observers) => Promise<Parts>,
): Promise<number> {
  const startedAtMs = performance.now();
  const observers = await openObservers(config, version);
  const { observer } = observers;
  const stop = listenForStop(observer);
  let exitCode: number;
  const parts = await buildParts(observers);
  try {
    for (const message of config.warnings) {
      observer.observe({ kind: 'risk-noticed', component: 'configuration', message });
    }
    await startAll(parts.components, stop.requested);
    const durationMs = performance.now() - startedAtMs;
    observer.observe({ kind: 'service-started', version, durationMs });
    exitCode = await stop.untilRequested();
  } catch (error) {
    exitCode = stop.requested.aborted ? 0 : 1;
    if (exitCode === 1) {
      observer.observe({ kind: 'start-failed', error });
    }
  }
  const stoppingAtMs = performance.now();
  parts.readiness.startDraining();
  stop.forced.addEventListener('abort', () => {
    // Nobody waits for the sessions any more.
    for (const component of parts.outliving) {
      void component.stop(stop.forced);
    }
  });
  const deadline = startDeadline(config.shutdownTimeoutMs, stop.forced);
  await stopAll(parts.components, {
    deadline: deadline.signal,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
    observer,
  });
  deadline.clear();
  observer.observe({ kind: 'service-stopped', durationMs: performance.now() - stoppingAtMs });
  stop.close();
  await observers.close();
  return exitCode;
}

async function openObservers(config: Config, version: string): Promise<Observers> {
  const logger = createLogger({ level: config.logLevel });
  const metrics = createMetrics({ version });
  const observers: Observer[] = [logger, metrics];
  const observer = fanOut(observers);
  if (config.isOtelMetricsEnabled) {
    observers.push(createOtelMetrics({ version }));
  }
  const { auditFile: file } = config;
  const report: Observer['observe'] = (loss) => {
    observer.observe(loss);
  };
  const audit = file === undefined ? undefined : await openAudit({ file, report });
  if (audit !== undefined) {
    observers.push(audit);
  }
  return {
    observer,
    metrics,
    attach: (one, logSink) => {
      observers.push(one);
      logger.attach(logSink);
    },
    close: async () => {
      await audit?.close(AbortSignal.timeout(CLOSE_TIMEOUT_MS));
      await logger.close();
    },
  };
}
