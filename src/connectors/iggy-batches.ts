// Splits what is to be sent into requests that are below the server's limit.
import { IggyError } from './iggy-error.ts';
import type { IggyHeaderForm } from './iggy-headers.ts';
import { encodeMessage, encodePartitioning } from './iggy-messages.ts';
import type { OutgoingMessage, Partitioning } from './iggy-messages.ts';

/** Below the 2 MB, decimal, of a server that is not configured otherwise. */
export const REQUEST_BYTES_MAX = 1_900_000;

/** However small the messages are. */
const BATCH_MESSAGES_MAX = 10_000;

export interface EncodedBatch {
  /** Of ASCII characters, in the order of the messages. */
  readonly body: string;
  readonly messagesCount: number;
}

export interface BatchOptions {
  readonly partitioning: Partitioning;
  readonly form: IggyHeaderForm;
  /** Of one request's body. */
  readonly bytesMax: number;
}

/**
 * Yields the bodies of the requests, one at a time: the next is encoded when it is asked for.
 *
 * @throws IggyError before the first one for a message that fits into no request, when its turn
 *   comes for one that Iggy would refuse
 */
export function* encodeBatches(
  messages: readonly OutgoingMessage[],
  { partitioning, form, bytesMax }: BatchOptions,
): Generator<EncodedBatch, void, undefined> {
  const head = `{"partitioning":${encodePartitioning(partitioning)},"messages":[`;
  const room = bytesMax - head.length - ']}'.length;
  refuseTooLarge(messages, room);
  let encoded: string[] = [];
  let length = 0;
  const body = (): EncodedBatch => ({
    body: `${head}${encoded.join(',')}]}`,
    messagesCount: encoded.length,
  });
  for (const message of messages) {
    const text = encodeMessage(message, form);
    if (text.length > room) {
      throw tooLarge(message, text.length, room);
    }
    if (length + text.length > room || encoded.length === BATCH_MESSAGES_MAX) {
      yield body();
      encoded = [];
      length = 0;
    }
    encoded.push(text);
    length += text.length + ','.length;
  }
  if (encoded.length > 0) {
    yield body();
  }
}

/** Known from the payload alone: nothing of the messages should be sent where one cannot be. */
function refuseTooLarge(messages: readonly OutgoingMessage[], room: number): void {
  for (const message of messages) {
    const bytes = Math.ceil(message.payload.length / 3) * 4;
    if (bytes > room) {
      throw tooLarge(message, bytes, room);
    }
  }
}

function tooLarge(message: OutgoingMessage, bytes: number, room: number): IggyError {
  return new IggyError(
    'too-large',
    `Message ${message.id} cannot be sent: encoded it takes ${bytes} bytes and a request has ` +
      `room for ${room}; make it smaller, or raise Iggy's http.max_request_size and our limit`,
  );
}
