// What follows from the outcome of each message: how far the batch is settled, and what is done
// with messages that were rejected. Only a message's own fault goes to the policy: with a database
// that is away, or refuses everybody, the sink stops whatever the policy is, since it would give up
// every message there is.
import type { ConnectorLog, ConsumedBatch, ConsumeOutcome } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import type { Fate } from './mongodb-sink-verdicts.ts';
import type { Rejected } from './mongodb-sink-dead-letters.ts';
import { shownPlace } from './mongodb-sink-insert.ts';
import type { MongodbSinkConfig } from './mongodb-sink-config.ts';

/** The outcome of a batch's insert. */
export interface Tried {
  /** By the messages' order; undefined where none is known. */
  readonly fates: readonly (Fate | undefined)[];
  readonly retriesCount: number;
  /** The reason of those without a fate. */
  readonly failure: ConnectorError | undefined;
}

export interface PolicyOptions {
  readonly onFailure: MongodbSinkConfig['on_failure'];
  readonly log: ConnectorLog;
  /** @throws ConnectorError; the signal's reason */
  storeDeadLetters(rejected: readonly Rejected[]): Promise<void>;
}

/**
 * Settles the batch up to the first message that stops it.
 *
 * @throws the signal's reason
 */
export async function settle(
  batch: ConsumedBatch,
  tried: Tried,
  options: PolicyOptions,
): Promise<ConsumeOutcome> {
  const { onFailure } = options;
  const rejected = rejectedOf(batch, tried.fates);
  const untried = tried.fates.indexOf(undefined);
  // Behind a message that comes again, all come again.
  const settledMax = untried === -1 ? tried.fates.length : untried;
  const due = rejected.filter(({ index }) => index < settledMax);
  const counts = countsOf(tried, rejected);
  const [first] = due;
  if (first === undefined) {
    return { ...counts, settledCount: settledMax, failure: tried.failure };
  }
  if (onFailure === 'halt') {
    return { ...counts, settledCount: first.index, failure: haltedBy(first, batch) };
  }
  if (onFailure === 'skip') {
    due.forEach((one) => options.log.warn(`Skipped: ${shownRejected(one, batch)}`));
    return {
      ...counts,
      settledCount: settledMax,
      skippedCount: due.length,
      failure: tried.failure,
    };
  }
  try {
    await options.storeDeadLetters(due);
  } catch (error) {
    if (!(error instanceof ConnectorError)) {
      throw error;
    }
    return { ...counts, settledCount: first.index, failure: error };
  }
  options.log.warn(`${due.length} dead letters; the first: ${shownRejected(first, batch)}`);
  return {
    ...counts,
    settledCount: settledMax,
    deadLetteredCount: due.length,
    failure: tried.failure,
  };
}

interface IndexedRejection extends Rejected {
  readonly index: number;
}

function rejectedOf(
  batch: ConsumedBatch,
  fates: readonly (Fate | undefined)[],
): readonly IndexedRejection[] {
  return batch.messages.flatMap((message, index) => {
    const fate = fates[index];
    return fate?.kind === 'rejected' ? [{ index, message, reason: fate.reason }] : [];
  });
}

function countsOf(
  { fates, retriesCount }: Tried,
  rejected: readonly IndexedRejection[],
): Omit<ConsumeOutcome, 'settledCount' | 'failure'> {
  const count = (kind: Fate['kind']): number => fates.filter((fate) => fate?.kind === kind).length;
  return {
    storedCount: count('stored'),
    replayedCount: count('replayed'),
    deadLetteredCount: 0,
    skippedCount: 0,
    errorsCount: retriesCount + rejected.length,
  };
}

function haltedBy(rejection: Rejected, batch: ConsumedBatch): ConnectorError {
  return new ConnectorError(
    'invalid-record',
    `${shownRejected(rejection, batch)}. Mend what keeps it out, or set on_failure to ` +
      '"dead_letter" or "skip"',
  );
}

function shownRejected({ message, reason }: Rejected, batch: ConsumedBatch): string {
  return `the message at offset ${message.offset} of ${shownPlace(batch)} is not stored: ${reason}`;
}
