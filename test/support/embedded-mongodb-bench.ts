import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { EmbeddedMongodb, EmbeddedMongodbOptions } from '../../src/embedded/mongodb.ts';
import { createEmbeddedMongodb } from '../../src/embedded/mongodb.ts';
import type { Observation } from '../../src/observation.ts';
import { untilFound } from './facts.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** Where the global set-up keeps the program that it has fetched. */
const PROGRAMS = path.resolve(import.meta.dirname, '../../node_modules/.cache/gatepost');

/** A data directory, and all that a test starts in it. */
export interface EmbeddedMongodbBench {
  readonly directory: string;
  readonly observations: readonly Observation[];
  create(options?: Partial<EmbeddedMongodbOptions>): EmbeddedMongodb;
  /** Started and running. */
  run(): Promise<EmbeddedMongodb>;
  /** A process of its own that does the same until its input ends. */
  startElsewhere(programs?: string, environment?: NodeJS.ProcessEnv): EmbeddedMongodbProcess;
  /** The process id of the running server. */
  serverPid(): Promise<number>;
  /** What was observed of that kind: sentences for the operator. */
  messages(kind: 'component-reported' | 'risk-noticed'): readonly string[];
  /** Stops what is still running and removes the directory. */
  remove(): Promise<void>;
}

export interface EmbeddedMongodbProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** Its connection string, or why it has none. */
  readonly said: Promise<string>;
}

export async function createEmbeddedMongodbBench(): Promise<EmbeddedMongodbBench> {
  const temporary = await createTemporaryDirectory();
  const directory = path.join(temporary.path, 'data');
  const observations: Observation[] = [];
  const created: EmbeddedMongodb[] = [];
  const ends: (() => Promise<unknown>)[] = [];
  const create: EmbeddedMongodbBench['create'] = (options) => {
    const mongodb = createEmbeddedMongodb({
      directory,
      observer: { observe: (observation) => observations.push(observation) },
      binary: process.env['MONGOD_BINARY'],
      programsDirectory: PROGRAMS,
      ...options,
    });
    created.push(mongodb);
    return mongodb;
  };
  return {
    directory,
    observations,
    create,
    run: async () => {
      const { signal } = new AbortController();
      const mongodb = create();
      await mongodb.start(signal);
      await mongodb.untilRunning(signal);
      return mongodb;
    },
    startElsewhere: (programs = PROGRAMS, environment = process.env) => {
      const loader = path.join(import.meta.dirname, 'typescript.js');
      const script = path.join(import.meta.dirname, 'run-embedded-mongodb.ts');
      const args = ['--import', loader, script, directory, programs];
      const child = spawn(process.execPath, args, {
        detached: true,
        env: environment,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const closed = once(child, 'close');
      ends.push(async () => {
        child.stdin.end();
        await closed;
      });
      const line = once(createInterface(child.stdout), 'line');
      const said = Promise.race([line, once(child, 'exit')]).then(([word]) => String(word));
      return { child, said };
    },
    serverPid: async () =>
      await untilFound(async () => {
        const file = path.join(directory, 'mongodb/mongod.lock');
        const content = await readFile(file, 'utf8').catch(() => '');
        return content.trim() === '' ? undefined : Number.parseInt(content, 10);
      }, 'the process id of mongod'),
    messages: (kind) =>
      observations.flatMap((observation) =>
        observation.kind === kind ? [observation.message] : [],
      ),
    remove: async () => {
      for (const mongodb of created) {
        await mongodb.stop(AbortSignal.abort());
      }
      await Promise.all(ends.map(async (end) => await end()));
      await temporary.remove();
    },
  };
}
