import { chmod, mkdir, realpath } from 'node:fs/promises';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/**
 * Creates the directory when it is missing, and gives its one true path. Others may pass through
 * (a server's account must) and not look.
 */
export async function prepareDataDirectory(directory: string): Promise<string> {
  try {
    const created = await mkdir(directory, { recursive: true });
    if (created !== undefined) {
      await chmod(directory, 0o711);
    }
    return await realpath(directory);
  } catch (error) {
    throw new EmbeddedDatabaseError(
      `Cannot create ${directory}: make its parent writable for the user who runs Gatepost, or ` +
        'set GATEPOST_DATA_DIR to another directory',
      error,
    );
  }
}
