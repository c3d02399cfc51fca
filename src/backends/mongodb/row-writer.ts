// Documents in, rows out: each is one JSON text, counted by the guard before it is sent.
import type { BackendEvent, Column, Row } from '../backend.ts';
import { dataRowFrameBytes } from '../../../wire/protocol/result-messages.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Guard } from '../../guardrails/guard.ts';
import { BsonError } from './bson-reader.ts';
import type { BsonValue } from './bson-reader.ts';
import { ExtendedJsonWriter } from './extended-json.ts';
import type { EjsonMode } from './extended-json.ts';

const JSON_OID = 114;
const TEXT_OID = 25;

/** The column of everything but listings. */
export const RESULT_COLUMN: Column = { name: 'result', typeOid: JSON_OID };

export function textColumn(name: string): Column {
  return { name, typeOid: TEXT_OID };
}

/** Text that is gathered before it goes out; the client sets the pace from chunk to chunk. */
const CHUNK_BYTES = 64 * 1024;

const NULL_TEXT = Buffer.from('null');

/** Makes rows of one result. `isFull` once the guard has said that no more may be delivered. */
export class RowWriter {
  readonly #guard: Guard;
  readonly #json: ExtendedJsonWriter;
  #isFull = false;
  #rows = 0;

  constructor(guard: Guard, mode: EjsonMode) {
    this.#guard = guard;
    this.#json = new ExtendedJsonWriter(mode);
  }

  /** Whether a row was held back at a limit, so that there is no use in more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Rows delivered. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Rows of documents, in chunks.
   *
   * @throws ServiceError 54000 at a limit, after the rows before it
   */
  *documents(documents: readonly Uint8Array[]): Generator<BackendEvent, void, undefined> {
    let ends: number[] = [];
    for (const document of documents) {
      this.#append(() => {
        this.#json.appendDocument(document);
      });
      ends.push(this.#json.length);
      if (this.#json.length >= CHUNK_BYTES) {
        yield* this.#flush(ends);
        ends = [];
        if (this.#isFull) {
          return;
        }
      }
    }
    yield* this.#flush(ends);
  }

  /** One row of one value; JSON null where there is none. */
  *value(value: BsonValue | undefined): Generator<BackendEvent, void, undefined> {
    if (value === undefined) {
      yield* this.#deliver([[NULL_TEXT]]);
      return;
    }
    this.#append(() => {
      this.#json.appendValue(value);
    });
    yield* this.#flush([this.#json.length]);
  }

  /** Rows of one text each. */
  *lines(lines: readonly string[]): Generator<BackendEvent, void, undefined> {
    yield* this.#deliver(lines.map((line) => [Buffer.from(line, 'utf8')]));
  }

  /** Rows of any columns. */
  *rowsOf(rows: readonly Row[]): Generator<BackendEvent, void, undefined> {
    yield* this.#deliver(rows);
  }

  #append(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (error instanceof BsonError) {
        throw new ServiceError(SQLSTATE.internalError, 'A document of MongoDB is malformed', {
          detail: error.message,
          cause: error,
        });
      }
      throw error;
    }
  }

  *#flush(ends: readonly number[]): Generator<BackendEvent, void, undefined> {
    const text = this.#json.take();
    let start = 0;
    const rows = ends.map((end) => {
      const row = [text.subarray(start, end)];
      start = end;
      return row;
    });
    yield* this.#deliver(rows);
  }

  *#deliver(rows: readonly Row[]): Generator<BackendEvent, void, undefined> {
    let count = 0;
    while (count < rows.length && this.#guard.countRow(dataRowFrameBytes(rows[count] ?? []))) {
      count += 1;
    }
    this.#rows += count;
    if (count > 0) {
      yield { kind: 'rows', rows: count === rows.length ? rows : rows.slice(0, count) };
    }
    if (count < rows.length) {
      this.#isFull = true;
      if (this.#guard.limits.onLimit === 'error') {
        throw this.#guard.cutError();
      }
    }
  }
}
