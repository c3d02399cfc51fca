// Ids of records: UUIDs as text, which costs the least to make, to send and to compare.
import { randomUUID } from 'node:crypto';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A new UUID of version 4 (RFC 9562). */
export function createRecordId(): string {
  return randomUUID();
}

/** Whether a text can be the id of a record. */
export function isRecordId(text: string): boolean {
  return UUID.test(text);
}
