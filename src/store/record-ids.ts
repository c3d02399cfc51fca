// Ids of records: UUIDs as MongoDB keeps them, of random bytes that are drawn for many at a time.
import { randomBytes } from 'node:crypto';
import { Binary, UUID } from 'mongodb';

const ID_BYTES = 16;

/** For a batch of records. */
const POOL_BYTES = 1000 * ID_BYTES;

let pool = Buffer.alloc(0);
let drawn = 0;

/** A new UUID of version 4 (RFC 9562). */
export function createRecordId(): Binary {
  if (drawn === pool.length) {
    // Ids that were made are parts of the old one.
    pool = randomBytes(POOL_BYTES);
    drawn = 0;
  }
  const bytes = pool.subarray(drawn, drawn + ID_BYTES);
  drawn += ID_BYTES;
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return new Binary(bytes, Binary.SUBTYPE_UUID);
}

/** As it is shown. */
export function formatRecordId(id: Binary): string {
  return new UUID(id.buffer.subarray(0, ID_BYTES)).toHexString();
}

/** The id of that text; undefined where it is none. */
export function parseRecordId(text: string): Binary | undefined {
  return UUID.isValid(text) ? new Binary(new UUID(text).buffer, Binary.SUBTYPE_UUID) : undefined;
}
