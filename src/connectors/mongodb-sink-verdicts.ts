// What a server's answer to an insertMany means for each of its documents.
import type { Collection, MongoBulkWriteError, WriteError } from 'mongodb';
import { ConnectorError } from './connector-error.ts';
import {
  DUPLICATE_KEY_CODE,
  isTransient,
  isTransientCode,
  toConnectorError,
  VALIDATION_CODE,
} from './mongodb-failures.ts';
import type { MessagePlace, SinkDocument } from './mongodb-sink-document.ts';
import { readExisting } from './mongodb-sink-replays.ts';
import type { Existing, SinkEntry } from './mongodb-sink-replays.ts';

/** What has become of a message; a rejection is its own fault and would come again. */
export type Fate =
  { readonly kind: 'stored' | 'replayed' } | { readonly kind: 'rejected'; readonly reason: string };

export interface AttemptOptions {
  readonly collection: Collection<SinkDocument>;
  readonly place: MessagePlace;
}

export interface Attempt {
  readonly fates: readonly (readonly [SinkEntry, Fate])[];
  /** What failed for a reason that may pass by itself; it may be stored all the same. */
  readonly again: readonly SinkEntry[];
  /** That reason. */
  readonly error: unknown;
  /** A reason that does not pass, and is not a message's own: those without a fate wait for it. */
  readonly failure: ConnectorError | undefined;
}

type Verdict =
  | Fate
  /** May pass by itself. */
  | { readonly kind: 'again'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly failure: ConnectorError };

type Sorted = readonly [SinkEntry, Verdict];

export const STORED: Fate = { kind: 'stored' };
const REPLAYED: Fate = { kind: 'replayed' };

export const NOTHING: Attempt = { fates: [], again: [], error: undefined, failure: undefined };

/** Refusals of one document that it is not the reason of. */
const SERVER_CODES: ReadonlySet<number | undefined> = new Set([
  13, // Unauthorized
  8000, // AtlasError
  14_031, // OutOfDiskSpace
]);

/** After a server has refused some of the documents, and confirmed the others. */
export async function sortedByDocument(
  entries: readonly SinkEntry[],
  error: MongoBulkWriteError,
  options: AttemptOptions,
): Promise<Attempt> {
  const errors = new Map([error.writeErrors].flat().map((one) => [one.index, one]));
  const isDuplicate = (index: number): boolean => errors.get(index)?.code === DUPLICATE_KEY_CODE;
  const verdicts = entries
    .map((entry, index) => [entry, verdictOf(errors.get(index))] as const)
    .filter((_, index) => !isDuplicate(index));
  const duplicates = entries.flatMap((entry, index) => {
    const writeError = errors.get(index);
    return writeError?.code === DUPLICATE_KEY_CODE ? [{ entry, writeError }] : [];
  });
  const others = await sortedDuplicates(duplicates, options);
  return gathered([...verdicts, ...others]);
}

function verdictOf(writeError: WriteError | undefined): Verdict {
  if (writeError === undefined) {
    return STORED;
  }
  const { code } = writeError;
  if (isTransientCode(code)) {
    return { kind: 'again', error: new ConnectorError('storage', refusedText(code)) };
  }
  if (SERVER_CODES.has(code)) {
    return { kind: 'failed', failure: new ConnectorError('storage', refusedText(code)) };
  }
  return {
    kind: 'rejected',
    reason:
      code === VALIDATION_CODE
        ? "its document does not pass the collection's validation"
        : refusedText(code),
  };
}

/** For a refusal that has nothing more to say: its text may repeat the document. */
export function refusedText(code: number): string {
  return `MongoDB refuses its document (code ${code})`;
}

interface Duplicate {
  readonly entry: SinkEntry;
  readonly writeError: WriteError;
}

async function sortedDuplicates(
  duplicates: readonly Duplicate[],
  { collection, place }: AttemptOptions,
): Promise<readonly Sorted[]> {
  const entries = duplicates.map(({ entry }) => entry);
  try {
    const existing = await readExisting(collection, entries, place);
    return duplicates.map(({ entry, writeError }, index) => [
      entry,
      duplicateVerdict(entry, existing[index], writeError),
    ]);
  } catch (error) {
    const verdict: Verdict = isTransient(error)
      ? { kind: 'again', error }
      : { kind: 'failed', failure: toConnectorError(error) };
    return entries.map((entry) => [entry, verdict]);
  }
}

function duplicateVerdict(
  { document }: SinkEntry,
  existing: Existing | undefined,
  { errmsg }: WriteError,
): Verdict {
  if (existing?.kind === 'replay') {
    return REPLAYED;
  }
  if (existing?.kind === 'conflict') {
    const reason =
      `its _id "${document._id}" is taken by ${existing.origin}: ` +
      'give messages ids of their own, or set id_strategy to "composite"';
    return { kind: 'rejected', reason };
  }
  const index = indexOf(errmsg);
  if (index !== undefined && index !== '_id_') {
    return { kind: 'rejected', reason: `the unique index "${index}" has its key already` };
  }
  // What is there may yet be rolled back, or has gone since.
  const text = `_id "${document._id}" is taken by a document that may not last`;
  return { kind: 'again', error: new ConnectorError('storage', text) };
}

/** The server names it in its text only; values follow, which are not shown. */
function indexOf(errmsg: string | undefined): string | undefined {
  return /index: (?:\S*\.\$)?(\S+)/.exec(errmsg ?? '')?.[1];
}

function gathered(sorted: readonly Sorted[]): Attempt {
  const fates: (readonly [SinkEntry, Fate])[] = [];
  const again: SinkEntry[] = [];
  let error: unknown;
  let failure: ConnectorError | undefined;
  for (const [entry, verdict] of sorted) {
    if (verdict.kind === 'again') {
      again.push(entry);
      error ??= verdict.error;
    } else if (verdict.kind === 'failed') {
      failure ??= verdict.failure;
    } else {
      fates.push([entry, verdict]);
    }
  }
  return { fates, again, error, failure };
}

/** What came of two parts of the same documents. */
export function merged(one: Attempt, other: Attempt): Attempt {
  return {
    fates: [...one.fates, ...other.fates],
    again: [...one.again, ...other.again],
    error: one.error ?? other.error,
    failure: one.failure ?? other.failure,
  };
}
