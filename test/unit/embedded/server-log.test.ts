import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { ServerLog } from '../../../src/embedded/server-log.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let file: string;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  file = path.join(directory.path, 'postgres.log');
});

afterEach(async () => {
  await directory.remove();
});

async function linesOf(log: ServerLog, chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  await log.follow(Readable.from(chunks, { objectMode: false }), (line) => {
    lines.push(line);
  });
  return lines;
}

describe('A server log', () => {
  test('gives the same lines and the same file, however the chunks fall', async () => {
    const text = 'LOG:  bereit für Gäste\nLOG:  ready\n\nFATAL:  zu';
    const bytes = Buffer.from(text);
    for (let split = 0; split <= bytes.length; split += 1) {
      const log = new ServerLog(file);
      const lines = await linesOf(log, [bytes.subarray(0, split), bytes.subarray(split)]);
      expect(lines).toEqual(['LOG:  bereit für Gäste', 'LOG:  ready', 'FATAL:  zu']);
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });

  test('begins its file anew at each start', async () => {
    await writeFile(file, 'yesterday\n');
    await linesOf(new ServerLog(file), [Buffer.from('today\n')]);
    expect(await readFile(file, 'utf8')).toBe('today\n');
  });

  test('keeps its file within its bound, and in it the newest lines', async () => {
    const chunks = Array.from({ length: 100 }, (_, index) => Buffer.from(`line ${index}\n`));
    await linesOf(new ServerLog(file, 100), chunks);
    expect((await stat(file)).size).toBeLessThanOrEqual(100);
    expect(await readFile(file, 'utf8')).toMatch(/^line \d+\n(line \d+\n)*line 99\n$/);
  });

  test('remembers the last fifteen lines', async () => {
    const log = new ServerLog(file);
    const text = Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join('');
    await linesOf(log, [Buffer.from(text)]);
    expect(log.tail().split('\n')).toEqual(
      Array.from({ length: 15 }, (_, index) => `line ${25 + index}`),
    );
  });

  test('cuts a line that does not end', async () => {
    const chunks = Array.from({ length: 100 }, () => Buffer.from('x'.repeat(1_000)));
    const log = new ServerLog(file);
    const lines = await linesOf(log, chunks);
    expect(lines.join('')).toBe('x'.repeat(100_000));
    expect(lines.length).toBeGreaterThan(1);
    expect(
      Math.max(
        ...log
          .tail()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBe(4_096);
  });

  test('gives its lines when there is no place for its file', async () => {
    const log = new ServerLog(path.join(directory.path, 'missing', 'postgres.log'));
    expect(await linesOf(log, [Buffer.from('one\ntwo\n')])).toEqual(['one', 'two']);
    expect(log.tail()).toBe('one\ntwo');
  });

  test('is for its owner alone and goes through no link', async () => {
    const target = path.join(directory.path, 'precious');
    await writeFile(target, 'precious');
    await symlink(target, file);
    await linesOf(new ServerLog(file), [Buffer.from('one\n')]);
    expect(await readFile(target, 'utf8')).toBe('precious');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
