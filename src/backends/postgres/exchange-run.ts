// What is known of one exchange while its frames go by, and what becomes of each of them.
import { BACKEND, ProtocolError } from '../../../wire/protocol/frame.ts';
import type { FrameVisitor, Verdict } from '../../../wire/protocol/frame-scanner.ts';
import {
  readCommandTag,
  readErrorSummary,
  repairErrorResponse,
  readTransactionStatus,
} from '../../../wire/protocol/backend-messages.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Guard } from '../../guardrails/guard.ts';
import { COMMAND_TAGS_MAX } from '../backend.ts';
import type { BackendEvent, TransactionStatus } from '../backend.ts';
import { DONE_BEFORE_STOP, withNote } from '../stopped-error.ts';

const NO_EVENTS: readonly BackendEvent[] = [];

/** Why the relaying stopped before the upstream was done. */
export interface Stop {
  readonly error: ServiceError;
  /** False where the upstream waits for us anyway: a CopyFail tells it then. */
  readonly needsCancel: boolean;
}

/**
 * The state of one exchange. `judge` looks at headers and counts; the relay moves the bytes.
 */
export class ExchangeRun {
  readonly #guard: Guard;
  readonly #noteParameter: (bytes: Buffer, offset: number, frameBytes: number) => void;
  readonly commandTags: string[] = [];
  /** SQLSTATE of the last ErrorResponse. */
  sqlState: string | undefined;
  /** Whether the upstream has said itself that it ends the session. */
  hasFatal = false;
  status: TransactionStatus | undefined;
  /** Whether an ErrorResponse went on to the frontend: a simple query has one at most. */
  isErrorForwarded = false;
  /** Whether ReadyForQuery went on to the frontend; after a stop it is dropped. */
  isReadyForwarded = false;
  /** DataRow frames since this was last taken. */
  rows = 0;
  /** Set where relaying has to stop: at a limit, or at a COPY. The first reason counts. */
  stop: Stop | undefined;
  /** What to send instead of a frame that is dropped. */
  #substitutes: readonly BackendEvent[] = NO_EVENTS;
  /** Rows of the running statement that were delivered. */
  #statementRows = 0;
  #isStatementCut = false;
  /** CopyInResponse that came after the stop and has to be answered. */
  copyInAfterStop = 0;

  constructor(
    guard: Guard,
    noteParameter: (bytes: Buffer, offset: number, frameBytes: number) => void,
  ) {
    this.#guard = guard;
    this.#noteParameter = noteParameter;
  }

  /** Judges a frame while the exchange is relayed; the first one behind a stop is cut. */
  readonly judge: FrameVisitor = (type, frameBytes, bytes, offset) => {
    if (this.stop !== undefined) {
      return 'cut';
    }
    switch (type) {
      case BACKEND.dataRow:
        return this.#judgeRow(frameBytes);
      case BACKEND.commandComplete:
        return this.#judgeCommandComplete(bytes, offset, frameBytes);
      case BACKEND.readyForQuery:
        this.#noteStatus(bytes, offset, frameBytes);
        this.isReadyForwarded = true;
        return 'last';
      case BACKEND.errorResponse:
        return this.#judgeError(bytes, offset, frameBytes);
      case BACKEND.parameterStatus:
        this.#noteParameter(bytes, offset, frameBytes);
        return 'forward';
      case BACKEND.copyInResponse:
        return this.#stopAtCopy({ needsCancel: false });
      case BACKEND.copyOutResponse:
      case BACKEND.copyBothResponse:
        return this.#stopAtCopy({ needsCancel: true });
      default:
        return 'forward';
    }
  };

  /**
   * Judges a frame after the stop: what changes the session goes on, results are dropped. The
   * upstream's ErrorResponse is dropped too, since ours says why it was stopped, unless it is
   * the upstream's last word.
   */
  readonly judgeDrained: FrameVisitor = (type, frameBytes, bytes, offset) => {
    switch (type) {
      case BACKEND.readyForQuery:
        this.#noteStatus(bytes, offset, frameBytes);
        return 'end';
      case BACKEND.errorResponse:
        this.#noteError(bytes, offset, frameBytes);
        return this.hasFatal ? 'forward' : 'skip';
      case BACKEND.parameterStatus:
        this.#noteParameter(bytes, offset, frameBytes);
        return 'forward';
      case BACKEND.notificationResponse:
        return 'forward';
      case BACKEND.commandComplete:
        this.#noteTag(readCommandTag(bytes, offset, frameBytes));
        return 'skip';
      case BACKEND.copyInResponse:
        this.copyInAfterStop += 1;
        return 'skip';
      default:
        return 'skip';
    }
  };

