// What every format of results has in common.
import type { Column, Notice, Row } from '../src/backends/backend.ts';
import { JsonText } from '../src/backends/json-text.ts';
import { appendRaw } from '../src/backends/postgres/json-values.ts';
import { createJsonRowEncoder } from '../src/backends/postgres/json-rows.ts';
import type { JsonRowEncoder, RowMode } from '../src/backends/postgres/json-rows.ts';
import type { ServiceError } from '../src/errors.ts';
import type { AnswerBody } from './answer-body.ts';

/** How a statement without an error ended. */
export interface ResultEnd {
  readonly commandTag: string;
  /** Whether a limit held rows back. */
  readonly isTruncated: boolean;
}

/** Writes the results of one request in one format. */
export interface ResultWriter {
  /** Whether rows go out as they come, and not in large chunks. */
  readonly isPrompt: boolean;
  begin(columns: readonly Column[]): void;
  rows(rows: readonly Row[]): void;
  /** The end of a result; a statement without rows has no begin. */
  complete(end: ResultEnd): void;
  notice(notice: Notice): void;
  /** After the last result. */
  finish(durationMs: number): void;
  /** An error after the beginning of the answer. False where the format has no place for it. */
  fail(error: ServiceError, durationMs: number): boolean;
}

/** What is known of the request when its writer is made. */
export interface ResultShape {
  readonly backend: 'postgres' | 'mongodb';
  readonly rowMode: RowMode;
  /** Whether the text holds several statements, so that there may be several results. */
  readonly isSeveral: boolean;
}

export type CreateResultWriter = (body: AnswerBody, shape: ResultShape) => ResultWriter;

const JSON_OID = 114;

/** A row of MongoDB is the document itself; listings and psql's answers have columns. */
export function encoderFor(
  columns: readonly Column[],
  { backend, rowMode }: ResultShape,
): JsonRowEncoder {
  const [first, second] = columns;
  const isDocument = backend === 'mongodb' && first?.typeOid === JSON_OID && second === undefined;
  return isDocument ? appendDocument : createJsonRowEncoder(columns, rowMode);
}

const appendDocument: JsonRowEncoder = (text, [document]) => {
  if (document === null || document === undefined) {
    text.appendAscii('null');
  } else {
    appendRaw(text, document);
  }
};

/**
 * Of all answers: rows are encoded and taken in one turn of the loop, so that no two answers ever
 * share it, and a small one costs no buffer of its own.
 */
const text = new JsonText();

/** ASCII around rows. */
interface RowFrame {
  readonly before?: string;
  readonly between?: string;
  /** Behind each of them. */
  readonly after?: string;
}

/** Rows one after another, with something before, between and after them. */
export function encodeRows(
  rows: readonly Row[],
  encode: JsonRowEncoder,
  { before = '', between = '', after = '' }: RowFrame,
): Buffer {
  try {
    for (const [index, row] of rows.entries()) {
      text.appendAscii(index === 0 ? before : between);
      encode(text, row);
      text.appendAscii(after);
    }
  } catch (error) {
    // What is half there is nobody's.
    text.truncate(0);
    throw error;
  }
  return text.take();
}

/** Notices that an answer shows: a loop may raise any number. */
export const NOTICES_MAX = 100;

/** The first notices of a request, as an answer shows them. */
export class NoticeList {
  readonly #notices: Notice[] = [];

  add({ severity, sqlState, message, detail, hint }: Notice): void {
    if (this.#notices.length < NOTICES_MAX) {
      this.#notices.push({ severity, sqlState, message, detail, hint });
    }
  }

  /** A member for an answer; none where there was no notice. */
  toMember(): { readonly notices?: readonly Notice[] } {
    return this.#notices.length === 0 ? {} : { notices: this.#notices };
  }
}

/** Rows that a statement returned or, where it returns none, changed: the tag's last number. */
export function affectedRows(commandTag: string): number {
  return Number(/ (\d+)$/.exec(commandTag)?.[1] ?? 0);
}
