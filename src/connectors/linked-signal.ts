// A signal that follows others. Unlike AbortSignal.any it holds them, and lets go when told.
import { setMaxListeners } from 'node:events';

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Aborts it alone; those it follows stay as they are. */
  abort(reason: unknown): void;
  /** Follows nobody any more. */
  release(): void;
}

/** Aborts with the reason of the first of the others that does. The caller releases it. */
export function linkSignals(others: readonly AbortSignal[]): LinkedSignal {
  const own = new AbortController();
  // Every partition listens; Node would take eleven for a leak.
  setMaxListeners(0, own.signal);
  const follow = (event: Event): void => {
    own.abort(event.target instanceof AbortSignal ? event.target.reason : undefined);
  };
  for (const other of others) {
    other.addEventListener('abort', follow, { once: true });
    if (other.aborted) {
      own.abort(other.reason);
    }
  }
  return {
    signal: own.signal,
    abort: (reason) => {
      own.abort(reason);
    },
    release: () => {
      for (const other of others) {
        other.removeEventListener('abort', follow);
      }
    },
  };
}
