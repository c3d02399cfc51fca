// Lays out one frame: type byte, length, body.
import { FRAME_HEADER_BYTES } from './frame.ts';

/** A part of a frame's body. */
export type Part = Buffer;

/** A frame of this type with these parts as its body. */
export function encodeFrame(type: number, ...parts: readonly Part[]): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  const frame = Buffer.concat([header, ...parts]);
  frame.writeUInt8(type, 0);
  frame.writeUInt32BE(frame.length - 1, 1);
  return frame;
}

/** A string with its terminator. A NUL inside would end it early, so there is none. */
export function encodeString(text: string): Part {
  return Buffer.from(`${text.replaceAll('\0', '')}\0`, 'utf8');
}

/** A signed or unsigned number of four bytes, high byte first. */
export function encodeInt32(value: number): Part {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0, 0);
  return bytes;
}

/** A signed or unsigned number of two bytes, high byte first. */
export function encodeInt16(value: number): Part {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff, 0);
  return bytes;
}

/** One byte as it is. */
export function encodeByte(value: number): Part {
  return Buffer.from([value]);
}
