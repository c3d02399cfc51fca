import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { openReplaced } from './replace-file.ts';

/** The file begins anew at this size, so that a server that complains all day fills no disk. */
const FILE_BYTES_MAX = 1_048_576;

/** What an error quotes of the log. */
const TAIL_LINES_MAX = 15;

/** A longer line is cut in two; the server's own are a few hundred characters. */
const LINE_CHARACTERS_MAX = 4_096;

/** Keeps what the server says: all of it in a bounded file, its last lines in memory. */
export class ServerLog {
  readonly #file: string;
  readonly #fileBytesMax: number;
  #tail: string[] = [];

  constructor(file: string, fileBytesMax: number = FILE_BYTES_MAX) {
    this.#file = file;
    this.#fileBytesMax = fileBytesMax;
  }

  /** The last lines, oldest first. */
  tail(): string {
    return this.#tail.join('\n');
  }

  /**
   * Takes everything from the stream until it ends, and hands each whole line to `onLine`. The file
   * is emptied first. A disk that takes no more costs lines in the file, never the server's pace.
   */
  async follow(stream: Readable, onLine: (line: string) => void): Promise<void> {
    // Read at once: of a program that has ended, Node throws away what nobody has begun to read.
    const opening = openReplaced(this.#file, 0o600).catch(() => undefined);
    let rest = '';
    let fileBytes = 0;
    try {
      for await (const chunk of stream.setEncoding('utf8')) {
        const text = String(chunk);
        fileBytes = await this.#append(await opening, fileBytes, text);
        rest = this.#takeLines(rest + text, onLine);
      }
      this.#takeLines(`${rest}\n`, onLine);
    } finally {
      await (await opening)?.close();
    }
  }

  async #append(file: FileHandle | undefined, size: number, text: string): Promise<number> {
    const textBytes = Buffer.byteLength(text);
    const isFull = size + textBytes > this.#fileBytesMax;
    try {
      if (isFull) {
        await file?.truncate(0);
      }
      await file?.write(text, isFull ? 0 : size);
    } catch {
      // A full disk: the lines are still in the tail.
    }
    return isFull ? textBytes : size + textBytes;
  }

  /** Hands on the whole lines of the text and gives back what follows the last of them. */
  #takeLines(text: string, onLine: (line: string) => void): string {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX) {
      lines.push(rest);
    }
    for (const line of lines.filter((candidate) => candidate !== '')) {
      this.#tail = [...this.#tail, line.slice(0, LINE_CHARACTERS_MAX)].slice(-TAIL_LINES_MAX);
      onLine(line);
    }
    return rest.length > LINE_CHARACTERS_MAX ? '' : rest;
  }
}
