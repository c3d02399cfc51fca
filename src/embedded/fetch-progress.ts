import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

export interface Progress {
  /** What is under way: the beginning of each sentence. */
  readonly title: string;
  /** Where the bytes arrive. */
  readonly folder: string;
  /** Takes a sentence for the operator. */
  readonly report: (message: string) => void;
  readonly intervalMs: number;
}

/** Does the work, and reports at its beginning and at each interval how far it is. */
export async function withProgress<Result>(
  { title, folder, report, intervalMs }: Progress,
  work: () => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  let isUnderWay = true;
  const reportBytes = (bytes: number): void => {
    if (isUnderWay) {
      const seconds = Math.round((performance.now() - began) / 1_000);
      report(`${title}: ${(bytes / 1_000_000).toFixed(1)} MB after ${seconds} s`);
    }
  };
  report(`${title}; nothing else waits for it`);
  const timer = setInterval(() => {
    bytesBelow(folder).then(reportBytes, () => undefined);
  }, intervalMs);
  try {
    return await work();
  } finally {
    isUnderWay = false;
    clearInterval(timer);
  }
}

/** Files that come and go meanwhile count for nothing. */
async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = entries.map(async (entry) => {
    const found = await stat(path.join(folder, entry)).catch(() => undefined);
    return found?.isFile() === true ? found.size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
