// A run of a connector as the runner starts it, with what it reports and ways to stop it.
import type { BatchNumbers } from '../../src/connectors/connector-counters.ts';
import type { ConnectorRun } from '../../src/connectors/connector-runner.ts';
import type { ConnectorLog } from '../../src/connectors/connector.ts';
import { IggyClient } from '../../src/connectors/iggy-client.ts';
import type { IggyClientOptions } from '../../src/connectors/iggy-client.ts';

/** A client of a server of the test, which gives up soon. */
export function createImpatientClient(
  address: string,
  own?: Partial<IggyClientOptions>,
): IggyClient {
  return new IggyClient({
    addresses: [address],
    credentials: { kind: 'password', username: 'iggy', password: 'iggy' },
    retry: { attemptsMax: 3, firstMs: 1, maxMs: 5, retryAfterMaxMs: 5 },
    ...own,
  });
}

export interface RecordedLog extends ConnectorLog {
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/** Keeps what it is told. */
export function createRecordedLog(): RecordedLog {
  const notes: string[] = [];
  const warnings: string[] = [];
  return {
    notes,
    warnings,
    note: (message) => {
      notes.push(message);
    },
    warn: (message) => {
      warnings.push(message);
    },
  };
}

export interface StartedRun {
  readonly batches: readonly BatchNumbers[];
  readonly reports: readonly string[];
  /** How it ended: `stopped`, or what it threw; undefined while it runs. */
  readonly outcome: unknown;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<unknown>;
  /** Ends it in good order; resolves when it has ended. */
  readonly stop: () => Promise<unknown>;
  /** Ends it at once. */
  readonly abort: () => Promise<unknown>;
}

/** Starts a run. Stopped, it resolves or throws the reason that it was stopped with. */
export function startRun(run: ConnectorRun): StartedRun {
  const stop = new AbortController();
  const abort = new AbortController();
  const batches: BatchNumbers[] = [];
  const reports: string[] = [];
  let outcome: unknown;
  const end = async (): Promise<unknown> => {
    try {
      await run(
        { stop: stop.signal, abort: abort.signal },
        {
          running: () => {
            reports.push('running');
          },
          progressed: () => {
            reports.push('progressed');
          },
          batch: (numbers) => {
            batches.push(numbers);
          },
        },
      );
      outcome = 'stopped';
    } catch (error) {
      const isStopped = error === stop.signal.reason || error === abort.signal.reason;
      outcome = isStopped ? 'stopped' : error;
    }
    return outcome;
  };
  const ended = end();
  return {
    batches,
    reports,
    get outcome() {
      return outcome;
    },
    ended,
    stop: async () => {
      stop.abort(new Error('stopped by the test'));
      return await ended;
    },
    abort: async () => {
      stop.abort(new Error('stopped by the test'));
      abort.abort(new Error('aborted by the test'));
      return await ended;
    },
  };
}
