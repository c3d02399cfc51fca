// Backend frames made by hand and read by pg-protocol: neither is code of ours.
import { Readable } from 'node:stream';
import { parse } from 'pg-protocol';
import { framesOf, frontendFrame, int32, typesOf } from './wire-client.ts';

/** A backend frame of any type; both ends lay their frames out in the same way. */
export const backendFrame = frontendFrame;

/** A frame of exactly this size, its body filled with one letter. */
export function sizedFrame(type: string, frameBytes: number, filling = 'x'): Buffer {
  return backendFrame(type, Buffer.alloc(frameBytes - 5, filling));
}

/** The first five bytes of a frame whose length word says this, and nothing of its body. */
export function frameHeader(type: string, lengthWord: number): Buffer {
  return Buffer.concat([Buffer.from(type), int32(lengthWord)]);
}

export function dataRow(...values: readonly string[]): Buffer {
  const columns = Buffer.alloc(2);
  columns.writeUInt16BE(values.length);
  const parts = values.map((value) =>
    Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  return backendFrame('D', Buffer.concat([columns, ...parts]));
}

export function commandComplete(commandTag: string): Buffer {
  return backendFrame('C', `${commandTag}\0`);
}

export function readyForQuery(status = 'I'): Buffer {
  return backendFrame('Z', status);
}

export function parameterStatus(name: string, value: string): Buffer {
  return backendFrame('S', `${name}\0${value}\0`);
}

/** ErrorResponse, or NoticeResponse, with these fields in this order. */
export function report(type: 'E' | 'N', fields: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(fields).map(([letter, value]) => `${letter}${value}\0`);
  return backendFrame(type, `${words.join('')}\0`);
}

/** An ErrorResponse as PostgreSQL sends one. */
export function errorResponse(sqlState: string, severity = 'ERROR'): Buffer {
  return report('E', { S: severity, V: severity, C: sqlState, M: 'said by the upstream' });
}

/** Frames as pg-protocol, the parser of node's `pg`, reads them. */
export async function parseBackendFrames(bytes: Buffer): Promise<object[]> {
  const messages: object[] = [];
  await parse(Readable.from([bytes]), (message) => {
    messages.push(message);
  });
  return messages;
}

/** The frames that these bytes hold. */
export function splitFrames(bytes: Buffer): Buffer[] {
  return framesOf(bytes).map((frame) => frame.bytes);
}

/** The type letters of the frames that these bytes hold. */
export function frameTypes(bytes: Buffer): string {
  return typesOf(framesOf(bytes));
}

/** Bytes in pieces of this size, the last one shorter. */
export function inPieces(bytes: Buffer, pieceBytes: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    pieces.push(bytes.subarray(offset, offset + pieceBytes));
  }
  return pieces;
}
