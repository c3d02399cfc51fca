// Ending an operation of MongoDB that does not end: the driver's own timeoutMS does nothing.
import { MongoOperationTimeoutError } from 'mongodb';
import { linkSignals } from './linked-signal.ts';

/**
 * Gives the work a signal that also aborts when the time is over, as the driver's own time limits
 * would if they covered waiting for a lost connection.
 *
 * @throws MongoOperationTimeoutError when the time is over; the signal's reason
 */
export async function withinTime<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const linked = linkSignals([signal]);
  const timer = setTimeout(() => {
    linked.abort(new MongoOperationTimeoutError(`MongoDB has not answered in ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await work(linked.signal);
  } catch (error) {
    linked.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    linked.release();
  }
}
