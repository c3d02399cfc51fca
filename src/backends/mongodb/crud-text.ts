// Documents that Gatepost sends, as the text in which they come back.
import { BSON } from 'mongodb';
import { documentBytes, readPath } from './bson-reader.ts';
import type { BsonValue } from './bson-reader.ts';
import { ExtendedJsonWriter } from './extended-json.ts';

/** Lossless Extended JSON of a document: the same text that a read of it gives. */
export function formatDocument(document: ReadonlyMap<string, unknown>): Buffer {
  const writer = new ExtendedJsonWriter('lossless');
  writer.appendDocument(documentBytes(encodeBson(document)));
  return writer.take();
}

/** Lossless Extended JSON of any BSON value. */
export function formatBson(value: unknown): string {
  const writer = new ExtendedJsonWriter('lossless');
  writer.appendValue(encodeBson(value));
  return writer.take().toString('utf8');
}

/** The command as the audit shows it. */
export function formatCommand(command: Readonly<Record<string, unknown>>): string {
  return formatBson(new Map(Object.entries(command)));
}

/** Bytes of a document in a command. */
export function bytesOf(document: ReadonlyMap<string, unknown>): number {
  return documentBytes(encodeBson(document)).length;
}

function encodeBson(value: unknown): BsonValue {
  const encoded = readPath(BSON.serialize({ v: value }), ['v']);
  if (encoded === undefined) {
    throw new TypeError('The value is none that BSON has');
  }
  return encoded;
}
