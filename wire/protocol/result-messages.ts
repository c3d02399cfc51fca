// What a result is made of, where it is encoded here and not relayed (PostgreSQL manual, "Message
// Formats": RowDescription, DataRow, EmptyQueryResponse).
import { BACKEND, FRAME_HEADER_BYTES } from './frame.ts';
import { encodeFrame, encodeInt16, encodeInt32, encodeString } from './frame-writer.ts';

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

/**
 * The columns of a RowDescription frame at `offset`.
 *
 * @throws RangeError when the frame is shorter than it says
 */
export function readRowDescription(bytes: Buffer, offset: number): ColumnDescription[] {
  const columns: ColumnDescription[] = [];
  let at = offset + FRAME_HEADER_BYTES + COUNT_BYTES;
  for (let left = bytes.readUInt16BE(at - COUNT_BYTES); left > 0; left -= 1) {
    const end = bytes.indexOf(0, at);
    columns.push({
      name: bytes.toString('utf8', at, end),
      typeOid: bytes.readUInt32BE(end + 1 + TABLE_AND_ATTRIBUTE_BYTES),
    });
    at = end + 1 + COLUMN_BYTES;
  }
  return columns;
}

const TABLE_AND_ATTRIBUTE_BYTES = 6;

/** What stands behind a column's name. */
const COLUMN_BYTES = 18;

/**
 * The values of a DataRow frame at `offset`, as views of its bytes.
 *
 * @throws RangeError when the frame is shorter than it says
 */
export function readDataRow(bytes: Buffer, offset: number): (Buffer | null)[] {
  const count = bytes.readUInt16BE(offset + FRAME_HEADER_BYTES);
  const row: (Buffer | null)[] = new Array<Buffer | null>(count);
  let at = offset + FRAME_HEADER_BYTES + COUNT_BYTES;
  for (let index = 0; index < count; index += 1) {
    const length = bytes.readInt32BE(at);
    at += LENGTH_BYTES;
    if (length < 0) {
      row[index] = null;
    } else {
      row[index] = bytes.subarray(at, at + length);
      at += length;
    }
  }
  return row;
}
