// One session's upstream socket: frames go in unread, chunks come out cut at frame edges.
import { encodeCopyFail } from '../../../wire/protocol/frontend-messages.ts';
import { ProtocolError } from '../../../wire/protocol/frame.ts';
import { FrameScanner } from '../../../wire/protocol/frame-scanner.ts';
import type { Scan } from '../../../wire/protocol/frame-scanner.ts';
import { toServiceError } from '../../errors.ts';
import type { ServiceError } from '../../errors.ts';
import type {
  BackendEvent,
  BackendSession,
  CancelKey,
  Exchange,
  Frontend,
  Notice,
} from '../backend.ts';
import { CancelBarrier } from './cancel-barrier.ts';
import type { CancelDelivery } from './cancel.ts';
import type { ReportedParameters } from './reported-parameters.ts';
import { ExchangeRun, stoppedError } from './exchange-run.ts';
import { endedError, ignoredStopError, lostError, upstreamFault } from './relay-errors.ts';
import { UnsolicitedFrames } from './unsolicited-frames.ts';
import { UpstreamSocket } from './upstream-socket.ts';
import type { Upstream } from './upstream.ts';

/** Asynchronous frames kept while a stopped exchange is drained. */
const KEPT_BYTES_MAX = 1024 * 1024;

/** How long an upstream may go on after it was told to stop. */
const CANCEL_GRACE_MS = 2000;

export interface RelayOptions {
  readonly upstream: Upstream;
  readonly frontend: Frontend;
  /** Sends a CancelRequest for this session to its upstream. */
  readonly sendCancel: () => Promise<CancelDelivery>;
  readonly cancelGraceMs?: number;
}

/** Relays between one frontend and one upstream. */
export class Relay implements BackendSession {
  readonly cancelKey: CancelKey;
  readonly notices: readonly Notice[];
  readonly #parameters: ReportedParameters;
  readonly #unsolicited: UnsolicitedFrames;
  readonly #socket: UpstreamSocket;
  readonly #frontend: Frontend;
  readonly #cancels: CancelBarrier;
  readonly #cancelGraceMs: number;
  readonly #scanner = new FrameScanner();
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #run: ExchangeRun | undefined;
  #isDraining = false;
  #grace: NodeJS.Timeout | undefined;
  #isGone = false;
  #failure: ServiceError | undefined;
  #signal: AbortSignal | undefined;
  /** Wakes the one exchange that waits for the upstream. */
  #wake: (() => void) | undefined;