  /** Whether the upstream has sent ReadyForQuery. */
  isReady(): boolean {
    return this.status !== undefined;
  }

  /** The last event of the exchange, with what its frames said. */
  readyEvent({ isForwarded }: { readonly isForwarded: boolean }): BackendEvent {
    const { status = 'I', commandTags, sqlState } = this;
    return { kind: 'ready', status, isForwarded, commandTags, sqlState };
  }

  /** Gives the rows counted since the last call. */
  takeRows(): number {
    const { rows } = this;
    this.rows = 0;
    return rows;
  }

  /** Gives what is sent in place of the frame that scanning has stopped behind, if anything. */
  takeSubstitutes(): readonly BackendEvent[] {
    const substitutes = this.#substitutes;
    this.#substitutes = NO_EVENTS;
    return substitutes;
  }

  #judgeRow(frameBytes: number): Verdict {
    if (this.#guard.countRow(frameBytes)) {
      this.rows += 1;
      this.#statementRows += 1;
      return 'forward';
    }
    if (this.#guard.limits.onLimit === 'truncate') {
      this.#isStatementCut = true;
      return 'skip';
    }
    this.stop ??= { error: this.#guard.cutError(), needsCancel: true };
    return 'cut';
  }

  #judgeCommandComplete(bytes: Buffer, offset: number, frameBytes: number): Verdict {
    const commandTag = readCommandTag(bytes, offset, frameBytes);
    this.#noteTag(commandTag);
    const delivered = this.#statementRows;
    this.#statementRows = 0;
    if (!this.#isStatementCut) {
      return 'forward';
    }
    this.#isStatementCut = false;
    const { message, hint } = this.#guard.describeCut();
    this.#substitutes = [
      {
        kind: 'notice',
        notice: { severity: 'WARNING', sqlState: SQLSTATE.warning, message, hint },
      },
      { kind: 'complete', commandTag: truncatedCommandTag(commandTag, delivered) },
    ];
    return 'end';
  }

  #judgeError(bytes: Buffer, offset: number, frameBytes: number): Verdict {
    this.#noteError(bytes, offset, frameBytes);
    this.isErrorForwarded = true;
    const repaired = repairErrorResponse(bytes, offset, frameBytes);
    if (repaired === undefined) {
      return 'forward';
    }
    this.#substitutes = [{ kind: 'frames', chunks: [repaired], rows: 0 }];
    return 'end';
  }

  #noteStatus(bytes: Buffer, offset: number, frameBytes: number): void {
    const status = frameBytes === 6 ? readTransactionStatus(bytes, offset) : undefined;
    if (status === undefined) {
      throw new ProtocolError('it sent a malformed ReadyForQuery');
    }
    this.status = status;
  }

  #noteError(bytes: Buffer, offset: number, frameBytes: number): void {
    const { sqlState, isFatal } = readErrorSummary(bytes, offset, frameBytes);
    this.sqlState = sqlState;
    this.hasFatal ||= isFatal;
  }

  #noteTag(commandTag: string): void {
    if (this.commandTags.length < COMMAND_TAGS_MAX) {
      this.commandTags.push(commandTag);
    }
  }

  #stopAtCopy({ needsCancel }: { readonly needsCancel: boolean }): Verdict {
    this.stop ??= { error: copyError(), needsCancel };
    return 'cut';
  }
}

/**
 * The error of a stopped exchange, once the upstream is ready again. When the upstream reports
 * no error, it was done before the stop reached it, and its effects stand.
 */
export function stoppedError({ error }: Stop, upstreamSqlState: string | undefined): ServiceError {
  return upstreamSqlState === undefined ? withNote(error, DONE_BEFORE_STOP) : error;
}

/**
 * The tag of a truncated result: rows that were delivered where the tag counts rows sent, the
 * upstream's own number where it counts rows changed.
 */
export function truncatedCommandTag(commandTag: string, deliveredRows: number): string {
  return /^(SELECT|FETCH) \d+$/.test(commandTag)
    ? commandTag.replace(/\d+$/, `${deliveredRows}`)
    : commandTag;
}

function copyError(): ServiceError {
  return new ServiceError(SQLSTATE.featureNotSupported, 'COPY is not supported through Gatepost', {
    hint: 'Use SELECT and INSERT, or connect to the server directly for COPY',
  });
}
