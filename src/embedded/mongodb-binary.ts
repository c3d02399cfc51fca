import path from 'node:path';
import { run } from './command.ts';
import { withDeadline } from './deadline.ts';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';
import { withProgress } from './fetch-progress.ts';
import { findKeptProgram, keepProgram } from './mongodb-cache.ts';
import type { Fetch } from './mongodb-fetch.ts';
import { fetchesOf } from './mongodb-fetch.ts';
import type { MongodProgram } from './mongodb-program.ts';
import { checkProgram, MONGODB_ADVICE } from './mongodb-program.ts';

/** How long one way to fetch the program may take: some 100 MB over a slow line. */
const FETCH_TIMEOUT_MS = 180_000;

/** How often the operator reads that the fetch goes on. */
const PROGRESS_INTERVAL_MS = 5_000;

export interface MongodSearch {
  /** The operator's own choice, MONGOD_BINARY. */
  readonly binary: string | undefined;
  /** Where fetched programs are kept. */
  readonly programsDirectory: string;
  /** Takes what is under way: a sentence for the operator. */
  readonly report: (message: string) => void;
}

/**
 * The first mongod that works: the operator's, which nothing replaces when it is broken; one on the
 * PATH; one kept from an earlier fetch; a fetched one.
 *
 * @throws EmbeddedDatabaseError that says of each way why it failed; the signal's reason
 */
export async function findMongod(
  search: MongodSearch,
  signal: AbortSignal,
): Promise<MongodProgram> {
  if (search.binary !== undefined) {
    return await checkChosen(path.resolve(search.binary), signal);
  }
  const failures: string[] = [];
  const attempts: readonly Attempt[] = [
    ['the PATH', async () => await findOnPath(signal)],
    [search.programsDirectory, async () => await findKept(search.programsDirectory, signal)],
    ...fetchesOf(process.platform, process.arch).map((fetch): Attempt => [
      fetch.title,
      async () => await fetchProgram(search, fetch, signal),
    ]),
  ];
  for (const [title, attempt] of attempts) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new EmbeddedDatabaseError(
    `No mongod is to be had: ${MONGODB_ADVICE}\n${failures.join('\n')}`,
  );
}

/** What is tried, for the sentence about its failure, and how. */
type Attempt = readonly [title: string, attempt: () => Promise<MongodProgram>];

async function checkChosen(file: string, signal: AbortSignal): Promise<MongodProgram> {
  try {
    return await checkProgram(file, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new EmbeddedDatabaseError(
      `MONGOD_BINARY names ${file}, which does not work: mend or unset it`,
      error,
    );
  }
}

async function findOnPath(signal: AbortSignal): Promise<MongodProgram> {
  // The shell knows the PATH; the server itself is started without our environment.
  const { output } = await run(
    {
      file: '/bin/sh',
      args: ['-c', 'command -v mongod'],
      account: undefined,
      isEnvironmentInherited: true,
      advice: MONGODB_ADVICE,
    },
    signal,
  );
  if (!path.isAbsolute(output)) {
    throw new EmbeddedDatabaseError('there is no mongod');
  }
  return await checkProgram(output, signal);
}

async function findKept(programsDirectory: string, signal: AbortSignal): Promise<MongodProgram> {
  const kept = await findKeptProgram(programsDirectory, signal);
  if (kept === undefined) {
    throw new EmbeddedDatabaseError('no working mongod is kept there');
  }
  return kept;
}

async function fetchProgram(
  search: MongodSearch,
  way: Fetch,
  signal: AbortSignal,
): Promise<MongodProgram> {
  const lateError = new EmbeddedDatabaseError(`not done within ${FETCH_TIMEOUT_MS / 1_000} s`);
  const title = `Fetching MongoDB's program by ${way.title}`;
  return await withDeadline(signal, FETCH_TIMEOUT_MS, lateError, async (both) => {
    return await keepProgram(search.programsDirectory, both, async (folder) => {
      const progress = { title, folder, report: search.report, intervalMs: PROGRESS_INTERVAL_MS };
      return await withProgress(progress, async () => await way.fetch(folder, both));
    });
  });
}
