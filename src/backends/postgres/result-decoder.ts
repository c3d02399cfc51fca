// Relayed frames as results: for REST, which has to read what the wire only forwards.
import {
  readCommandTag,
  readParameterStatus,
  readReport,
} from '../../../wire/protocol/backend-messages.ts';
import { BACKEND, FRAME_HEADER_BYTES } from '../../../wire/protocol/frame.ts';
import { readDataRow, readRowDescription } from '../../../wire/protocol/result-messages.ts';
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Row, Setting } from '../backend.ts';
import type { ResultEvent } from '../pool.ts';

/** Of a report (a notice, an error) so much is held; the rest is dropped as it comes. */
const REPORT_BYTES_MAX = 64 * 1024;

const REPORTS: ReadonlySet<number | undefined> = new Set([
  BACKEND.errorResponse,
  BACKEND.noticeResponse,
]);

/**
 * Takes the chunks of one exchange. Holds one frame, which the guard has counted before it came.
 */
export class ResultDecoder {
  /** The first ErrorResponse. */
  error: ServiceError | undefined;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  /** Size of the frame that is held in part; 0 as long as its header is not there. */
  #wantedBytes = 0;
  #completesToSkip: number;
  /** Bytes still to come of a report whose beginning has been read. */
  #bytesToDrop = 0;

  /** @param completesToSkip statements of ours in front of the one that was asked for */
  constructor(completesToSkip: number) {
    this.#completesToSkip = completesToSkip;
  }

  /** What the frames that end in this chunk say. */
  decode(chunk: Buffer): ResultEvent[] {
    const events: ResultEvent[] = [];
    const dropped = Math.min(this.#bytesToDrop, chunk.length);
    this.#bytesToDrop -= dropped;
    const bytes = this.#join(chunk.subarray(dropped));
    if (bytes === undefined) {
      return events;
    }
    let offset = 0;
    let rows: Row[] = [];
    while (bytes.length - offset >= FRAME_HEADER_BYTES) {
      const frameBytes = bytes.readUInt32BE(offset + 1) + 1;
      const heldBytes = bytes.length - offset;
      if (heldBytes < frameBytes && !isLargeReport(bytes[offset], heldBytes)) {
        this.#wantedBytes = wantedBytes(bytes[offset], frameBytes);
        break;
      }
      if (bytes[offset] === BACKEND.dataRow) {
        rows.push(readDataRow(bytes, offset));
      } else {
        if (rows.length > 0) {
          events.push({ kind: 'rows', rows });
          rows = [];
        }
        const event = this.#decodeFrame(bytes, offset, frameBytes);
        if (event !== undefined) {
          events.push(event);
        }
      }
      this.#bytesToDrop = Math.max(0, frameBytes - heldBytes);
      offset += Math.min(frameBytes, heldBytes);
    }
    if (rows.length > 0) {
      events.push({ kind: 'rows', rows });
    }
    this.#hold(bytes.subarray(offset));
    return events;
  }

  /** The held bytes and these in one piece, once the frame that they begin is whole. */
  #join(chunk: Buffer): Buffer | undefined {
    if (this.#heldBytes === 0) {
      return chunk;
    }
    this.#parts.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#wantedBytes) {
      return undefined;
    }
    const bytes = Buffer.concat(this.#parts);
    this.#hold(EMPTY);
    return bytes;
  }

  #hold(rest: Buffer): void {
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
    if (rest.length < FRAME_HEADER_BYTES) {
      this.#wantedBytes = 0;
    }
  }

  #decodeFrame(bytes: Buffer, offset: number, frameBytes: number): ResultEvent | undefined {
    switch (bytes[offset]) {
      case BACKEND.rowDescription:
        return { kind: 'columns', columns: readRowDescription(bytes, offset) };
      case BACKEND.commandComplete:
        return this.#complete(readCommandTag(bytes, offset, frameBytes));
      case BACKEND.emptyQueryResponse:
        return { kind: 'empty' };
      case BACKEND.noticeResponse:
        return { kind: 'notice', notice: readReport(bytes, offset, frameBytes) };
      case BACKEND.errorResponse:
        this.error ??= readError(bytes, offset, frameBytes);
        return undefined;
      case BACKEND.parameterStatus:
        this.error ??= refuseEncoding(readParameterStatus(bytes, offset, frameBytes));
        return undefined;
      default:
        return undefined;
    }
  }

  #complete(commandTag: string): ResultEvent | undefined {
    if (this.#completesToSkip > 0) {
      this.#completesToSkip -= 1;
      return undefined;
    }
    return { kind: 'complete', commandTag };
  }
}

const EMPTY = Buffer.alloc(0);

function isLargeReport(type: number | undefined, heldBytes: number): boolean {
  return REPORTS.has(type) && heldBytes >= REPORT_BYTES_MAX;
}

function wantedBytes(type: number | undefined, frameBytes: number): number {
  return REPORTS.has(type) ? Math.min(frameBytes, REPORT_BYTES_MAX) : frameBytes;
}

/** Rows are read as UTF-8; in another encoding they would be other texts. */
function refuseEncoding([name, value]: Setting): ServiceError | undefined {
  return name === 'client_encoding' && value !== 'UTF8'
    ? new ServiceError(SQLSTATE.featureNotSupported, 'client_encoding stays UTF8 over HTTP', {
        hint: 'Leave SET client_encoding out',
      })
    : undefined;
}

function readError(bytes: Buffer, offset: number, frameBytes: number): ServiceError {
  const { severity, sqlState, message, detail, hint, position } = readReport(
    bytes,
    offset,
    frameBytes,
  );
  return new ServiceError(sqlState, message, {
    severity: severity === 'FATAL' || severity === 'PANIC' ? 'FATAL' : 'ERROR',
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(position === undefined ? {} : { position }),
  });
}
