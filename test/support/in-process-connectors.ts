// A sink and a source that live in the test: the runtime takes them like any others.
import { z } from 'zod';
import { ConnectorError } from '../../src/connectors/connector-error.ts';
import type {
  ConsumedBatch,
  ConsumeOutcome,
  ProducedMessage,
  Sink,
  Source,
  SourceBatch,
} from '../../src/connectors/connector.ts';

/** What a sink answers that has stored the first so many messages of a batch. */
export function consumed(settledCount: number, failure?: ConnectorError): ConsumeOutcome {
  return {
    settledCount,
    storedCount: settledCount,
    replayedCount: 0,
    deadLetteredCount: 0,
    skippedCount: 0,
    errorsCount: failure === undefined ? 0 : 1,
    failure,
  };
}

export type Consume = (
  batch: ConsumedBatch,
  signal: AbortSignal,
) => ConsumeOutcome | Promise<ConsumeOutcome>;

export interface InProcessSink extends Sink {
  /** Payloads of each batch, in the order in which they came. */
  readonly batches: readonly { readonly place: string; readonly payloads: readonly string[] }[];
  /** `open` and `close` as they were called. */
  readonly calls: readonly string[];
  /** All payloads. */
  payloads(): readonly string[];
  /** Tells the runtime that another instance may be at work. */
  loseLease(): void;
}

/** Keeps what it is given; a test may answer for it. */
export function createInProcessSink(own?: Consume): InProcessSink {
  const batches: { place: string; payloads: string[] }[] = [];
  const calls: string[] = [];
  let lease = new AbortController();
  return {
    batches,
    calls,
    payloads: () => batches.flatMap(({ payloads }) => payloads),
    loseLease: () => {
      lease.abort(new ConnectorError('lease-lost', 'Another instance may be at work'));
    },
    open: async (signal) => {
      calls.push('open');
      signal.throwIfAborted();
      lease = new AbortController();
      return await Promise.resolve(lease.signal);
    },
    consume: async (batch, signal) => {
      const { stream, topic, partitionId, messages } = batch;
      batches.push({
        place: `${stream}/${topic}/${partitionId}`,
        payloads: messages.map(({ payload }) => payload.toString()),
      });
      return (await own?.(batch, signal)) ?? consumed(messages.length);
    },
    close: async () => {
      calls.push('close');
      await Promise.resolve();
    },
  };
}

export interface InProcessSource extends Source {
  /** What it was asked, with the state that it was opened with. */
  readonly calls: readonly string[];
  /** What is to be read; a record leaves when it is acknowledged. */
  readonly records: string[];
}

export interface InProcessSourceOptions {
  readonly records: string[];
  readonly batchSize?: number;
  readonly pollIntervalMs?: number;
  /** Runs at the beginning of the call of this name. */
  readonly before?: (call: 'open' | 'poll' | 'acknowledge') => unknown;
}

const SAVED = z.object({ done: z.number(), owed: z.number() });

/** Reads records in their order; its state is how many it has read, and how many it owes. */
export function createInProcessSource(options: InProcessSourceOptions): InProcessSource {
  const { records, batchSize = 10, pollIntervalMs = 5, before } = options;
  const calls: string[] = [];
  let acknowledgedCount = 0;
  let owedCount = 0;
  const stateOf = (owed: number): string => JSON.stringify({ done: acknowledgedCount, owed });
  return {
    calls,
    records,
    pollIntervalMs,
    open: async (state) => {
      calls.push(`open ${state ?? 'anew'}`);
      const saved = SAVED.parse(JSON.parse(state ?? '{"done":0,"owed":0}'));
      acknowledgedCount = saved.done;
      owedCount = saved.owed;
      await before?.('open');
    },
    poll: async () => {
      calls.push('poll');
      await before?.('poll');
      const read = records.slice(acknowledgedCount, acknowledgedCount + batchSize);
      const messages = read.map((text, index) => messageOf(text, acknowledgedCount + index));
      owedCount = read.length;
      const state = read.length === 0 ? undefined : stateOf(owedCount);
      return { messages, state, isFull: read.length === batchSize } satisfies SourceBatch;
    },
    acknowledge: async () => {
      calls.push(`acknowledge ${owedCount}`);
      await before?.('acknowledge');
      if (owedCount === 0) {
        return undefined;
      }
      acknowledgedCount += owedCount;
      owedCount = 0;
      return stateOf(0);
    },
    close: async () => {
      calls.push('close');
      await Promise.resolve();
    },
  };
}

function messageOf(text: string, index: number): ProducedMessage {
  return {
    id: BigInt(index + 1),
    payload: Buffer.from(text),
    headers: [],
    partitionHash: 2 ** 32 - 1 - index,
  };
}
