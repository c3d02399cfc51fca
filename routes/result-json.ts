// Results as one JSON document: an object for one statement, a list of them for several.
import type { Column, Notice, Row } from '../src/backends/backend.ts';
import { describeColumns } from '../src/backends/postgres/json-rows.ts';
import type { JsonRowEncoder } from '../src/backends/postgres/json-rows.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import { roundMs } from '../src/json-line.ts';
import type { AnswerBody } from './answer-body.ts';
import { affectedRows, encodeRows, encoderFor, NoticeList } from './result-writer.ts';
import type { CreateResultWriter, ResultEnd, ResultShape, ResultWriter } from './result-writer.ts';

/**
 * `{"columns":[…],"rows":[…],"rowCount":1,"commandTag":"SELECT 1","truncated":false,
 * "durationMs":1.5}` for one statement; for several `{"results":[{"columns":…},…],"durationMs":…}`.
 * Whether there are several is read from the text, never from what comes back: so the shape does
 * not depend on the database. An error after the first chunk cuts the document off.
 */
export const createJsonWriter: CreateResultWriter = (body, shape) => new JsonWriter(body, shape);

class JsonWriter implements ResultWriter {
  readonly isPrompt = false;
  readonly #body: AnswerBody;
  readonly #shape: ResultShape;
  readonly #notices = new NoticeList();
  #encode: JsonRowEncoder | undefined;
  #results = 0;
  #rows = 0;

  constructor(body: AnswerBody, shape: ResultShape) {
    this.#body = body;
    this.#shape = shape;
    if (shape.isSeveral) {
      body.append('{"results":[');
    }
  }

  begin(columns: readonly Column[]): void {
    if (this.#results > 0 && !this.#shape.isSeveral) {
      throw new ServiceError(
        SQLSTATE.featureNotSupported,
        'The statement gave more results than one',
        { hint: 'Ask for application/x-ndjson, which has a place for each of them' },
      );
    }
    this.#encode = encoderFor(columns, this.#shape);
    this.#rows = 0;
    const described = JSON.stringify(describeColumns(columns));
    this.#body.append(`${this.#results === 0 ? '' : ','}{"columns":${described},"rows":[`);
    this.#results += 1;
  }

  rows(rows: readonly Row[]): void {
    if (this.#encode !== undefined && rows.length > 0) {
      const before = this.#rows === 0 ? '' : ',';
      this.#body.append(encodeRows(rows, this.#encode, { before, between: ',' }));
      this.#rows += rows.length;
    }
  }

  complete({ commandTag, isTruncated }: ResultEnd): void {
    const hasRows = this.#encode !== undefined;
    if (!hasRows) {
      this.begin([]);
    }
    const rowCount = hasRows ? this.#rows : affectedRows(commandTag);
    const end = JSON.stringify({ rowCount, commandTag, truncated: isTruncated });
    this.#body.append(`],${end.slice(1, this.#shape.isSeveral ? undefined : -1)}`);
    this.#encode = undefined;
  }

  notice(notice: Notice): void {
    this.#notices.add(notice);
  }

  finish(durationMs: number): void {
    if (this.#results === 0 && !this.#shape.isSeveral) {
      this.complete({ commandTag: '', isTruncated: false });
    }
    const end = { durationMs: roundMs(durationMs), ...this.#notices.toMember() };
    this.#body.append(`${this.#shape.isSeveral ? ']' : ''},${JSON.stringify(end).slice(1)}`);
  }

  fail(): boolean {
    return false;
  }
}
