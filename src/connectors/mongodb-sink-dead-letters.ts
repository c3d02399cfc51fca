// Messages that cannot be stored, kept as they came: bytes, place and reason.
import { createHash } from 'node:crypto';
import { MongoBulkWriteError } from 'mongodb';
import type { Collection } from 'mongodb';
import type { ConnectorLog } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import type { PolledMessage } from './iggy-messages.ts';
import { DUPLICATE_KEY_CODE, isTransient, toConnectorError } from './mongodb-failures.ts';
import { createDocument } from './mongodb-sink-document.ts';
import type { MessagePlace, SinkDocument } from './mongodb-sink-document.ts';
import { retry } from './retry.ts';
import { untilAborted } from '../until-aborted.ts';

/** A message that was rejected. */
export interface Rejected {
  readonly message: PolledMessage;
  readonly reason: string;
}

export interface DeadLetterOptions {
  readonly collection: Collection<SinkDocument>;
  readonly place: MessagePlace;
  readonly log: ConnectorLog;
  readonly retriesMax: number;
  readonly retryDelayMs: number;
}

/** Of a payload; MongoDB's limit for all of a document is 16 MiB. */
export const LETTER_PAYLOAD_BYTES_MAX = 15_000_000;

/** Everything about a message, whatever the sink stores of others. */
const WHOLE = {
  id_strategy: 'composite',
  include_metadata: true,
  include_checksum: true,
  include_origin_timestamp: true,
  include_headers: true,
  payload_format: 'binary',
} as const;

/**
 * Stores these messages durably, or not all of them: then none counts as kept.
 *
 * @throws ConnectorError `storage` | `connection`; the signal's reason
 */
export async function storeDeadLetters(
  rejected: readonly Rejected[],
  options: DeadLetterOptions,
  signal: AbortSignal,
): Promise<void> {
  const { place, collection, retriesMax, retryDelayMs, log } = options;
  try {
    const letters = rejected.map((one) => createDeadLetter(one, place));
    await retry(
      async () => {
        await untilAborted(insertLetters(collection, letters), signal);
      },
      {
        attemptsMax: retriesMax + 1,
        signal,
        isTransient,
        pauseMs: (attempt) => retryDelayMs * attempt,
        onRetry: (attempt) => {
          log.warn(`Dead letters are not stored yet: retry ${attempt} of ${retriesMax}`);
        },
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    const { message } = toConnectorError(error);
    throw new ConnectorError(
      isTransient(error) ? 'connection' : 'storage',
      `The dead letters of ${rejected.length} messages cannot be stored: ${message}`,
    );
  }
}

async function insertLetters(
  collection: Collection<SinkDocument>,
  letters: readonly SinkDocument[],
): Promise<void> {
  try {
    await collection.insertMany(letters, { ordered: false });
  } catch (error) {
    if (!isReplay(error)) {
      throw error;
    }
  }
}

/** The id says which message it is, so that one that is there already is the same. */
function isReplay(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) {
    return false;
  }
  const writeErrors = [error.writeErrors].flat();
  return (
    writeErrors.length > 0 &&
    writeErrors.every(({ code }) => code === DUPLICATE_KEY_CODE) &&
    error.result.getWriteConcernError() === undefined
  );
}

/** A letter that MongoDB takes, whatever the message is. */
export function createDeadLetter({ message, reason }: Rejected, place: MessagePlace): SinkDocument {
  const { payload, unreadHeaders } = message;
  const kept = {
    ...message,
    payload: payload.subarray(0, LETTER_PAYLOAD_BYTES_MAX),
    unreadHeaders: undefined,
  };
  return {
    ...createDocument(kept, place, { config: WHOLE, schema: undefined }),
    _id: deadLetterId(message, place),
    ...(unreadHeaders === undefined ? {} : { iggy_headers_raw: unreadHeaders.bytes }),
    ...(payload.length > LETTER_PAYLOAD_BYTES_MAX ? wholeOf(payload) : {}),
    iggy_message_id: String(message.id),
    reason,
    failed_at: new Date(),
  };
}

/** What tells the whole payload by its beginning. */
function wholeOf(payload: Buffer): Readonly<Record<string, unknown>> {
  return {
    payload_bytes: payload.length,
    payload_sha256: createHash('sha256').update(payload).digest('hex'),
  };
}

/**
 * By place and time: a topic that was removed and made again counts its offsets from 0. Names are
 * escaped, so that a colon in one makes no other's id.
 */
export function deadLetterId(
  { offset, timestampUs }: PolledMessage,
  { stream, topic, partitionId }: MessagePlace,
): string {
  const names = [stream, topic].map((name) => name.replaceAll('%', '%25').replaceAll(':', '%3A'));
  return [...names, partitionId, offset, timestampUs].join(':');
}
