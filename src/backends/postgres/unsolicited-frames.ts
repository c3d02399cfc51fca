// What an upstream may say while nothing has been asked.
import { readErrorSummary } from '../../../wire/protocol/backend-messages.ts';
import type { ErrorSummary } from '../../../wire/protocol/backend-messages.ts';
import { BACKEND, ProtocolError } from '../../../wire/protocol/frame.ts';
import { WHOLE_FRAME_BYTES_MAX } from '../../../wire/protocol/frame-scanner.ts';
import type { FrameVisitor } from '../../../wire/protocol/frame-scanner.ts';
import type { ReportedParameters } from './reported-parameters.ts';

/** Lets asynchronous messages through, whole, and nothing else. */
export class UnsolicitedFrames {
  readonly #parameters: ReportedParameters;
  #fatalSqlState: string | undefined;

  constructor(parameters: ReportedParameters) {
    this.#parameters = parameters;
  }

  /** Whether the upstream has said that it ends the session. */
  get hasFatal(): boolean {
    return this.#fatalSqlState !== undefined;
  }

  /** SQLSTATE of what it said then. */
  get fatalSqlState(): string | undefined {
    return this.#fatalSqlState;
  }

  /** @throws ProtocolError for what nobody has asked for */
  readonly judge: FrameVisitor = (type, frameBytes, bytes, offset) => {
    if (frameBytes > WHOLE_FRAME_BYTES_MAX) {
      throw new ProtocolError('it sent an oversized message while idle');
    }
    switch (type) {
      case BACKEND.parameterStatus:
        this.#parameters.note(bytes, offset, frameBytes);
        return 'forward';
      case BACKEND.errorResponse:
        this.#noteError(readErrorSummary(bytes, offset, frameBytes));
        return 'forward';
      case BACKEND.noticeResponse:
      case BACKEND.notificationResponse:
        return 'forward';
      default:
        throw new ProtocolError('it answered what was not asked');
    }
  };

  #noteError({ isFatal, sqlState }: ErrorSummary): void {
    if (isFatal) {
      this.#fatalSqlState ??= sqlState;
    }
  }
}
