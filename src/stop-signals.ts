// What ends the process: signals, and faults that nobody caught.
import { performance } from 'node:perf_hooks';
import type { Observer } from './observation.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ctrl+C under npm arrives twice, from the terminal and from npm, within a millisecond: so soon
 * behind the first, a SIGINT is the same keystroke.
 */
const KEYSTROKE_MS = 50;

/** Exit code after a second signal: the stop in good order was not waited for. */
const EXIT_FORCED = 1;

/** After a second signal, what can be closed at once gets so long. */
const FORCED_EXIT_MS = 1000;

export interface StopSignals {
  /** Aborted at the first signal, or at a fault. */
  readonly requested: AbortSignal;
  /** Aborted at the second. */
  readonly forced: AbortSignal;
  /** Resolves with the exit code that the reason of the stop asks for. */
  untilRequested(): Promise<number>;
  /** Gives the signals back to node. */
  close(): void;
}

/**
 * Listens for SIGTERM and SIGINT. A second one ends the process at once, with a moment for the
 * database that it brought along. A fault nobody caught stops the service too: its state is
 * unknown, and whoever runs it starts another.
 */
export function listenForStop(observer: Observer): StopSignals {
  const requested = new AbortController();
  const forced = new AbortController();
  let exitCode = 0;
  let requestedAtMs = 0;
  const request = (reason: string): void => {
    if (requested.signal.aborted) {
      if (reason === 'SIGINT' && performance.now() - requestedAtMs < KEYSTROKE_MS) {
        return;
      }
      forced.abort(new Error(reason));
      setTimeout(() => process.exit(EXIT_FORCED), FORCED_EXIT_MS).unref();
      return;
    }
    requestedAtMs = performance.now();
    observer.observe({ kind: 'service-stopping', reason });
    requested.abort(new Error(reason));
  };
  const fail = (error: unknown): void => {
    exitCode = 1;
    observer.observe({ kind: 'fault', component: 'process', error });
    if (!requested.signal.aborted) {
      request('uncaught fault');
    }
  };
  for (const signal of SIGNALS) {
    process.on(signal, request);
  }
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return {
    requested: requested.signal,
    forced: forced.signal,
    untilRequested: async () => {
      if (!requested.signal.aborted) {
        await new Promise<void>((resolve) => {
          requested.signal.addEventListener('abort', () => {
            resolve();
          });
        });
      }
      return exitCode;
    },
    close: () => {
      for (const signal of SIGNALS) {
        process.off(signal, request);
      }
      process.off('uncaughtException', fail);
      process.off('unhandledRejection', fail);
    },
  };
}
