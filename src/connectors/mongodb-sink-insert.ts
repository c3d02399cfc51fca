// Inserts a chunk of documents, with retries for what may pass by itself.
import type { ConnectorLog } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import { linkSignals } from './linked-signal.ts';
import { shownFailure, toConnectorError } from './mongodb-failures.ts';
import { attemptInsert } from './mongodb-sink-attempt.ts';
import type { AttemptOptions, Fate } from './mongodb-sink-verdicts.ts';
import type { MessagePlace } from './mongodb-sink-document.ts';
import type { SinkEntry } from './mongodb-sink-replays.ts';
import { pause } from './retry.ts';

export interface ChunkOptions extends AttemptOptions {
  readonly log: ConnectorLog;
  /** Aborts when there is no time for retries any more. */
  readonly stop: AbortSignal;
  /** After the first attempt. */
  readonly retriesMax: number;
  readonly retryDelayMs: number;
}

export interface ChunkReport {
  readonly fates: ReadonlyMap<SinkEntry, Fate>;
  readonly retriesCount: number;
  /** Why some have no fate: nothing that the messages are the reason of. */
  readonly failure: ConnectorError | undefined;
}

/**
 * Inserts these documents. What a command without an answer has stored all the same is met by the
 * next attempt, and recognised.
 *
 * @throws the signal's reason
 */
export async function insertChunk(
  entries: readonly SinkEntry[],
  options: ChunkOptions,
  signal: AbortSignal,
): Promise<ChunkReport> {
  const fates = new Map<SinkEntry, Fate>();
  let pending = entries;
  for (let retriesCount = 0; ; retriesCount += 1) {
    const attempt = await attemptInsert(pending, options, signal);
    for (const [entry, fate] of attempt.fates) {
      // Met again after an attempt of our own without an answer, it is new all the same.
      fates.set(entry, fate.kind === 'replayed' && retriesCount > 0 ? { kind: 'stored' } : fate);
    }
    pending = attempt.again;
    if (attempt.failure !== undefined || pending.length === 0) {
      return { fates, retriesCount, failure: attempt.failure };
    }
    const failed = { pending, error: attempt.error, options };
    const isTriedAgain =
      retriesCount < options.retriesMax && (await pauseBefore(retriesCount + 1, failed, signal));
    if (!isTriedAgain) {
      return { fates, retriesCount, failure: exhausted(attempt.error, retriesCount + 1) };
    }
  }
}

interface Failed {
  readonly pending: readonly SinkEntry[];
  readonly error: unknown;
  readonly options: ChunkOptions;
}

/**
 * False when the sink is to end first.
 *
 * @throws the signal's reason
 */
async function pauseBefore(
  retry: number,
  { pending, error, options }: Failed,
  signal: AbortSignal,
): Promise<boolean> {
  const { retriesMax, retryDelayMs, place, log, stop } = options;
  const pauseMs = retryDelayMs * retry;
  log.warn(
    `${pending.length} messages from offset ${pending[0]?.message.offset ?? 0n} on of ` +
      `${shownPlace(place)} are not stored yet (${shownFailure(error)}): ` +
      `retry ${retry} of ${retriesMax} in ${pauseMs} ms`,
  );
  const either = linkSignals([signal, stop]);
  try {
    await pause(pauseMs, either.signal);
    return true;
  } catch (reason) {
    signal.throwIfAborted();
    if (stop.aborted) {
      return false;
    }
    throw reason;
  } finally {
    either.release();
  }
}

/** Names of Iggy, for logs and errors. */
export function shownPlace({ stream, topic, partitionId }: MessagePlace): string {
  return `stream "${stream}", topic "${topic}", partition ${partitionId}`;
}

/** It may pass by itself, and has not yet: the kind says that later is worth another try. */
function exhausted(error: unknown, attemptsCount: number): ConnectorError {
  const { message } = toConnectorError(error);
  return new ConnectorError('connection', `${message} (after ${attemptsCount} attempts)`);
}
