// User headers of a message: values of fifteen kinds, in the three forms that Iggy has given them.
import { isUtf8 } from 'node:buffer';
import { IggyError } from './iggy-error.ts';
import { fieldOf } from './iggy-json.ts';

type NumberKind =
  'int8' | 'int16' | 'int32' | 'uint8' | 'uint16' | 'uint32' | 'float32' | 'float64';
type BigIntKind = 'int64' | 'int128' | 'uint64' | 'uint128';

/** One key or value of a header, by Iggy's own name of its kind. */
export type IggyHeaderValue =
  | { readonly kind: 'raw'; readonly value: Uint8Array }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: NumberKind; readonly value: number }
  | { readonly kind: BigIntKind; readonly value: bigint };

/** Keys are strings nearly always; 0.7 and later take any kind. */
export interface IggyHeader {
  readonly key: IggyHeaderValue;
  readonly value: IggyHeaderValue;
}

/** 0.6 takes a map by name, everything later a list; what a server does not know it drops. */
export type IggyHeaderForm = 'list' | 'map';

/** Of a key and of a value. */
const VALUE_BYTES_MAX = 255;

/** In the order of their numbers in a raw header block, which begin at 1. */
const KINDS = [
  ...['raw', 'string', 'bool', 'int8', 'int16', 'int32', 'int64', 'int128'],
  ...['uint8', 'uint16', 'uint32', 'uint64', 'uint128', 'float32', 'float64'],
];

interface Codec<T> {
  readonly width: number;
  read(bytes: Buffer): T;
  write(bytes: Buffer, value: T): unknown;
}

const NUMBERS: Readonly<Record<NumberKind, Codec<number>>> = {
  int8: { width: 1, read: (b) => b.readInt8(), write: (b, v) => b.writeInt8(v) },
  int16: { width: 2, read: (b) => b.readInt16LE(), write: (b, v) => b.writeInt16LE(v) },
  int32: { width: 4, read: (b) => b.readInt32LE(), write: (b, v) => b.writeInt32LE(v) },
  uint8: { width: 1, read: (b) => b.readUInt8(), write: (b, v) => b.writeUInt8(v) },
  uint16: { width: 2, read: (b) => b.readUInt16LE(), write: (b, v) => b.writeUInt16LE(v) },
  uint32: { width: 4, read: (b) => b.readUInt32LE(), write: (b, v) => b.writeUInt32LE(v) },
  float32: { width: 4, read: (b) => b.readFloatLE(), write: (b, v) => b.writeFloatLE(v) },
  float64: { width: 8, read: (b) => b.readDoubleLE(), write: (b, v) => b.writeDoubleLE(v) },
};

const BIG_INTEGERS: Readonly<Record<BigIntKind, Codec<bigint>>> = {
  int64: { width: 8, read: (b) => b.readBigInt64LE(), write: (b, v) => b.writeBigInt64LE(v) },
  uint64: { width: 8, read: (b) => b.readBigUInt64LE(), write: (b, v) => b.writeBigUInt64LE(v) },
  int128: {
    width: 16,
    read: (b) => (b.readBigInt64LE(8) << 64n) | b.readBigUInt64LE(),
    write: (b, v) => {
      b.writeBigUInt64LE(BigInt.asUintN(64, v));
      b.writeBigInt64LE(v >> 64n, 8);
    },
  },
  uint128: {
    width: 16,
    read: (b) => (b.readBigUInt64LE(8) << 64n) | b.readBigUInt64LE(),
    write: (b, v) => {
      b.writeBigUInt64LE(BigInt.asUintN(64, v));
      b.writeBigUInt64LE(v >> 64n, 8);
    },
  },
};

/** A header whose key is a string. */
export function namedHeader(name: string, value: IggyHeaderValue): IggyHeader {
  return { key: { kind: 'string', value: name }, value };
}

/**
 * A value from its bytes. Bytes that do not fit the kind, or of a kind that is not known, are kept
 * as `raw`: one odd header must not make its message unreadable.
 */
export function readHeaderValue(kind: string, bytes: Buffer): IggyHeaderValue {
  if (isKey(NUMBERS, kind) && bytes.length === NUMBERS[kind].width) {
    return { kind, value: NUMBERS[kind].read(bytes) };
  }
  if (isKey(BIG_INTEGERS, kind) && bytes.length === BIG_INTEGERS[kind].width) {
    return { kind, value: BIG_INTEGERS[kind].read(bytes) };
  }
  if (kind === 'string' && isUtf8(bytes)) {
    return { kind, value: bytes.toString('utf8') };
  }
  if (kind === 'bool' && bytes.length === 1 && bytes.readUInt8() <= 1) {
    return { kind, value: bytes.readUInt8() === 1 };
  }
  return { kind: 'raw', value: bytes };
}

