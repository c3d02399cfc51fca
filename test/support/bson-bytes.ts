// BSON put together byte by byte, for what no serializer would write.

/** Four bytes, low byte first. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Eight bytes, low byte first. */
export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

/** An IEEE double, low byte first. */
export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Text with a NUL behind it. */
export function cstring(text: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.of(0)]);
}

/** Text with its length in front and a NUL behind it. */
export function string(text: string | Buffer): Buffer {
  const terminated = cstring(text);
  return Buffer.concat([int32(terminated.length), terminated]);
}

/** An element of a document: type, name, value. */
export function element(type: number, name: string | Buffer, value: Buffer = Buffer.of()): Buffer {
  return Buffer.concat([Buffer.of(type), cstring(name), value]);
}

/** A document or array of these elements. */
export function document(...elements: readonly Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  return Buffer.concat([int32(body.length + 5), body, Buffer.of(0)]);
}

/** A document in a document in a document: this many, one within the other. */
export function nested(levels: number): Buffer {
  let bytes = document();
  for (let level = 1; level < levels; level++) {
    bytes = document(element(level % 2 === 0 ? 0x03 : 0x04, '0', bytes));
  }
  return bytes;
}
