// What a failed write says of single documents: which of them MongoDB will never settle, so that
// they do not keep the others from being settled.
import { BSON, MongoBulkWriteError, MongoInvalidArgumentError, MongoServerError } from 'mongodb';
import type { WriteError } from 'mongodb';
import { isTransientCode, shownFailure } from './mongodb-failures.ts';

/** Of one write, by the places of its operations. */
export interface Written {
  /** Deleted or marked. */
  readonly count: number;
  /** Never to be settled as they are. */
  readonly refused: ReadonlyMap<number, string>;
  /** To be written again, without the refused ones; those that a part has is written by itself. */
  readonly again: readonly (readonly number[])[];
}

/** Of a user who may not write, or a server that does not: no document is the reason. */
const NO_DOCUMENT_CODES: ReadonlySet<number> = new Set([
  11, // UserNotFound
  13, // Unauthorized
  18, // AuthenticationFailed
  8000, // AtlasError, which is a failed login
  14_031, // OutOfDiskSpace
]);

/** Refusals of a whole command that one document can be the reason of. */
const DOCUMENT_CODES: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue
  9, // FailedToParse
  14, // TypeMismatch
  15, // Overflow: nested too deep
  22, // InvalidBSON
  10_334, // BSONObjectTooLarge
]);

/** What a write did that has failed; undefined where the failure is not about its documents. */
export function writtenDespite(error: unknown, operationsCount: number): Written | undefined {
  const errors = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
  if (error instanceof MongoBulkWriteError && errors.length > 0) {
    return writtenBeside(error, errors, operationsCount);
  }
  return isByAnyDocument(error) ? inHalves(error, operationsCount) : undefined;
}

function writtenBeside(
  error: MongoBulkWriteError,
  errors: readonly WriteError[],
  operationsCount: number,
): Written | undefined {
  const lasting = errors.filter(({ code }) => !isTransientCode(code));
  if (lasting.length === 0 || lasting.some(({ code }) => NO_DOCUMENT_CODES.has(code))) {
    return undefined;
  }
  const refused = new Map(lasting.map((one) => [one.index, reasonOf(one)] as const));
  // Without its confirmation nothing is known to last: everything else is written again.
  const isConfirmed = error.result.getWriteConcernError() === undefined;
  const places = isConfirmed ? errors.map(({ index }) => index) : upTo(operationsCount);
  const again = places.filter((index) => !refused.has(index));
  const count = error.deletedCount + error.modifiedCount;
  return { count, refused, again: again.length === 0 ? [] : [again] };
}

function reasonOf({ code, errmsg = '' }: WriteError): string {
  return refusal(new MongoServerError({ message: errmsg, code }));
}

function refusal(error: unknown): string {
  return `MongoDB refuses it, ${shownFailure(error)}`;
}

function isByAnyDocument(error: unknown): boolean {
  return error instanceof MongoServerError
    ? DOCUMENT_CODES.has(error.code)
    : error instanceof MongoInvalidArgumentError ||
        error instanceof BSON.BSONError ||
        error instanceof RangeError;
}

/** The whole command failed, and has done nothing: the half without the reason is written. */
function inHalves(error: unknown, operationsCount: number): Written {
  if (operationsCount === 1) {
    return { count: 0, refused: new Map([[0, refusal(error)]]), again: [] };
  }
  const half = Math.ceil(operationsCount / 2);
  const places = upTo(operationsCount);
  return { count: 0, refused: new Map(), again: [places.slice(0, half), places.slice(half)] };
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
