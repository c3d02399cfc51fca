// One try to insert documents, after which the outcome of each one is known: an insertMany without
// order, whose errors are sorted by what is their reason.
import {
  BSON,
  MongoBulkWriteError,
  MongoError,
  MongoInvalidArgumentError,
  MongoServerError,
} from 'mongodb';
import { isTransient, toConnectorError } from './mongodb-failures.ts';
import type { SinkDocument } from './mongodb-sink-document.ts';
import type { SinkEntry } from './mongodb-sink-replays.ts';
import { merged, NOTHING, refusedText, sortedByDocument, STORED } from './mongodb-sink-verdicts.ts';
import type { Attempt, AttemptOptions, Fate } from './mongodb-sink-verdicts.ts';
import { untilAborted } from '../until-aborted.ts';

/** The driver's limit, one byte below the server's. */
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024 - 1;

/** Refusals of a whole command that one document can be the reason of. */
const DOCUMENT_CODES: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue
  9, // FailedToParse
  14, // TypeMismatch
  15, // Overflow: nested too deep
  22, // InvalidBSON
  52, // DollarPrefixedFieldName, before MongoDB 5
  56, // EmptyFieldName
  57, // DottedFieldName
  10_334, // BSONObjectTooLarge
]);

/**
 * Inserts these documents once.
 *
 * @throws the signal's reason
 */
export async function attemptInsert(
  entries: readonly SinkEntry[],
  options: AttemptOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  if (entries.length === 0) {
    return NOTHING;
  }
  try {
    const documents = entries.map(({ document }) => document);
    // Nothing stops an insert but its deadlines and the end of the client.
    await untilAborted(options.collection.insertMany(documents, { ordered: false }), signal);
    return { ...NOTHING, fates: entries.map((entry) => [entry, STORED]) };
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof MongoBulkWriteError && isByDocument(error)
      ? await sortedByDocument(entries, error, options)
      : await sortedByCommand(entries, error, options, signal);
  }
}

/** Without the write concern it is not known whether what was taken lasts. */
function isByDocument(error: MongoBulkWriteError): boolean {
  return [error.writeErrors].flat().length > 0 && error.result.getWriteConcernError() === undefined;
}

/** The whole command failed: nothing is known of any of its documents. */
async function sortedByCommand(
  entries: readonly SinkEntry[],
  error: unknown,
  options: AttemptOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  if (isUnsendable(error)) {
    const { fates, others } = withoutUnsendable(entries);
    if (fates.length > 0) {
      return merged({ ...NOTHING, fates }, await attemptInsert(others, options, signal));
    }
  }
  if (isTransient(error)) {
    return { ...NOTHING, again: entries, error };
  }
  if (!(error instanceof MongoServerError) || !DOCUMENT_CODES.has(error.code)) {
    return { ...NOTHING, failure: toConnectorError(error) };
  }
  const [only, another] = entries;
  if (only !== undefined && another === undefined) {
    const reason = refusedText(Number(error.code));
    return { ...NOTHING, fates: [[only, { kind: 'rejected', reason }]] };
  }
  // One of them is the reason: the halves without it are stored.
  const half = Math.ceil(entries.length / 2);
  const first = await attemptInsert(entries.slice(0, half), options, signal);
  return merged(first, await attemptInsert(entries.slice(half), options, signal));
}

/** The driver itself could not make the command, and has sent nothing. */
function isUnsendable(error: unknown): boolean {
  return !(error instanceof MongoError) || error instanceof MongoInvalidArgumentError;
}

function withoutUnsendable(entries: readonly SinkEntry[]): {
  readonly fates: readonly (readonly [SinkEntry, Fate])[];
  readonly others: readonly SinkEntry[];
} {
  const fates: (readonly [SinkEntry, Fate])[] = [];
  const others: SinkEntry[] = [];
  for (const entry of entries) {
    const reason = refusalOf(entry.document);
    if (reason === undefined) {
      others.push(entry);
    } else {
      fates.push([entry, { kind: 'rejected', reason }]);
    }
  }
  return { fates, others };
}

function refusalOf(document: SinkDocument): string | undefined {
  const tooLarge = `its document is larger than ${DOCUMENT_BYTES_MAX} bytes, MongoDB's limit`;
  try {
    return BSON.serialize(document).length > DOCUMENT_BYTES_MAX ? tooLarge : undefined;
  } catch (error) {
    // Documents far beyond the limit are beyond the driver's buffer too.
    return error instanceof BSON.BSONError
      ? 'its payload has a name that BSON cannot hold'
      : tooLarge;
  }
}
