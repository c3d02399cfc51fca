// What a result is made of, where it is encoded here and not relayed (PostgreSQL manual, "Message
// Formats": RowDescription, DataRow, EmptyQueryResponse).
import { BACKEND, FRAME_HEADER_BYTES } from './frame.ts';
import { encodeFrame, encodeInt32, encodeString } from './frame-writer.ts';

/** A column as RowDescription names it; values are sent in text format. */
export interface ColumnDescription {
  readonly name: string;
  readonly typeOid: number;
}

const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;

/** Length of a value that is SQL's NULL. */
const NULL_LENGTH = -1;

/** Sizes of the fixed-size types that occur, by object id; every other type varies (-1). */
const TYPE_SIZES: ReadonlyMap<number, number> = new Map([
  [16, 1],
  [20, 8],
  [23, 4],
  [26, 4],
]);

const VARYING_SIZE = -1;

/** No type modifier. */
const NO_MODIFIER = -1;

/** EmptyQueryResponse: there was no statement in the text. */
export function encodeEmptyQueryResponse(): Buffer {
  return encodeFrame(BACKEND.emptyQueryResponse);
}

/** RowDescription; none of the columns is said to belong to a table. */
export function encodeRowDescription(columns: readonly ColumnDescription[]): Buffer {
  return encodeFrame(
    BACKEND.rowDescription,
    encodeInt16(columns.length),
    ...columns.flatMap(parts),
  );
}

function parts({ name, typeOid }: ColumnDescription): Buffer[] {
  return [
    encodeString(name),
    // Table and attribute: none.
    encodeInt32(0),
    encodeInt16(0),
    encodeInt32(typeOid),
    encodeInt16(TYPE_SIZES.get(typeOid) ?? VARYING_SIZE),
    encodeInt32(NO_MODIFIER),
    // Text format.
    encodeInt16(0),
  ];
}

/** Length of the DataRow frame that holds these values, header included. */
export function dataRowFrameBytes(row: readonly (Buffer | null)[]): number {
  let frameBytes = FRAME_HEADER_BYTES + COUNT_BYTES;
  for (const value of row) {
    frameBytes += LENGTH_BYTES + (value === null ? 0 : value.length);
  }
  return frameBytes;
}

/** DataRow frames, one for each row, in one piece. */
export function encodeDataRows(rows: readonly (readonly (Buffer | null)[])[]): Buffer {
  let totalBytes = 0;
  for (const row of rows) {
    totalBytes += dataRowFrameBytes(row);
  }
  const bytes = Buffer.allocUnsafe(totalBytes);
  let offset = 0;
  for (const row of rows) {
    offset = writeDataRow(bytes, offset, row);
  }
  return bytes;
}

function writeDataRow(bytes: Buffer, start: number, row: readonly (Buffer | null)[]): number {
  let offset = bytes.writeUInt8(BACKEND.dataRow, start) + LENGTH_BYTES;
  offset = bytes.writeInt16BE(row.length, offset);
  for (const value of row) {
    offset = bytes.writeInt32BE(value === null ? NULL_LENGTH : value.length, offset);
    if (value !== null) {
      bytes.set(value, offset);
      offset += value.length;
    }
  }
  // The length counts itself and not the type byte.
  bytes.writeUInt32BE(offset - start - 1, start + 1);
  return offset;
}

function encodeInt16(value: number): Buffer {
  const bytes = Buffer.alloc(COUNT_BYTES);
  bytes.writeInt16BE(value, 0);
  return bytes;
}
