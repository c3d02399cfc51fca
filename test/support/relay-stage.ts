// A relay between a test, which plays the frontend, and a raw socket, on which it plays the
// upstream.
import type { BackendEvent, Exchange } from '../../src/backends/backend.ts';
import type { CancelDelivery } from '../../src/backends/postgres/cancel.ts';
import { Relay } from '../../src/backends/postgres/relay.ts';
import { ReportedParameters } from '../../src/backends/postgres/reported-parameters.ts';
import type { Limits } from '../../src/config.ts';
import type { ServiceError } from '../../src/errors.ts';
import { Guard } from '../../src/guardrails/guard.ts';
import { frameTypes } from './backend-frames.ts';
import { openLoopback } from './loopback.ts';
import type { Loopback } from './loopback.ts';
import { queryFrame } from './wire-client.ts';

const LIMITS: Limits = {
  rowsMax: 3,
  bytesMax: 1_000_000,
  queryTimeoutMs: 30_000,
  onLimit: 'error',
};

export interface RelayStageOptions {
  /** How a cancel goes; it is taken at once without it. */
  readonly sendCancel?: () => Promise<CancelDelivery>;
  readonly cancelGraceMs?: number;
  /** How the frontend takes what it has not asked for; at once without it. */
  readonly takeUnsolicited?: () => Promise<void>;
}

/** An exchange that is running. */
export interface RunningExchange {
  /** Events so far. */
  readonly events: readonly BackendEvent[];
  /** All events, once the exchange is over. */
  readonly done: Promise<readonly BackendEvent[]>;
  readonly guard: Guard;
  readonly stop: (error: ServiceError) => void;
}

export interface RelayStage extends Loopback {
  readonly relay: Relay;
  /** What came between exchanges, a call a line. */
  readonly unsolicited: readonly Buffer[];
  /** How the relay said that the upstream has gone. */
  readonly closings: readonly (readonly [reason: ServiceError, isTold: boolean])[];
  /** Cancels sent. */
  readonly cancels: number;
  /** Begins an exchange; events are taken as they come. */
  start(options?: {
    readonly limits?: Partial<Limits>;
    readonly frames?: Exchange['frames'];
    /** Before each further event is asked for. */
    readonly onEvent?: (event: BackendEvent) => Promise<void> | void;
  }): RunningExchange;
}

/** Everything but the upstream's answers. */
export async function openRelayStage(options: RelayStageOptions = {}): Promise<RelayStage> {
  const loopback = await openLoopback();
  const unsolicited: Buffer[] = [];
  const closings: (readonly [ServiceError, boolean])[] = [];
  let cancels = 0;
  const relay = new Relay({
    upstream: {
      socket: loopback.near,
      cancelKey: { processId: 1, secretKey: 2 },
      parameters: new ReportedParameters(),
      notices: [],
    },
    frontend: {
      unsolicited: async (chunks) => {
        unsolicited.push(Buffer.concat(chunks));
        await options.takeUnsolicited?.();
      },
      closed: (reason, { isTold }) => {
        closings.push([reason, isTold]);
      },
    },
    sendCancel: async () => {
      cancels += 1;
      return (await options.sendCancel?.()) ?? 'taken';
    },
    cancelGraceMs: options.cancelGraceMs ?? 10_000,
  });
  return {
    ...loopback,
    relay,
    unsolicited,
    closings,
    get cancels() {
      return cancels;
    },
    start: ({ limits, frames = [queryFrame('select 1')], onEvent } = {}) => {
      const guard = new Guard({ ...LIMITS, ...limits });
      const stopper = new AbortController();
      const events: BackendEvent[] = [];
      const take = async (): Promise<readonly BackendEvent[]> => {
        for await (const event of relay.execute({ frames, guard, signal: stopper.signal })) {
          events.push(event);
          await onEvent?.(event);
        }
        return events;
      };
      return {
        events,
        done: take(),
        guard,
        stop: (error) => {
          stopper.abort(error);
        },
      };
    },
  };
}

/** The bytes that events hand to the frontend. */
export function forwardedBytes(events: readonly BackendEvent[]): Buffer {
  return Buffer.concat(events.flatMap((event) => (event.kind === 'frames' ? event.chunks : [])));
}

/** Events in short: types of frames, then one word or two for each of the others. */
export function summaryOf(events: readonly BackendEvent[]): string {
  const words: string[] = [];
  let bytes: Buffer = Buffer.alloc(0);
  const flush = (): void => {
    if (bytes.length > 0) {
      words.push(frameTypes(bytes));
      bytes = Buffer.alloc(0);
    }
  };
  for (const event of events) {
    if (event.kind === 'frames') {
      bytes = Buffer.concat([bytes, ...event.chunks]);
    } else {
      flush();
      words.push(wordFor(event));
    }
  }
  flush();
  return words.join(', ');
}

function wordFor(event: Exclude<BackendEvent, { kind: 'frames' }>): string {
  switch (event.kind) {
    case 'notice':
      return `notice ${event.notice.sqlState}`;
    case 'complete':
      return `complete ${event.commandTag}`;
    case 'error':
      return `${event.error.severity} ${event.error.sqlState}`;
    case 'gone':
      return `gone ${event.error.sqlState}`;
    case 'ready':
      return `${event.isForwarded ? 'was ready' : 'ready'} ${event.status}`;
    default:
      // What only a backend yields that encodes nothing itself.
      return event.kind;
  }
}
