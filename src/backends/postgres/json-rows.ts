// Rows of PostgreSQL as JSON text, and what is said of their columns. The way of each column is
// chosen once; a row is then one call per value.
import pg from 'pg';
import type { Column, Row } from '../backend.ts';
import type { JsonText } from '../json-text.ts';
import type { TableColumn } from './crud-table.ts';
import { arrayEncoder } from './json-arrays.ts';
import {
  appendBase64,
  appendBoolean,
  appendJson,
  appendNumber,
  appendRaw,
  appendText,
  appendTimestamp,
} from './json-values.ts';
import type { ValueEncoder } from './json-values.ts';

/** Rows as objects by column name, or as arrays in the order of the columns. */
export type RowMode = 'object' | 'array';

export type JsonRowEncoder = (text: JsonText, row: Row) => void;

/** A column as an answer names it. */
export interface DescribedColumn {
  readonly name: string;
  /** Its key in rows that are objects, where another column of that name came before. */
  readonly key?: string;
  /** Name of a built-in type, `int4[]` for an array; absent for types of the database's own. */
  readonly type?: string;
  readonly oid: number;
}

const { builtins } = pg.types;

const NAME_OID = 19;

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(builtins).map(([name, oid]) => [oid, name.toLowerCase()] as const),
  [NAME_OID, 'name'],
]);

/** Every other type is text: int8 and numeric too, which would lose digits as numbers. */
const ENCODERS: ReadonlyMap<number, ValueEncoder> = new Map<number, ValueEncoder>([
  [builtins.BOOL, appendBoolean],
  [builtins.INT2, appendNumber],
  [builtins.INT4, appendNumber],
  [builtins.OID, appendNumber],
  [builtins.FLOAT4, appendNumber],
  [builtins.FLOAT8, appendNumber],
  [builtins.JSON, appendJson],
  [builtins.JSONB, appendRaw],
  [builtins.BYTEA, appendBase64],
  [builtins.TIMESTAMP, appendTimestamp],
  [builtins.TIMESTAMPTZ, appendTimestamp],
]);

/** Array types of pg_type by the type of their elements; those of box have another delimiter. */
const ELEMENT_BY_ARRAY: ReadonlyMap<number, number> = new Map<number, number>([
  [143, builtins.XML],
  [199, builtins.JSON],
  [651, builtins.CIDR],
  [775, builtins.MACADDR8],
  [791, builtins.MONEY],
  [1000, builtins.BOOL],
  [1001, builtins.BYTEA],
  [1002, builtins.CHAR],
  [1003, NAME_OID],
  [1005, builtins.INT2],
  [1007, builtins.INT4],
  [1009, builtins.TEXT],
  [1014, builtins.BPCHAR],
  [1015, builtins.VARCHAR],
  [1016, builtins.INT8],
  [1021, builtins.FLOAT4],
  [1022, builtins.FLOAT8],
  [1028, builtins.OID],
  [1040, builtins.MACADDR],
  [1041, builtins.INET],
  [1115, builtins.TIMESTAMP],
  [1182, builtins.DATE],
  [1183, builtins.TIME],
  [1185, builtins.TIMESTAMPTZ],
  [1187, builtins.INTERVAL],
  [1231, builtins.NUMERIC],
  [1270, builtins.TIMETZ],
  [1561, builtins.BIT],
  [1563, builtins.VARBIT],
  [2951, builtins.UUID],
  [3807, builtins.JSONB],
]);

/** How values of a type become JSON. */
export function valueEncoderOf(typeOid: number): ValueEncoder {
  const element = ELEMENT_BY_ARRAY.get(typeOid);
  return element === undefined
    ? (ENCODERS.get(typeOid) ?? appendText)
    : arrayEncoder(ENCODERS.get(element) ?? appendText);
}

/**
 * The same for a column of a table that the catalog has told of: it knows what is in arrays of
 * types that only this database has. What came is of another type where the table was changed.
 */
export function columnEncoderOf(
  typeOid: number,
  { base, element }: Pick<TableColumn, 'base' | 'element'>,
): ValueEncoder {
  // No other delimiter is read here.
  if (base.oid !== typeOid || element?.delimiter !== ',') {
    return valueEncoderOf(typeOid);
  }
  // An element that is an array of its own, by a domain, is taken as a text as well.
  const isArray = element.category === ARRAY_CATEGORY;
  return arrayEncoder(isArray ? appendText : valueEncoderOf(element.oid));
}

/** Of pg_type.typcategory. */
const ARRAY_CATEGORY = 'A';

/** Keys of a row as an object: a name that was there already gets `_2`, `_3` and so on. */
function keysOf(columns: readonly Column[]): string[] {
  const taken = new Set(columns.map(({ name }) => name));
  const seen = new Set<string>();
  return columns.map(({ name }) => {
    let key = name;
    for (let number = 2; seen.has(key) || (key !== name && taken.has(key)); number++) {
      key = `${name}_${number}`;
    }
    seen.add(key);
    return key;
  });
}

export function describeColumns(columns: readonly Column[]): DescribedColumn[] {
  const keys = keysOf(columns);
  return columns.map(({ name, typeOid }, index) => {
    const key = keys[index] ?? name;
    const type = typeNameOf(typeOid);
    return {
      name,
      ...(key === name ? {} : { key }),
      ...(type === undefined ? {} : { type }),
      oid: typeOid,
    };
  });
}

function typeNameOf(typeOid: number): string | undefined {
  const element = ELEMENT_BY_ARRAY.get(typeOid);
  return element === undefined ? TYPE_NAMES.get(typeOid) : `${TYPE_NAMES.get(element) ?? ''}[]`;
}

/**
 * Chooses once how the rows of a result are written.
 *
 * @param encoders of its columns, where more is known of them than their types
 */
export function createJsonRowEncoder(
  columns: readonly Column[],
  rowMode: RowMode,
  encoders: readonly ValueEncoder[] = columns.map(({ typeOid }) => valueEncoderOf(typeOid)),
): JsonRowEncoder {
  const [open, close] = rowMode === 'object' ? ['{', '}'] : ['[', ']'];
  const prefixes = keysOf(columns).map((key, index) => {
    const name = rowMode === 'object' ? `${JSON.stringify(key)}:` : '';
    // A character for each byte of the UTF-8.
    return Buffer.from(`${index === 0 ? open : ','}${name}`).toString('latin1');
  });
  const empty = columns.length === 0 ? open : '';
  return (text, row) => {
    text.appendAscii(empty);
    for (let index = 0; index < encoders.length; index++) {
      text.appendAscii(prefixes[index] ?? '');
      const bytes = row[index] ?? null;
      if (bytes === null) {
        text.appendAscii('null');
      } else {
        encoders[index]?.(text, bytes);
      }
    }
    text.appendAscii(close);
  };
}