function isKey<K extends string>(record: Readonly<Record<K, unknown>>, kind: string): kind is K {
  return Object.hasOwn(record, kind);
}

/**
 * The bytes of a value.
 *
 * @throws IggyError when the kind cannot hold it, or it is empty or longer than 255 bytes
 */
export function encodeHeaderValue(header: IggyHeaderValue): Buffer {
  const bytes = bytesOf(header);
  if (bytes.length === 0 || bytes.length > VALUE_BYTES_MAX) {
    throw new IggyError(
      'refused',
      `A header's ${header.kind} of ${bytes.length} bytes cannot be sent: ` +
        `Iggy takes 1 to ${VALUE_BYTES_MAX}; leave it out or shorten it`,
    );
  }
  return bytes;
}

function bytesOf(header: IggyHeaderValue): Buffer {
  switch (header.kind) {
    case 'raw':
      return Buffer.from(header.value);
    case 'string':
      return Buffer.from(header.value, 'utf8');
    case 'bool':
      return Buffer.from([header.value ? 1 : 0]);
    case 'int64':
    case 'int128':
    case 'uint64':
    case 'uint128':
      return written(BIG_INTEGERS[header.kind], header.value, header.kind);
    default:
      return written(NUMBERS[header.kind], header.value, header.kind);
  }
}

function written<T extends number | bigint>(codec: Codec<T>, value: T, kind: string): Buffer {
  const bytes = Buffer.alloc(codec.width);
  try {
    codec.write(bytes, value);
  } catch (error) {
    throw new IggyError('refused', `A header of kind ${kind} cannot hold ${value}`, {
      cause: error,
    });
  }
  return bytes;
}

/**
 * Headers as a reply has them: a list (0.7 and later), a raw block in base64 (0.8 and later), a
 * map by name (0.6), or nothing.
 *
 * @throws IggyError when it is none of these
 */
export function readHeaders(form: unknown): readonly IggyHeader[] {
  if (form === undefined || form === null) {
    return [];
  }
  if (typeof form === 'string') {
    return readHeaderBlock(Buffer.from(form, 'base64'));
  }
  if (Array.isArray(form)) {
    return form.map((header: unknown) => ({
      key: parseValue(fieldOf(header, 'key')),
      value: parseValue(fieldOf(header, 'value')),
    }));
  }
  if (typeof form === 'object') {
    return Object.entries(form).map(([name, value]) => namedHeader(name, parseValue(value)));
  }
  throw unreadable('neither a list, a map nor a block');
}

function parseValue(form: unknown): IggyHeaderValue {
  const kind = fieldOf(form, 'kind');
  const value = fieldOf(form, 'value');
  if (typeof kind !== 'string' || typeof value !== 'string') {
    throw unreadable('a header without kind and value');
  }
  return readHeaderValue(kind, Buffer.from(value, 'base64'));
}

/** Key and value in turn: a byte for the kind, four for the length, the bytes. */
function readHeaderBlock(block: Buffer): readonly IggyHeader[] {
  const headers: IggyHeader[] = [];
  let at = 0;
  const readNext = (): IggyHeaderValue => {
    const start = at + 5;
    const end = start > block.length ? start : start + block.readUInt32LE(at + 1);
    if (end > block.length) {
      throw unreadable('a header block that ends too early');
    }
    const kind = KINDS[block.readUInt8(at) - 1] ?? 'raw';
    at = end;
    return readHeaderValue(kind, block.subarray(start, end));
  };
  while (at < block.length) {
    headers.push({ key: readNext(), value: readNext() });
  }
  return headers;
}

function unreadable(what: string): IggyError {
  return new IggyError('unexpected-reply', `its headers cannot be read: ${what}`);
}

/**
 * Headers as a request has them, in this form.
 *
 * @throws IggyError for a value that cannot be sent, or a key of another kind than string in a map
 */
export function encodeHeaders(headers: readonly IggyHeader[], form: IggyHeaderForm): unknown {
  if (form === 'list') {
    return headers.map(({ key, value }) => ({ key: encodeValue(key), value: encodeValue(value) }));
  }
  return Object.fromEntries(
    headers.map(({ key, value }) => {
      if (key.kind !== 'string') {
        throw new IggyError(
          'refused',
          `Iggy 0.6 takes header keys of kind string, not ${key.kind}`,
        );
      }
      return [key.value, encodeValue(value)];
    }),
  );
}

function encodeValue(header: IggyHeaderValue): { kind: string; value: string } {
  return { kind: header.kind, value: encodeHeaderValue(header).toString('base64') };
}
