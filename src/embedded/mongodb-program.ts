import { run } from './command.ts';
import { withDeadline } from './deadline.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/** A mongod that runs on this machine. */
export interface MongodProgram {
  readonly file: string;
  /** As it says itself, like 6.0.5. */
  readonly version: string;
}

/** What an operator can do about a mongod that cannot be had or does not work. */
export const MONGODB_ADVICE =
  'set MONGODB_URI to use your own MongoDB, MONGOD_BINARY to name a mongod of this machine, or ' +
  'WIRE_MONGODB_PORT=off to do without';

/** Earlier ones lack much of what the shell's commands need. */
const VERSION_MIN = [4, 4] as const;

/** Cold, from a slow disk; usually a tenth of a second. */
const VERSION_TIMEOUT_MS = 15_000;

/** Asks the program for its version, which shows that it finds its libraries and its CPU. */
export async function checkProgram(file: string, signal: AbortSignal): Promise<MongodProgram> {
  const lateError = new EmbeddedDatabaseError(
    `${file} --version did not end within ${VERSION_TIMEOUT_MS} ms`,
  );
  const command = { file, args: ['--version'], account: undefined, advice: MONGODB_ADVICE };
  const { output } = await withDeadline(
    signal,
    VERSION_TIMEOUT_MS,
    lateError,
    async (both) => await run(command, both),
  );
  const version = /^db version v(\d+\.\d+\.\d+)/m.exec(output)?.[1];
  if (version === undefined) {
    throw new EmbeddedDatabaseError(
      `${file} does not run as a mongod: ${output === '' ? 'it says nothing' : output}`,
    );
  }
  if (isTooOld(version)) {
    throw new EmbeddedDatabaseError(
      `${file} is MongoDB ${version}, and at least ${VERSION_MIN.join('.')} is needed`,
    );
  }
  return { file, version };
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = VERSION_MIN;
  return major < majorMin || (major === majorMin && minor < minorMin);
}
