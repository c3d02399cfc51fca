// What a statement comes to: commands for the server, and how their replies become rows.
import { BSON } from 'mongodb';
import type { ReadPreferenceMode } from 'mongodb';

/** A command document, its name first, without our comment and time limit. */
export type Command = Readonly<Record<string, unknown>>;

/** Commands that write documents, part by part: what is stopped midway stays half done. */
export const WRITES: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'findAndModify']);

/** Commands that read, as far as connection strings have a say in them. */
export const READS: ReadonlySet<string> = new Set(['find', 'aggregate', 'count', 'distinct']);

/** A reply: embedded documents are BSON bytes, scalars the driver's own types. */
export type Reply = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly database: string;
  readonly command: Command;
  readonly readPreference?: ReadPreferenceMode | undefined;
  /** Documents of each further batch, where the user has said so. */
  readonly batchSize?: number | undefined;
  /** Whether its write errors are those of a bulk write, as the shell names them. */
  readonly isBulk?: boolean;
  /** Server errors that are an answer here, and not the end. */
  readonly tolerated?: readonly number[];
}

export type Answer =
  /** The cursor's documents, a row each. */
  | { readonly kind: 'documents' }
  /** The cursor's first document, or null. */
  | { readonly kind: 'first' }
  /** How many documents the cursor gives. */
  | { readonly kind: 'count' }
  /** The reply as it is, or the documents of the cursor that it holds. */
  | { readonly kind: 'reply' }
  | { readonly kind: 'value'; readonly from: (replies: readonly Reply[]) => unknown }
  /** A row for each. */
  | { readonly kind: 'values'; readonly from: (replies: readonly Reply[]) => readonly unknown[] }
  /** Text rows of one column. */
  | {
      readonly kind: 'lines';
      readonly column: string;
      readonly from: (replies: readonly Reply[]) => readonly string[];
    };

/** The command tag's word, and what it counts where that is not rows. */
export interface Tag {
  readonly word: 'INSERT 0' | 'UPDATE' | 'DELETE';
  readonly count: (replies: readonly Reply[]) => number;
}

export interface Plan {
  /** Run in this order; the first error ends it. */
  readonly operations: readonly Operation[];
  readonly answer: Answer;
  readonly tag?: Tag;
  /** Read from the answer: names, and indexes of arrays. */
  readonly path: readonly (string | number)[];
  /** The database of the statements behind this one. */
  readonly database?: string;
}

/** A number of a reply, whatever type it came as. */
export function numberOf(value: unknown): number {
  const plain: unknown = typeof value === 'object' && value !== null ? value.valueOf() : value;
  return Number(plain ?? 0);
}

/** A plan that needs nothing of the server. */
export function linesPlan(column: string, lines: readonly string[], database?: string): Plan {
  return {
    operations: [],
    answer: { kind: 'lines', column, from: () => lines },
    path: [],
    ...(database === undefined ? {} : { database }),
  };
}

/** The documents of an array in a reply, decoded. */
export function documentsIn(value: unknown): readonly BSON.Document[] {
  const elements: readonly unknown[] = Array.isArray(value) ? value : [];
  return elements
    .filter((element) => typeof element === 'object' && element !== null)
    .map((element) => (element instanceof Uint8Array ? BSON.deserialize(element) : element));
}
