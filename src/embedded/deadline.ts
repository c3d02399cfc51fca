/** Whether the promise settles before the signal aborts; its rejection is passed on. */
export async function settlesBefore(
  promise: Promise<unknown>,
  signal: AbortSignal,
): Promise<boolean> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<false>((resolve) => {
    onAbort = () => {
      resolve(false);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  if (signal.aborted) {
    onAbort();
  }
  try {
    return await Promise.race([promise.then(() => true), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Whether the promise settles within that time. */
export async function settlesWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    timeout.abort();
  }, timeoutMs);
  try {
    return await settlesBefore(promise, timeout.signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does work that must stop at a signal or at a deadline: it is given one signal for both, whose
 * reason after `timeoutMs` is `lateError`.
 */
export async function withDeadline<Result>(
  signal: AbortSignal,
  timeoutMs: number,
  lateError: Error,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const both = new AbortController();
  const onAbort = (): void => {
    both.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    both.abort(lateError);
  }, timeoutMs);
  try {
    return await work(both.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
