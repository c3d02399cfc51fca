// Inserts a batch chunk by chunk, so that neither a command nor our memory grows with the batch.
import type { ConsumedBatch } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import type { PolledMessage } from './iggy-messages.ts';
import type { Fate } from './mongodb-sink-verdicts.ts';
import { createDocument } from './mongodb-sink-document.ts';
import type { DocumentOptions } from './mongodb-sink-document.ts';
import { insertChunk, shownPlace } from './mongodb-sink-insert.ts';
import type { ChunkOptions } from './mongodb-sink-insert.ts';
import type { Tried } from './mongodb-sink-policy.ts';
import type { SinkEntry } from './mongodb-sink-replays.ts';

export interface BatchOptions {
  readonly documents: DocumentOptions;
  readonly chunks: ChunkOptions;
  readonly chunkMessagesMax: number;
  /** Payloads of a chunk, unless said 48 MB; one that is larger goes alone. */
  readonly chunkBytesMax?: number;
  /** Every chunk is told to the log. */
  readonly isVerbose: boolean;
  /** Learns of each chunk how many of it are stored: of an aborted batch nothing else does. */
  readonly onStored?: (messagesCount: number) => void;
}

const CHUNK_BYTES_MAX = 48_000_000;

/** After so many chunks in a row that did not reach MongoDB the others are left. */
const UNREACHED_MAX = 2;

/** Under way at a time: documents of one are made while the server is at work on another. */
const CHUNKS_AT_ONCE = 2;

/** Messages of the batch, without the end. */
interface Range {
  readonly start: number;
  readonly end: number;
}

interface IndexedEntry extends SinkEntry {
  /** Its place in the batch. */
  readonly index: number;
}

/**
 * Tries every message of the batch, whatever happens to others. Retries are for chunks that begin
 * before one has used them all up: what did not pass during them is tried once for the others.
 *
 * @throws the signal's reason
 */
export async function insertBatch(
  batch: ConsumedBatch,
  options: BatchOptions,
  signal: AbortSignal,
): Promise<Tried> {
  const tried: MutableTried = {
    fates: new Array<Fate | undefined>(batch.messages.length).fill(undefined),
    retriesCount: 0,
    failure: undefined,
    unreachedCount: 0,
  };
  const ranges = chunkRanges(batch.messages, options);
  const insertSome = async (): Promise<void> => {
    // Each takes the next one, until one of them ends it for all.
    for (const range of ranges) {
      await insertRange(batch, range, { options, tried }, signal);
      if (tried.unreachedCount >= UNREACHED_MAX) {
        break;
      }
    }
  };
  await Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, insertSome));
  return tried;
}

interface MutableTried extends Tried {
  readonly fates: (Fate | undefined)[];
  retriesCount: number;
  failure: ConnectorError | undefined;
  /** Chunks, one after the other, that did not reach MongoDB. */
  unreachedCount: number;
}

interface Insertion {
  readonly options: BatchOptions;
  readonly tried: MutableTried;
}

async function insertRange(
  batch: ConsumedBatch,
  range: Range,
  { options, tried }: Insertion,
  signal: AbortSignal,
): Promise<void> {
  const entries = createEntries(batch, range, tried.fates, options.documents);
  const chunks =
    tried.failure === undefined ? options.chunks : { ...options.chunks, retriesMax: 0 };
  const report = await insertChunk(entries, chunks, signal);
  for (const entry of entries) {
    tried.fates[entry.index] = report.fates.get(entry);
  }
  const stored = entries.filter((entry) => report.fates.get(entry)?.kind === 'stored');
  options.onStored?.(stored.length);
  tried.retriesCount += report.retriesCount;
  tried.failure ??= report.failure;
  tried.unreachedCount = report.failure?.kind === 'connection' ? tried.unreachedCount + 1 : 0;
  logChunk(batch, range, report.failure, options);
}

function* chunkRanges(
  messages: readonly PolledMessage[],
  { chunkMessagesMax, chunkBytesMax = CHUNK_BYTES_MAX }: BatchOptions,
): Generator<Range> {
  let start = 0;
  let bytes = 0;
  for (const [index, { payload }] of messages.entries()) {
    const isFull = index - start >= chunkMessagesMax || bytes + payload.length > chunkBytesMax;
    if (isFull && index > start) {
      yield { start, end: index };
      start = index;
      bytes = 0;
    }
    bytes += payload.length;
  }
  if (start < messages.length) {
    yield { start, end: messages.length };
  }
}

function createEntries(
  batch: ConsumedBatch,
  { start, end }: Range,
  fates: (Fate | undefined)[],
  options: DocumentOptions,
): readonly IndexedEntry[] {
  const entries: IndexedEntry[] = [];
  for (const [position, message] of batch.messages.slice(start, end).entries()) {
    const index = start + position;
    try {
      entries.push({ index, message, document: createDocument(message, batch, options) });
    } catch (error) {
      if (!(error instanceof ConnectorError)) {
        throw error;
      }
      fates[index] = { kind: 'rejected', reason: error.message };
    }
  }
  return entries;
}

function logChunk(
  batch: ConsumedBatch,
  { start, end }: Range,
  failure: ConnectorError | undefined,
  { chunks: { log }, isVerbose }: BatchOptions,
): void {
  const first = batch.messages[start]?.offset ?? 0n;
  const chunk = `${end - start} messages from offset ${first} on of ${shownPlace(batch)}`;
  if (failure !== undefined) {
    log.warn(`Not all of ${chunk} are stored: ${failure.message}`);
  } else if (isVerbose) {
    log.note(`Inserted ${chunk}`);
  }
}
