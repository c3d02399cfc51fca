// Where a source has got to, on disk: one file a source, replaced as a whole, held by one process.
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { toErrorCode } from '../error-code.ts';
import { ProcessLockError, takeLock } from '../process-lock.ts';
import type { ReleaseLock } from '../process-lock.ts';
import { ConnectorError } from './connector-error.ts';
import { isMessagePack, RUST_STATE } from './source-state.ts';

/** A state holds at most what one batch of a source owes; more is not one. */
const STATE_BYTES_MAX = 64 * 1024 * 1024;

/** More than most states have: what a disk must have room for before a source begins. */
const PROOF_BYTES = 1024 * 1024;

const DRAFT_SUFFIX = '.tmp';

export interface StatePlace {
  readonly directory: string;
  /** Of the source. */
  readonly key: string;
}

/** A source's saved state. Its text is the source's own affair. */
export class StateStore {
  readonly #directory: string;
  readonly #file: string;
  readonly #draft: string;
  readonly #releaseLock: ReleaseLock;

  private constructor(directory: string, file: string, releaseLock: ReleaseLock) {
    this.#directory = directory;
    this.#file = file;
    // Containers that share a disk do not see each other's locks, and give the same process ids.
    this.#draft = `${file}.${randomUUID()}${DRAFT_SUFFIX}`;
    this.#releaseLock = releaseLock;
  }

  /**
   * Makes the directory, and this process the only one at the file. The caller closes it.
   *
   * @throws ConnectorError `init` when the directory cannot be written to, `lease-lost` when
   *   another process is at the file
   */
  static async open({ directory, key }: StatePlace): Promise<StateStore> {
    const file = path.join(directory, `source_${encodeURIComponent(key)}.state`);
    const releaseLock = await prepare(directory, file);
    return new StateStore(directory, file, releaseLock);
  }

  /**
   * The saved state; undefined when there is none.
   *
   * @throws ConnectorError `invalid-state` when it cannot be one, `init` when it cannot be read
   */
  async load(): Promise<string | undefined> {
    const bytes = await this.#read();
    if (bytes !== undefined && (bytes.length === 0 || !isUtf8(bytes))) {
      throw isMessagePack(bytes)
        ? new ConnectorError('invalid-state', RUST_STATE)
        : this.#notAState();
    }
    return bytes?.toString('utf8');
  }

  async #read(): Promise<Buffer | undefined> {
    try {
      const { size } = await stat(this.#file);
      if (size > STATE_BYTES_MAX) {
        throw this.#notAState();
      }
      return await readFile(this.#file);
    } catch (error) {
      if (toErrorCode(error) === 'ENOENT') {
        return undefined;
      }
      throw error instanceof ConnectorError ? error : unusable('read', this.#file, error);
    }
  }

  #notAState(): ConnectorError {
    return new ConnectorError(
      'invalid-state',
      `${this.#file} is not a saved state: put it back from a backup, or remove it to read ` +
        'everything from the beginning',
    );
  }

  /**
   * Resolves when the directory has taken a file of some size, and again the state that is there:
   * a full disk is found out before anything depends on it.
   *
   * @throws ConnectorError `init`
   */
  async prove(state: string | undefined): Promise<void> {
    try {
      await writeDurably(this.#draft, ' '.repeat(PROOF_BYTES));
    } catch (error) {
      throw unusable('write to', this.#directory, error);
    } finally {
      await rm(this.#draft, { force: true }).catch(() => undefined);
    }
    if (state !== undefined) {
      await this.save(state);
    }
  }

  /**
   * Resolves when the state is on disk, also for a machine that loses its power now. Before that
   * the former one is there, never a part of either.
   *
   * @throws ConnectorError `init`; `invalid-config` for one that could not be loaded again
   */
  async save(state: string): Promise<void> {
    const bytes = Buffer.byteLength(state);
    if (bytes > STATE_BYTES_MAX) {
      throw new ConnectorError(
        'invalid-config',
        `A state of ${bytes} bytes is larger than one may be (${STATE_BYTES_MAX}) and is not ` +
          'saved: set a smaller batch_size',
      );
    }
    try {
      await rm(this.#draft, { force: true });
      await writeDurably(this.#draft, state);
      await rename(this.#draft, this.#file);
      await syncDirectory(this.#directory);
    } catch (error) {
      throw unusable('save the state in', this.#file, error);
    }
  }

  /** Lets others at the file; does not throw. */
  async close(): Promise<void> {
    try {
      await this.#releaseLock();
    } catch {
      // A lock that cannot be removed is seen to be ours, or of a process that has ended.
    }
  }
}

/** Of whoever has ended within a save. */
async function removeDrafts(directory: string, file: string): Promise<void> {
  const start = path.basename(file);
  for (const name of await readdir(directory)) {
    if (name.startsWith(`${start}.`) && name.endsWith(DRAFT_SUFFIX)) {
      await rm(path.join(directory, name), { force: true });
    }
  }
}

async function prepare(directory: string, file: string): Promise<ReleaseLock> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const releaseLock = await takeLock(`${file}.lock`);
    // Whoever wrote them has ended: nobody else has the lock.
    await removeDrafts(directory, file);
    return releaseLock;
  } catch (error) {
    if (error instanceof ProcessLockError && error.isWritable) {
      throw new ConnectorError(
        'lease-lost',
        `Another process is at ${file} (${error.message}): stop it, or give each a [state] path ` +
          'of its own',
      );
    }
    throw unusable('write to', directory, error);
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  await closing(handle, async () => {
    await handle.writeFile(text);
    await handle.sync();
  });
}

/** A renamed file is only there for good when its directory is on disk too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await closing(handle, async () => {
    await handle.sync();
  });
}

async function closing(handle: FileHandle, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await handle.close();
  }
}

/** `init`, so that it is tried again: a full disk is emptied by somebody who knows of it. */
function unusable(action: string, file: string, error: unknown): ConnectorError {
  const cause = error instanceof ProcessLockError ? error.cause : error;
  const code = toErrorCode(cause) ?? 'an unknown error';
  return new ConnectorError(
    'init',
    `Cannot ${action} ${file} (${code}): make it writable for the user who runs Gatepost, with ` +
      'room on its disk, or set [state] path to another directory',
  );
}
