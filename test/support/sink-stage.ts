// A sink run on an Iggy in memory, with what it reports.
import type { IggyClient, IggyClientOptions } from '../../src/connectors/iggy-client.ts';
import type { SinkStream } from '../../src/connectors/runtime-config.ts';
import type { SinkAnchors } from '../../src/connectors/sink-anchor.ts';
import { createSinkRun } from '../../src/connectors/sink-runner.ts';
import type { SinkRunOptions } from '../../src/connectors/sink-runner.ts';
import { createInProcessSink } from './in-process-connectors.ts';
import type { Consume, InProcessSink } from './in-process-connectors.ts';
import { startMemoryIggy } from './memory-iggy.ts';
import type { MemoryIggy } from './memory-iggy.ts';
import { createImpatientClient, createRecordedLog, startRun } from './run-stage.ts';
import type { RecordedLog, StartedRun } from './run-stage.ts';

const STREAM: SinkStream = {
  stream: 'app',
  topics: ['events'],
  schema: 'json',
  batchLength: 10,
  pollIntervalMs: 1,
  consumerGroup: 'group',
};

export interface SinkStart {
  readonly stream?: Partial<SinkStream>;
  readonly client?: Partial<IggyClientOptions>;
  readonly consume?: Consume;
  readonly sink?: InProcessSink;
  /** Of runs before. */
  readonly anchors?: SinkAnchors;
  readonly timing?: Pick<SinkRunOptions, 'discoveryMs' | 'resetCheckMs'>;
}

export interface StartedSink {
  readonly run: StartedRun;
  readonly sink: InProcessSink;
  readonly log: RecordedLog;
}

export interface SinkStage {
  /** With topic `events` of stream `app`, of one partition. */
  readonly iggy: MemoryIggy;
  /** Runs a sink on the topic; what matters to a test is given. */
  readonly start: (options?: SinkStart) => StartedSink;
  /** Of the topic's partition. */
  readonly storedOffset: (partitionId?: number) => number | undefined;
  /** The paths of the requests so far that were of this kind. */
  readonly requestsOf: (method: string, part: string) => readonly string[];
  close(): Promise<void>;
}

/** The caller closes it. */
export async function createSinkStage(): Promise<SinkStage> {
  const iggy = await startMemoryIggy();
  iggy.createTopic('app/events', 1);
  const clients: IggyClient[] = [];
  const runs: StartedRun[] = [];
  return {
    iggy,
    start: ({ stream, client: own, consume, sink, anchors, timing } = {}) => {
      const used = sink ?? createInProcessSink(consume);
      const log = createRecordedLog();
      const client = createImpatientClient(iggy.address, own);
      const streams = [{ ...STREAM, ...stream }];
      const more = anchors === undefined ? timing : { ...timing, anchors };
      const run = startRun(createSinkRun(() => used, { client, streams, log, ...more }));
      clients.push(client);
      runs.push(run);
      return { run, sink: used, log };
    },
    storedOffset: (partitionId = 0) => iggy.offsets.get(`group app/events ${partitionId}`),
    requestsOf: (method, part) =>
      iggy.requests
        .filter((request) => request.method === method && request.path.includes(part))
        .map(({ path }) => path),
    close: async () => {
      for (const run of runs) {
        await run.abort();
      }
      for (const client of clients) {
        client.close();
      }
      await iggy.stop();
    },
  };
}

/** Payloads, each another. */
export function texts(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) => `m${from + index}`);
}
