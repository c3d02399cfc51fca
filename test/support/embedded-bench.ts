import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { EmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { createEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import type { Observation } from '../../src/observation.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** A data directory, and all that a test starts in it. */
export interface EmbeddedBench {
  readonly directory: string;
  readonly observations: readonly Observation[];
  create(options?: { readonly startTimeoutMs?: number }): EmbeddedPostgres;
  start(options?: { readonly startTimeoutMs?: number }): Promise<EmbeddedPostgres>;
  /** A process of its own, which runs the server until its input ends. */
  startElsewhere(): Promise<EmbeddedProcess>;
  /** The process id of the running server. */
  serverPid(): Promise<number>;
  /** What was reported to the operator. */
  reports(): readonly string[];
  /** Stops what is still running and removes the directory. */
  remove(): Promise<void>;
}

export interface EmbeddedProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly pid: number;
  readonly dsn: string;
}

export async function createEmbeddedBench(): Promise<EmbeddedBench> {
  const temporary = await createTemporaryDirectory();
  const directory = path.join(temporary.path, 'data');
  const observations: Observation[] = [];
  const created: EmbeddedPostgres[] = [];
  const observer = {
    observe: (observation: Observation): void => {
      observations.push(observation);
    },
  };
  const create: EmbeddedBench['create'] = (options) => {
    const postgres = createEmbeddedPostgres({ directory, observer, ...options });
    created.push(postgres);
    return postgres;
  };
  return {
    directory,
    observations,
    create,
    start: async (options) => {
      const postgres = create(options);
      await postgres.start(new AbortController().signal);
      return postgres;
    },
    startElsewhere: async () => await startElsewhere(directory),
    serverPid: async () => {
      const lock = await readFile(path.join(directory, 'postgres/postmaster.pid'), 'utf8');
      return Number.parseInt(lock);
    },
    reports: () =>
      observations.flatMap((observation) =>
        observation.kind === 'component-reported' ? [observation.message] : [],
      ),
    remove: async () => {
      for (const postgres of created) {
        await postgres.stop(AbortSignal.abort());
      }
      await temporary.remove();
    },
  };
}

/** Stops in good order, however long it takes. */
export async function stopEmbedded(postgres: EmbeddedPostgres): Promise<void> {
  await postgres.stop(new AbortController().signal);
}

async function startElsewhere(directory: string): Promise<EmbeddedProcess> {
  const loader = path.join(import.meta.dirname, 'typescript.js');
  const script = path.join(import.meta.dirname, 'run-embedded-postgres.ts');
  const child = spawn(process.execPath, ['--import', loader, script, directory], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  const dsn = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  return { child, pid: child.pid ?? 0, dsn: String(dsn[0]) };
}
