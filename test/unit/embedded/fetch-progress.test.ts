import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Progress } from '../../../src/embedded/fetch-progress.ts';
import { withProgress } from '../../../src/embedded/fetch-progress.ts';
import { untilFact } from '../../support/facts.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

let temporary: TemporaryDirectory;
let reports: string[];

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  reports = [];
});

afterEach(async () => {
  await temporary.remove();
});

function progressOf(changes: Partial<Progress> = {}): Progress {
  const report = (message: string): number => reports.push(message);
  return { title: 'Fetching it', folder: temporary.path, report, intervalMs: 1, ...changes };
}

describe('Work that takes its time', () => {
  test('is reported at its beginning, and gives what it gives', async () => {
    const work = async (): Promise<number> => await Promise.resolve(reports.length);
    expect(await withProgress(progressOf({ intervalMs: 60_000 }), work)).toBe(1);
    expect(reports).toEqual(['Fetching it; nothing else waits for it']);
  });

  test('is reported with the bytes that have arrived, in subfolders too', async () => {
    await mkdir(path.join(temporary.path, 'unpacked'));
    await writeFile(path.join(temporary.path, 'archive'), Buffer.alloc(1_000_000));
    await writeFile(path.join(temporary.path, 'unpacked/program'), Buffer.alloc(500_000));
    await withProgress(progressOf(), async () => {
      await untilFact(() => reports.length > 2, 'two reports on the way');
    });
    expect(reports[1]).toMatch(/^Fetching it: 1\.5 MB after \d s$/);
  });

  test('passes its failure on, and is reported once where there is no folder', async () => {
    const folder = path.join(temporary.path, 'missing');
    const failing = withProgress(progressOf({ folder }), async () => {
      await untilFact(() => reports.length > 0, 'the first report');
      throw new Error('the line is down');
    });
    await expect(failing).rejects.toThrow('the line is down');
    expect(reports).toHaveLength(1);
  });
});
