// A source run into an Iggy in memory, with its state in a temporary folder.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { IggyClient } from '../../src/connectors/iggy-client.ts';
import type { SourceStream } from '../../src/connectors/runtime-config.ts';
import { createSourceRun } from '../../src/connectors/source-runner.ts';
import { untilFact } from './facts.ts';
import { createInProcessSource } from './in-process-connectors.ts';
import type { InProcessSource, InProcessSourceOptions } from './in-process-connectors.ts';
import { startMemoryIggy } from './memory-iggy.ts';
import type { MemoryIggy } from './memory-iggy.ts';
import { createImpatientClient, createRecordedLog, startRun } from './run-stage.ts';
import type { RecordedLog, StartedRun } from './run-stage.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

const STREAM: SourceStream = {
  stream: 'app',
  topic: 'events',
  schema: 'json',
  batchLength: 1000,
  isAutoCreated: false,
  partitionsCount: 1,
};

export interface StartedSource {
  readonly source: InProcessSource;
  readonly run: StartedRun;
  readonly log: RecordedLog;
}

export interface SourceStage {
  /** With topic `events` of stream `app`, of one partition. */
  readonly iggy: MemoryIggy;
  /** Where the state is. */
  readonly directory: string;
  readonly stateFile: string;
  /** Runs a source of these records. */
  readonly start: (own: InProcessSourceOptions, stream?: Partial<SourceStream>) => StartedSource;
  /** Null when there is none. */
  readonly savedState: () => Promise<unknown>;
  readonly untilSaved: (state: unknown) => Promise<void>;
  /** Of everything that was stored; a replay has the same ones again. */
  readonly sentIds: () => readonly string[];
  close(): Promise<void>;
}

/** The caller closes it. */
export async function createSourceStage(): Promise<SourceStage> {
  const iggy = await startMemoryIggy();
  iggy.createTopic('app/events', 1);
  const directory = await createTemporaryDirectory();
  const stateFile = path.join(directory.path, 'source_orders.state');
  const clients: IggyClient[] = [];
  const runs: StartedRun[] = [];
  const savedState = async (): Promise<unknown> =>
    JSON.parse(await readFile(stateFile, 'utf8').catch(() => 'null'));
  return {
    iggy,
    directory: directory.path,
    stateFile,
    start: (own, stream = {}) => {
      const source = createInProcessSource(own);
      const client = createImpatientClient(iggy.address);
      const log = createRecordedLog();
      const run = startRun(
        createSourceRun(() => source, {
          client,
          stream: { ...STREAM, ...stream },
          state: { directory: directory.path, key: 'orders' },
          log,
          partitionsCheckMs: 0,
        }),
      );
      clients.push(client);
      runs.push(run);
      return { source, run, log };
    },
    savedState,
    untilSaved: async (state) => {
      const wanted = JSON.stringify(state);
      const isSaved = async (): Promise<boolean> => JSON.stringify(await savedState()) === wanted;
      await untilFact(isSaved, `a saved ${wanted}`);
    },
    sentIds: () =>
      (iggy.topics.get('app/events') ?? []).flatMap(({ messages }) => messages.map(({ id }) => id)),
    close: async () => {
      for (const run of runs) {
        await run.abort();
      }
      for (const client of clients) {
        client.close();
      }
      await iggy.stop();
      await directory.remove();
    },
  };
}

/** Each another. */
export function records(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `r${index}`);
}
