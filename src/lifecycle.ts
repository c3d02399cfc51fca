import type { Observer } from './observation.ts';

/** A part with a life. */
export interface Component {
  readonly name: string;
  /** Resolves when the part works; a rejection stops the start. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when nothing of it is left, also where it was never started. When the signal aborts,
   * the deadline has passed and what is still running is to be ended at once.
   */
  stop(deadline: AbortSignal): Promise<void>;
}

/**
 * Starts the components one after another, in their order.
 *
 * @throws what a component's start throws, or the reason of the signal; those already started
 *   are left to `stopAll`
 */
export async function startAll(
  components: readonly Component[],
  signal: AbortSignal,
): Promise<void> {
  for (const component of components) {
    signal.throwIfAborted();
    await component.start(signal);
  }
  signal.throwIfAborted();
}

export interface StopOptions {
  /** Aborts when what still runs is to be ended at once. */
  readonly deadline: AbortSignal;
  /** A component whose turn comes after the deadline still gets so long to close. */
  readonly closeTimeoutMs: number;
  readonly observer: Observer;
}

/** Stops the components in reverse; one that fails is observed and does not keep the others up. */
export async function stopAll(
  components: readonly Component[],
  { deadline, closeTimeoutMs, observer }: StopOptions,
): Promise<void> {
  for (const component of components.toReversed()) {
    const signal = deadline.aborted ? AbortSignal.timeout(closeTimeoutMs) : deadline;
    try {
      await component.stop(signal);
    } catch (error) {
      observer.observe({ kind: 'fault', component: component.name, error });
    }
  }
}

/** Several components as one: started in their order, stopped all at once. */
export function group(name: string, components: readonly Component[]): Component {
  return {
    name,
    start: async (signal) => {
      await startAll(components, signal);
    },
    stop: async (deadline) => {
      await Promise.all(components.map(async (component) => await component.stop(deadline)));
    },
  };
}

/**
 * A timer and an abort as one signal. Node's AbortSignal.any holds what it is made of only weakly:
 * a timeout that nothing else holds is collected, and never comes.
 */
export function startDeadline(
  timeoutMs: number,
  forced: AbortSignal,
): { readonly signal: AbortSignal; clear(): void } {
  const ended = new AbortController();
  const end = (): void => {
    ended.abort();
  };
  const timer = setTimeout(end, timeoutMs);
  forced.addEventListener('abort', end, { once: true });
  if (forced.aborted) {
    end();
  }
  return {
    signal: ended.signal,
    clear: () => {
      clearTimeout(timer);
    },
  };
}
