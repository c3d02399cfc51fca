import type { FileHandle } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';

/**
 * Writes a file in a folder that belongs to the server's account. We may be root, and whoever can
 * make links there must not choose what root writes to: what is there is removed, never opened.
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  const handle = await openReplaced(file, 0o644);
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

/** As `replaceFile`, for a file that is written over time. The caller closes it. */
export async function openReplaced(file: string, mode: number): Promise<FileHandle> {
  await rm(file, { force: true });
  return await open(file, 'wx', mode);
}
