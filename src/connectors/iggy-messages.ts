// Messages as Iggy's JSON has them: what a poll answers, and what a send takes.
import { IggyError } from './iggy-error.ts';
import { encodeHeaders, readHeaders } from './iggy-headers.ts';
import type { IggyHeader, IggyHeaderForm } from './iggy-headers.ts';
import { fieldOf, toInteger } from './iggy-json.ts';

/** A message as a poll answers it; integers of 64 and 128 bits are exact. */
export interface PolledMessage {
  readonly offset: bigint;
  /** 128 bits, chosen by the producer: nothing makes it unique. */
  readonly id: bigint;
  readonly checksum: bigint;
  /** When the server stored it, in microseconds. */
  readonly timestampUs: bigint;
  /** When the producer's request was read, in microseconds. */
  readonly originTimestampUs: bigint;
  readonly payload: Buffer;
  /** None where they cannot be read. */
  readonly headers: readonly IggyHeader[];
  readonly unreadHeaders?: UnreadHeaders | undefined;
}

/** Headers that Iggy has taken without looking at them, as it does with a block of a send. */
export interface UnreadHeaders {
  readonly reason: string;
  /** The block; of another form its JSON. */
  readonly bytes: Buffer;
}

export interface PolledBatch {
  /** The partition that was asked: a reply's own is wrong for an empty one. */
  readonly partitionId: number;
  /** The partition's last offset; 0 also when it is empty. */
  readonly currentOffset: bigint;
  readonly messages: readonly PolledMessage[];
}

export interface OutgoingMessage {
  /** 128 bits; the server puts a random one for 0. */
  readonly id: bigint;
  /** Not empty: Iggy refuses it. */
  readonly payload: Uint8Array;
  readonly headers?: readonly IggyHeader[];
}

/** Which partition a batch goes to; `balanced` keeps no order. */
export type Partitioning =
  | { readonly kind: 'balanced' }
  | { readonly kind: 'partition'; readonly partitionId: number }
  | { readonly kind: 'key'; readonly key: Uint8Array };

const ID_MAX = 2n ** 128n - 1n;

/**
 * Reads the answer to a poll of this partition.
 *
 * @throws IggyError when it has another shape
 */
export function readPolledBatch(reply: unknown, partitionId: number): PolledBatch {
  const messages = fieldOf(reply, 'messages');
  if (!Array.isArray(messages)) {
    throw new IggyError('unexpected-reply', "Iggy's answer to a poll has no list of messages");
  }
  return {
    partitionId,
    currentOffset: toInteger(fieldOf(reply, 'current_offset')) ?? 0n,
    messages: messages.map((message: unknown) => readMessage(message)),
  };
}

function readMessage(message: unknown): PolledMessage {
  const header = fieldOf(message, 'header');
  const payload = fieldOf(message, 'payload');
  if (typeof payload !== 'string') {
    throw new IggyError('unexpected-reply', 'A message from Iggy has no payload');
  }
  const offset = readNumber(header, 'offset');
  return {
    offset,
    id: readNumber(header, 'id'),
    checksum: readNumber(header, 'checksum'),
    timestampUs: readNumber(header, 'timestamp'),
    originTimestampUs: readNumber(header, 'origin_timestamp'),
    payload: Buffer.from(payload, 'base64'),
    ...readHeadersOf(message),
  };
}

/** Headers that cannot be read do not make their message unreadable: it would come for ever. */
function readHeadersOf(message: unknown): Pick<PolledMessage, 'headers' | 'unreadHeaders'> {
  const form = fieldOf(message, 'user_headers') ?? fieldOf(message, 'headers');
  try {
    return { headers: readHeaders(form) };
  } catch (error) {
    if (!(error instanceof IggyError)) {
      throw error;
    }
    const bytes =
      typeof form === 'string' ? Buffer.from(form, 'base64') : Buffer.from(JSON.stringify(form));
    return { headers: [], unreadHeaders: { reason: error.message, bytes } };
  }
}

function readNumber(header: unknown, name: string): bigint {
  const integer = toInteger(fieldOf(header, name));
  if (integer === undefined) {
    throw new IggyError('unexpected-reply', `A message from Iggy has no integer "${name}"`);
  }
  return integer;
}

/**
 * A message as a send takes it: ASCII only, so that its length is its size.
 *
 * @throws IggyError when Iggy would refuse it
 */
export function encodeMessage(message: OutgoingMessage, form: IggyHeaderForm): string {
  const { id, payload, headers = [] } = message;
  if (payload.length === 0) {
    throw new IggyError('refused', `Message ${id} cannot be sent: Iggy takes no empty payload`);
  }
  if (id < 0n || id > ID_MAX) {
    throw new IggyError('refused', `Message id ${id} cannot be sent: it is not of 128 bits`);
  }
  // As text: a JSON number would be read as 64 bits.
  const known = `{"id":"${id}","payload":"${toBase64(payload)}"`;
  if (headers.length === 0) {
    return `${known}}`;
  }
  const name = form === 'list' ? 'user_headers' : 'headers';
  return `${known},"${name}":${toAscii(JSON.stringify(encodeHeaders(headers, form)))}}`;
}

/** Names in a map of headers may be of any script; JSON can say them in ASCII. */
function toAscii(json: string): string {
  return json.replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What a send says about the partition. */
export function encodePartitioning(partitioning: Partitioning): string {
  switch (partitioning.kind) {
    case 'balanced':
      return '{"kind":"balanced","value":""}';
    case 'partition': {
      const id = Buffer.alloc(4);
      id.writeUInt32LE(partitioning.partitionId);
      return `{"kind":"partition_id","value":"${id.toString('base64')}"}`;
    }
    case 'key':
      return `{"kind":"messages_key","value":"${toBase64(partitioning.key)}"}`;
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
