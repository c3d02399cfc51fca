import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TemporaryDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * A new folder below the system's own for temporary files. Other accounts may pass through it:
 * PostgreSQL does not run as root, and must find its data.
 */
export async function createTemporaryDirectory(): Promise<TemporaryDirectory> {
  const directory = await mkdtemp(path.join(tmpdir(), 'gatepost-test-'));
  await chmod(directory, 0o711);
  return {
    path: directory,
    remove: async () => {
      await rm(directory, { recursive: true, force: true });
    },
  };
}
