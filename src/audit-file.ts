import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { types } from 'node:util';
import type { FileHandle } from 'node:fs/promises';

/** Where audit lines go: an append-only file or standard output. */
export interface AuditOutput {
  /** Whether what is there already ends within a line, as after a crash or on a full disk. */
  readonly isLineOpen: boolean;
  /** Resolves with how many of the bytes were taken, which may be fewer than given. */
  write(bytes: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Only the service's own user may read what other people's statements say. */
const FILE_MODE = 0o600;

/** The file is also read, for its last byte. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

export const LINE_END = 0x0a;

/**
 * Opens the file for appending and makes it, mode 0600, when it is not there; `-` is standard
 * output. Rejects with an error that names AUDIT_FILE.
 */
export async function openAuditOutput(file: string): Promise<AuditOutput> {
  if (file === '-') {
    return createStandardOutput();
  }
  if (await isPipe(file)) {
    // A pipe without a reader would swallow lines, and one with a slow reader loses them.
    throw new Error(`AUDIT_FILE ${file} is a named pipe: name a file, or - for standard output`);
  }
  try {
    return await openFileOutput(file);
  } catch (error) {
    const reason = types.isNativeError(error) ? error.message : 'unknown reason';
    throw new Error(
      `Cannot open AUDIT_FILE ${file}: ${reason}; name a file that this user can write to`,
      { cause: error },
    );
  }
}

async function isPipe(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFIFO();
  } catch {
    // Not there yet, or out of reach: opening it tells.
    return false;
  }
}

async function openFileOutput(file: string): Promise<AuditOutput> {
  const handle = await open(file, FLAGS, FILE_MODE);
  try {
    return createFileOutput(handle, await readsOpenLine(handle));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readsOpenLine(handle: FileHandle): Promise<boolean> {
  const stats = await handle.stat();
  if (!stats.isFile() || stats.size === 0) {
    return false;
  }
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, stats.size - 1);
  return last[0] !== LINE_END;
}

function createFileOutput(handle: FileHandle, isLineOpen: boolean): AuditOutput {
  return {
    isLineOpen,
    async write(bytes) {
      return (await handle.write(bytes)).bytesWritten;
    },
    async close() {
      await handle.close();
    },
  };
}

function createStandardOutput(): AuditOutput {
  const { stdout } = process;
  // A failed write is told by its own callback; unheard, this event would end the service.
  stdout.on('error', () => undefined);
  return {
    isLineOpen: false,
    async write(bytes) {
      return await new Promise<number>((resolve, reject) => {
        stdout.write(bytes, (error) => {
          if (error) {
            reject(error);
          } else {
            resolve(bytes.length);
          }
        });
      });
    },
    close() {
      // Standard output belongs to the process.
      return Promise.resolve();
    },
  };
}
