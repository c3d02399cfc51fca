// A result as CSV, RFC 4180, that a spreadsheet can be given.
import { stringify } from 'csv-stringify/sync';
import pg from 'pg';
import type { Column, Row } from '../src/backends/backend.ts';
import { JsonText } from '../src/backends/json-text.ts';
import { describeColumns, valueEncoderOf } from '../src/backends/postgres/json-rows.ts';
import type { ValueEncoder } from '../src/backends/postgres/json-values.ts';
import type { AnswerBody } from './answer-body.ts';
import type { CreateResultWriter, ResultWriter } from './result-writer.ts';

/**
 * A header line, then a line for each row. A value is what it is in JSON, strings without their
 * quotes; NULL is empty, and empty text is `""`. There is no place for an error or for the word
 * that rows are missing, so that both cut the answer off.
 */
export const createCsvWriter: CreateResultWriter = (body) => new CsvWriter(body);

class CsvWriter implements ResultWriter {
  readonly isPrompt = true;
  readonly #body: AnswerBody;
  #cells: readonly CellEncoder[] = [];

  constructor(body: AnswerBody) {
    this.#body = body;
  }

  begin(columns: readonly Column[]): void {
    this.#cells = columns.map(({ typeOid }) => cellEncoderOf(typeOid));
    this.#append([describeColumns(columns).map(({ name, key = name }) => guardFormula(key))]);
  }

  rows(rows: readonly Row[]): void {
    this.#append(
      rows.map((row) =>
        this.#cells.map((encode, index) => {
          const bytes = row[index] ?? null;
          return bytes === null ? null : encode(bytes);
        }),
      ),
    );
  }

  complete(): void {
    this.#cells = [];
  }

  notice(): void {
    // CSV has lines of values and nothing else.
  }

  finish(): void {
    // Nor has it an end.
  }

  fail(): boolean {
    return false;
  }

  #append(lines: readonly (readonly (string | null)[])[]): void {
    this.#body.append(stringify([...lines], CSV_OPTIONS));
  }
}

/** A line end in a value is quoted, whichever it is; so is the empty text, and by that no NULL. */
const CSV_OPTIONS = { record_delimiter: 'windows', quoted_match: /^$|[\r\n]/ } as const;

type CellEncoder = (bytes: Buffer) => string;

const { builtins } = pg.types;

const JSON_TYPES: readonly number[] = [builtins.JSON, builtins.JSONB];

/** What begins with a sign here is a number, a time span or base64, and no formula. */
const HARMLESS_TYPES: ReadonlySet<number> = new Set<number>([
  builtins.INT2,
  builtins.INT4,
  builtins.INT8,
  builtins.NUMERIC,
  builtins.FLOAT4,
  builtins.FLOAT8,
  builtins.INTERVAL,
  builtins.BYTEA,
  ...JSON_TYPES,
]);

/** Of all answers, as nothing is left in it from one value to the next. */
const text = new JsonText();

function cellEncoderOf(typeOid: number): CellEncoder {
  const encode = valueEncoderOf(typeOid);
  const isHarmless = HARMLESS_TYPES.has(typeOid);
  const isJson = JSON_TYPES.includes(typeOid);
  return (bytes) => {
    const cell = isJson ? bytes.toString('utf8') : plainText(encode, bytes);
    return isHarmless ? cell : guardFormula(cell);
  };
}

/** The JSON of a value, a string as what it says. */
function plainText(encode: ValueEncoder, bytes: Buffer): string {
  encode(text, bytes);
  const json = text.take().toString('utf8');
  const value: unknown = json.startsWith('"') ? JSON.parse(json) : json;
  return String(value);
}

/** Where a spreadsheet would take a text for a formula, as OWASP lists them, full width too. */
const FORMULA_START = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** An apostrophe in front tells the spreadsheet that it is text. */
function guardFormula(cell: string): string {
  return FORMULA_START.test(cell) ? `'${cell}` : cell;
}
