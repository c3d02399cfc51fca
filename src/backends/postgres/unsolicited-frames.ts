// What an upstream may say while nothing has been asked.
import { readErrorSummary } from '../../../wire/protocol/backend-messages.ts';
import { BACKEND, ProtocolError } from '../../../wire/protocol/frame.ts';
import { WHOLE_FRAME_BYTES_MAX } from '../../../wire/protocol/frame-scanner.ts';
import type { FrameVisitor } from '../../../wire/protocol/frame-scanner.ts';
import type { ReportedParameters } from './reported-parameters.ts';

/** Lets asynchronous messages through, whole, and nothing else. */
export class UnsolicitedFrames {
  readonly #parameters: ReportedParameters;
  #hasFatal = false;

  constructor(parameters: ReportedParameters) {
    this.#parameters = parameters;
  }

  /** Whether the upstream has said that it ends the session. */
  get hasFatal(): boolean {
    return this.#hasFatal;
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
        this.#hasFatal ||= readErrorSummary(bytes, offset, frameBytes).isFatal;
        return 'forward';
      case BACKEND.noticeResponse:
      case BACKEND.notificationResponse:
        return 'forward';
      default:
        throw new ProtocolError('it answered what was not asked');
    }
  };
}
