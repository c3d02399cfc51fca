import { Router } from 'express';
import { isReady } from '../src/readiness.ts';
import { serveMethods } from './serve-methods.ts';
import type { Readiness, ReadinessReport } from '../src/readiness.ts';

export interface OperationsDependencies {
  readonly version: string;
  readonly readiness: Readiness;
  /** Undefined where they are not served. */
  readonly metrics: MetricsText | undefined;
}

interface MetricsText {
  render(): Promise<string>;
  readonly contentType: string;
}

/**
 * What an orchestrator and a monitoring system ask. Anybody who reaches the port may, so answers
 * name listeners and backends by their labels and failures by their codes; hosts, users and error
 * texts stay in the log.
 */
export function createOperations({ version, readiness, metrics }: OperationsDependencies): Router {
  const router = Router();
  // A process that answers is alive: a restart does not bring a database back.
  serveMethods(router, '/livez', {
    get: (_request, response) => {
      response.json({ status: 'ok' });
    },
  });
  serveMethods(router, '/readyz', {
    get: async (_request, response) => {
      const report = await readiness.report();
      response.status(toStatus(report)).json(describeReadiness(report));
    },
  });
  serveMethods(router, '/health', {
    get: async (_request, response) => {
      const report = await readiness.report();
      response.status(toStatus(report)).json(describeHealth(report, version));
    },
  });
  if (metrics !== undefined) {
    serveMetrics(router, readiness, metrics);
  }
  return router;
}

function serveMetrics(router: Router, readiness: Readiness, metrics: MetricsText): void {
  serveMethods(router, '/metrics', {
    get: async (_request, response) => {
      // The probes observe their outcome, which makes gatepost_backend_up as fresh as /readyz.
      await readiness.report();
      response.set('Content-Type', metrics.contentType).send(await metrics.render());
    },
  });
}

function toStatus(report: ReadinessReport): 200 | 503 {
  return isReady(report) ? 200 : 503;
}

function describeReadiness(report: ReadinessReport): object {
  return isReady(report)
    ? { status: 'ready' }
    : { status: 'unready', reasons: [...listReasons(report)] };
}

function* listReasons({ isDraining, listeners, backends }: ReadinessReport): Generator<string> {
  if (isDraining) {
    yield 'Gatepost is shutting down';
  }
  for (const { listener, isBound } of listeners) {
    if (!isBound) {
      yield `Listener ${listener} is not bound`;
    }
  }
  for (const { backend, isRequired, isUp, failure } of backends) {
    if (isRequired && !isUp) {
      yield `Backend ${backend} does not answer (${failure ?? 'unknown'})`;
    }
  }
}

function describeHealth(report: ReadinessReport, version: string): object {
  return {
    status: isReady(report) ? 'ready' : 'unready',
    version,
    uptimeSeconds: Math.floor(process.uptime()),
    isDraining: report.isDraining,
    listeners: report.listeners,
    backends: report.backends.map((backend) => ({
      ...backend,
      latencyMs: Math.round(backend.latencyMs * 10) / 10,
      failure: backend.failure ?? null,
    })),
  };
}