  constructor({ upstream, frontend, sendCancel, cancelGraceMs = CANCEL_GRACE_MS }: RelayOptions) {
    this.cancelKey = upstream.cancelKey;
    this.notices = upstream.notices;
    this.#parameters = upstream.parameters;
    this.#frontend = frontend;
    this.#unsolicited = new UnsolicitedFrames(upstream.parameters);
    this.#cancels = new CancelBarrier(sendCancel, (cause) => {
      this.#lose(lostError(cause));
    });
    this.#cancelGraceMs = cancelGraceMs;
    this.#socket = new UpstreamSocket(upstream.socket, {
      onChunk: this.#take,
      onLost: (failure) => {
        this.#lose(failure);
      },
    });
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#parameters.values;
  }

  async *execute(exchange: Exchange): AsyncGenerator<BackendEvent, void, undefined> {
    if (this.#cancels.settled !== undefined) {
      await this.#cancels.settled;
    }
    const run = new ExchangeRun(exchange.guard, this.#parameters.note);
    this.#run = run;
    try {
      this.#watch(exchange.signal, run);
      void this.#send(exchange.frames);
      while (run.status === undefined && !this.#isStopped(run)) {
        const chunk = this.#socket.nextChunk();
        if (chunk !== undefined) {
          yield* this.#relay(run, chunk);
        } else if (this.#isGone) {
          break;
        } else {
          await this.#change();
        }
      }
      if (run.isReadyForwarded) {
        yield run.readyEvent({ isForwarded: true });
      } else {
        yield* this.#answerUnfinished(run);
      }
    } finally {
      this.#endRun(run);
    }
  }

  async cancel(): Promise<'matched' | 'late'> {
    if (this.#run === undefined || this.#run.isReady() || this.#isGone) {
      return 'late';
    }
    await this.#cancels.send();
    return 'matched';
  }

  async close(): Promise<void> {
    if (this.#cancels.settled !== undefined) {
      await this.#cancels.settled;
    }
    this.#isGone = true;
    // An exchange that still waits for the upstream ends.
    this.#wake?.();
    await this.#socket.sayGoodbye();
  }

  /** One listener serves all exchanges that share a signal. */
  #watch(signal: AbortSignal, run: ExchangeRun): void {
    if (signal !== this.#signal) {
      this.#signal?.removeEventListener('abort', this.#onAbort);
      this.#signal = signal;
      signal.addEventListener('abort', this.#onAbort);
    }
    if (signal.aborted) {
      this.#stop(run, toServiceError(signal.reason));
    }
  }

  readonly #onAbort = (): void => {
    if (this.#run !== undefined) {
      this.#stop(this.#run, toServiceError(this.#signal?.reason));
    }
  };

  /** A stop waits for the edge of a frame that has been forwarded in part. */
  #isStopped(run: ExchangeRun): boolean {
    return run.stop !== undefined && !this.#scanner.isInsideForwardedFrame;
  }

  /** Gives what is to be sent for one chunk; what lies behind the exchange's end stays queued. */
  #relay(run: ExchangeRun, chunk: Buffer): readonly BackendEvent[] {
    const scan = this.#scanner.scan(chunk, run.judge);
    if (scan.rest !== undefined && scan.rest.length > 0) {
      this.#socket.putBack(scan.rest);
    }
    if (run.stop !== undefined) {
      // Before anything is sent: a slow client must not delay the cancel.
      this.#stop(run, run.stop.error);
    }
    this.#loseOn(scan);
    const substitutes = run.takeSubstitutes();
    const rows = run.takeRows();
    return scan.forward.length === 0
      ? substitutes
      : [{ kind: 'frames', chunks: scan.forward, rows }, ...substitutes];
  }

  #loseOn({ failure }: Scan): void {
    if (failure !== undefined) {
      this.#lose(upstreamFault(failure));
    }
  }

  /** After a stop: waits until the upstream is ready again, then says why it was stopped. */
  async *#answerUnfinished(run: ExchangeRun): AsyncGenerator<BackendEvent, void, undefined> {
    if (run.stop !== undefined) {
      this.#drainQueue(run);
    }
    while (run.status === undefined && !this.#isGone) {
      await this.#change();
    }
    if (this.#kept.length > 0) {
      yield { kind: 'frames', chunks: this.#kept, rows: 0 };
    }
    if (run.status === undefined || run.stop === undefined) {
      yield this.#answerLost(run);
      return;
    }
    if (!run.isErrorForwarded) {
      const error = stoppedError(run.stop, run.sqlState);
      run.sqlState = error.sqlState;
      yield { kind: 'error', error };
    }
    yield run.readyEvent({ isForwarded: false });
  }

  /** The upstream's own last word has been sent; otherwise we say it, if we are at an edge. */
  #answerLost(run: ExchangeRun): BackendEvent {
    if (run.hasFatal || this.#unsolicited.hasFatal) {
      const sqlState = this.#unsolicited.fatalSqlState ?? run.sqlState;
      return { kind: 'gone', error: endedError(sqlState) };
    }
    const error = this.#failure ?? lostError(undefined);
    return { kind: this.#scanner.isInsideForwardedFrame ? 'gone' : 'error', error };
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#run === undefined) {
      this.#takeUnsolicited(chunk);
    } else if (this.#isDraining) {
      this.#drain(this.#run, chunk);
    } else {
      this.#socket.enqueue(chunk);
      this.#wake?.();
    }
  };

  /** Resolves when there is a chunk, the upstream has gone, or the exchange is to stop. */
  #change(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async #send(frames: Exchange['frames']): Promise<void> {
    try {
      await this.#socket.send(frames);
    } catch (thrown) {
      this.#lose(toServiceError(thrown));
    }
  }

  /** Stops what runs: at once towards the upstream, at the next frame's edge towards the client. */
  #stop(run: ExchangeRun, error: ServiceError): void {
    if (this.#run !== run || run.status !== undefined || this.#grace !== undefined) {
      return;
    }
    run.stop ??= { error, needsCancel: true };
    this.#grace = setTimeout(() => {
      this.#lose(ignoredStopError(error, this.#cancelGraceMs));
    }, this.#cancelGraceMs);
    if (run.stop.needsCancel) {
      void this.#cancels.send();
    }
    if (!this.#scanner.isInsideForwardedFrame) {
      this.#drainQueue(run);
    }
    this.#wake?.();
  }

  /** From now on chunks are dropped as they come, so that the upstream is not held up by us. */
  #drainQueue(run: ExchangeRun): void {
    if (this.#isDraining) {
      return;
    }
    this.#isDraining = true;
    for (const chunk of this.#socket.takeQueue()) {
      this.#drain(run, chunk);
    }
    this.#socket.resume();
  }

  #drain(run: ExchangeRun, chunk: Buffer): void {
    if (run.isReady()) {
      this.#socket.enqueue(chunk);
      return;
    }
    const scan = this.#scanner.scan(chunk, run.judgeDrained);
    this.#loseOn(scan);
    for (const kept of scan.forward) {
      this.#keep(kept);
    }
    for (; run.copyInAfterStop > 0; run.copyInAfterStop -= 1) {
      this.#socket.write(encodeCopyFail('COPY is not supported through Gatepost'));
    }
    if (scan.rest !== undefined && scan.rest.length > 0) {
      this.#socket.enqueue(scan.rest);
    }
    if (run.isReady()) {
      this.#wake?.();
    }
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > KEPT_BYTES_MAX) {
      const flood = new ProtocolError('it floods a stopped statement with messages');
      this.#lose(upstreamFault(flood));
      return;
    }
    this.#kept.push(chunk);
  }

  #endRun(run: ExchangeRun): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#run = undefined;
    this.#isDraining = false;
    this.#kept = [];
    this.#keptBytes = 0;
    if (run.status === undefined) {
      // Left before the end, or lost: what the upstream still sends belongs to nobody.
      this.#lose(undefined);
      return;
    }
    for (const chunk of this.#socket.takeQueue()) {
      this.#take(chunk);
    }
  }

  /** Frames between exchanges go to the frontend whole; it sets the pace. */
  #takeUnsolicited(chunk: Buffer): void {
    const scan = this.#scanner.scan(chunk, this.#unsolicited.judge);
    this.#loseOn(scan);
    if (scan.forward.length === 0) {
      return;
    }
    this.#socket.pause();
    this.#frontend.unsolicited(scan.forward).then(
      () => this.#socket.resume(),
      (thrown: unknown) => {
        this.#lose(toServiceError(thrown));
      },
    );
  }

  /** The upstream has gone, or has to go. The first reason is the one that counts. */
  #lose(failure: ServiceError | undefined): void {
    if (this.#isGone) {
      return;
    }
    this.#isGone = true;
    this.#failure = failure;
    this.#socket.destroy();
    this.#wake?.();
    if (this.#run === undefined) {
      const { hasFatal, fatalSqlState } = this.#unsolicited;
      const reason = hasFatal ? endedError(fatalSqlState) : (failure ?? lostError(undefined));
      this.#frontend.closed(reason, { isTold: hasFatal });
    }
  }
}
