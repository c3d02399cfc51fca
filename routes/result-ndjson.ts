// Results as lines: a row is a line, and a last line says that it was the last one.
import type { Column, Notice, Row } from '../src/backends/backend.ts';
import { describeColumns } from '../src/backends/postgres/json-rows.ts';
import type { JsonRowEncoder } from '../src/backends/postgres/json-rows.ts';
import type { ServiceError } from '../src/errors.ts';
import { sqlStateOf } from '../src/http-status.ts';
import { roundMs } from '../src/json-line.ts';
import type { AnswerBody } from './answer-body.ts';
import { encodeRows, encoderFor, NoticeList } from './result-writer.ts';
import type { CreateResultWriter, ResultEnd, ResultShape, ResultWriter } from './result-writer.ts';

/**
 * After the rows of a result comes `{"$meta":{"rows":2,"bytes":18,"truncated":false,…}}`, where
 * `bytes` is those of the rows' lines, ends included. What breaks off without it is not whole. An
 * error after the first row is such a line too, with `sqlState` and `message`. Where several
 * statements were sent, each result ends with its own, and all but the last have `"more":true`.
 */
export const createNdjsonWriter: CreateResultWriter = (body, shape) =>
  new NdjsonWriter(body, shape);

type Meta = Readonly<Record<string, unknown>>;

class NdjsonWriter implements ResultWriter {
  readonly isPrompt = true;
  readonly #body: AnswerBody;
  readonly #shape: ResultShape;
  readonly #notices = new NoticeList();
  #columns: readonly Column[] = [];
  #encode: JsonRowEncoder | undefined;
  #rows = 0;
  #bytes = 0;
  /** Of the last result: held back until it is known whether it is the last one. */
  #pending: Meta | undefined;

  constructor(body: AnswerBody, shape: ResultShape) {
    this.#body = body;
    this.#shape = shape;
  }

  begin(columns: readonly Column[]): void {
    this.#endPending({ more: true });
    this.#columns = columns;
    this.#encode = encoderFor(columns, this.#shape);
  }

  rows(rows: readonly Row[]): void {
    if (this.#encode !== undefined) {
      const lines = encodeRows(rows, this.#encode, { after: '\n' });
      this.#rows += rows.length;
      this.#bytes += lines.length;
      this.#body.append(lines);
    }
  }

  complete({ commandTag, isTruncated }: ResultEnd): void {
    this.#endPending({ more: true });
    this.#pending = {
      ...this.#takeCounts(),
      truncated: isTruncated,
      commandTag,
      columns: describeColumns(this.#columns),
    };
    this.#columns = [];
    this.#encode = undefined;
  }

  notice(notice: Notice): void {
    this.#notices.add(notice);
  }

  finish(durationMs: number): void {
    this.#pending ??= { ...this.#takeCounts(), truncated: false, commandTag: '', columns: [] };
    this.#endPending({ durationMs: roundMs(durationMs), ...this.#notices.toMember() });
  }

  fail(error: ServiceError, durationMs: number): boolean {
    this.#endPending({ more: true });
    const { message, detail, hint } = error;
    const sqlState = sqlStateOf(error);
    this.#pending = { ...this.#takeCounts(), truncated: true, sqlState, message, detail, hint };
    this.finish(durationMs);
    return true;
  }

  #takeCounts(): Meta {
    const counts = { rows: this.#rows, bytes: this.#bytes };
    this.#rows = 0;
    this.#bytes = 0;
    return counts;
  }

  #endPending(members: Meta): void {
    if (this.#pending !== undefined) {
      const meta = { ...this.#pending, ...members };
      this.#pending = undefined;
      this.#body.append(`${JSON.stringify({ $meta: meta })}\n`);
    }
  }
}
