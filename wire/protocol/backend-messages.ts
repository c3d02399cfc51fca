// What a backend says (PostgreSQL manual, "Message Formats" and "Error and Notice Message Fields").
import { BACKEND, FRAME_HEADER_BYTES } from './frame.ts';
import { encodeByte, encodeFrame, encodeInt32, encodeString } from './frame-writer.ts';

/** The newest protocol that is spoken here, as NegotiateProtocolVersion names it. */
const PROTOCOL_VERSION = 3 << 16;

/** The fields of an ErrorResponse or NoticeResponse, by what they mean. */
export interface ReportFields {
  readonly severity: string;
  readonly sqlState: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based index of a character in the statement. */
  readonly position?: number | undefined;
}

/** AuthenticationOk. */
export function encodeAuthenticationOk(): Buffer {
  return encodeFrame(BACKEND.authentication, encodeInt32(0));
}

/** ParameterStatus: one run-time setting that the frontend wants to know. */
export function encodeParameterStatus(name: string, value: string): Buffer {
  return encodeFrame(BACKEND.parameterStatus, encodeString(name), encodeString(value));
}

/** BackendKeyData: what a CancelRequest for this session has to say. */
export function encodeBackendKeyData(processId: number, secretKey: number): Buffer {
  return encodeFrame(BACKEND.backendKeyData, encodeInt32(processId), encodeInt32(secretKey));
}

/** ReadyForQuery with the transaction status. */
export function encodeReadyForQuery(status: 'I' | 'T' | 'E'): Buffer {
  return READY_FOR_QUERY[status];
}

/** CommandComplete with its command tag. */
export function encodeCommandComplete(commandTag: string): Buffer {
  return encodeFrame(BACKEND.commandComplete, encodeString(commandTag));
}

/** NegotiateProtocolVersion: 3.0 it is, and these options are not known. */
export function encodeNegotiateProtocolVersion(unknownOptions: readonly string[]): Buffer {
  return encodeFrame(
    BACKEND.negotiateProtocolVersion,
    encodeInt32(PROTOCOL_VERSION),
    encodeInt32(unknownOptions.length),
    ...unknownOptions.map(encodeString),
  );
}

/** ErrorResponse. */
export function encodeErrorResponse(fields: ReportFields): Buffer {
  return encodeReport(BACKEND.errorResponse, fields);
}

/** NoticeResponse. */
export function encodeNoticeResponse(fields: ReportFields): Buffer {
  return encodeReport(BACKEND.noticeResponse, fields);
}

/** ErrorResponse as a frontend of protocol 2 reads it: no length, no fields. */
export function encodeErrorResponseV2(severity: string, message: string): Buffer {
  return Buffer.concat([
    encodeByte(BACKEND.errorResponse),
    encodeString(`${severity}:  ${message}\n`),
  ]);
}

function encodeReport(type: number, fields: ReportFields): Buffer {
  const written: readonly (readonly [letter: string, value: string | undefined])[] = [
    ['S', fields.severity],
    ['V', fields.severity],
    ['C', fields.sqlState],
    ['M', fields.message],
    ['D', fields.detail],
    ['H', fields.hint],
    ['P', fields.position?.toString()],
  ];
  const parts = written
    .filter(([, value]) => value !== undefined)
    .map(([letter, value]) => encodeString(`${letter}${value ?? ''}`));
  return encodeFrame(type, ...parts, encodeByte(0));
}

const READY_FOR_QUERY = {
  I: encodeFrame(BACKEND.readyForQuery, Buffer.from('I')),
  T: encodeFrame(BACKEND.readyForQuery, Buffer.from('T')),
  E: encodeFrame(BACKEND.readyForQuery, Buffer.from('E')),
} as const;

/** Whether an ErrorResponse ends the session, and its SQLSTATE where it has a proper one. */
export interface ErrorSummary {
  readonly sqlState: string;
  readonly isFatal: boolean;
}

/** SQLSTATE of an error that came without one. */
const UNKNOWN_SQLSTATE = 'XX000';

/**
 * Reads severity and SQLSTATE of an ErrorResponse. An upstream is not trusted to be complete:
 * what is cut off or malformed reads as an ERROR XX000.
 *
 * @param bytes the frame from `offset` on, its end may be missing
 */
export function readErrorSummary(bytes: Buffer, offset: number, frameBytes: number): ErrorSummary {
  const fields = readReportFields(bytes, offset + FRAME_HEADER_BYTES, offset + frameBytes);
  const sqlState = fields.get('C') ?? '';
  const severity = fields.get('V') ?? fields.get('S') ?? '';
  return {
    sqlState: isSqlState(sqlState) ? sqlState : UNKNOWN_SQLSTATE,
    isFatal: severity === 'FATAL' || severity === 'PANIC',
  };
}

/**
 * The ErrorResponse to send for one that has no proper SQLSTATE, which is what programs look at;
 * undefined for one that has.
 *
 * @param bytes the frame from `offset` on, its end may be missing
 */
export function repairErrorResponse(
  bytes: Buffer,
  offset: number,
  frameBytes: number,
): Buffer | undefined {
  const fields = readReportFields(bytes, offset + FRAME_HEADER_BYTES, offset + frameBytes);
  if (isSqlState(fields.get('C') ?? '')) {
    return undefined;
  }
  return encodeErrorResponse({
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    sqlState: UNKNOWN_SQLSTATE,
    message: fields.get('M') ?? 'The upstream reported an error and did not say which',
    detail: fields.get('D'),
    hint: fields.get('H'),
  });
}

/**
 * The fields of an ErrorResponse or NoticeResponse at `offset`; one without a proper SQLSTATE
 * reads as XX000.
 */
export function readReport(bytes: Buffer, offset: number, frameBytes: number): ReportFields {
  const fields = readReportFields(bytes, offset + FRAME_HEADER_BYTES, offset + frameBytes, true);
  const sqlState = fields.get('C') ?? '';
  const position = Number(fields.get('P'));
  return {
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    sqlState: isSqlState(sqlState) ? sqlState : UNKNOWN_SQLSTATE,
    message: fields.get('M') ?? 'The upstream reported an error and did not say which',
    detail: fields.get('D'),
    hint: fields.get('H'),
    position: position > 0 ? position : undefined,
  };
}

function isSqlState(text: string): boolean {
  return /^[0-9A-Z]{5}$/.test(text);
}

/**
 * So many bytes of a field are read where it is read at all: who raises a message of megabytes has
 * it relayed on the wire, and cut over HTTP.
 */
const FIELD_BYTES_MAX = 8192;

/** More fields than the protocol knows: the loop over an upstream's bytes ends here. */
const REPORT_FIELDS_MAX = 32;

/** @param isCut whether a field that has no end counts, as far as it is there */
function readReportFields(
  bytes: Buffer,
  start: number,
  end: number,
  isCut = false,
): Map<string, string> {
  const fields = new Map<string, string>();
  let position = start;
  while (fields.size < REPORT_FIELDS_MAX && position < Math.min(end, bytes.length)) {
    const letter = String.fromCharCode(bytes.readUInt8(position));
    const found = bytes.indexOf(0, position + 1);
    const terminator = found === -1 && isCut ? Math.min(bytes.length, end - 1) : found;
    if (letter === '\0' || terminator === -1 || terminator >= end) {
      break;
    }
    const cut = Math.min(terminator, position + 1 + FIELD_BYTES_MAX);
    fields.set(letter, bytes.toString('utf8', position + 1, cut));
    position = terminator + 1;
  }
  return fields;
}

/** The command tag of a CommandComplete frame at `offset`. */
export function readCommandTag(bytes: Buffer, offset: number, frameBytes: number): string {
  return readString(bytes, offset + FRAME_HEADER_BYTES, offset + frameBytes).text;
}

/** Name and value of a ParameterStatus frame at `offset`. */
export function readParameterStatus(
  bytes: Buffer,
  offset: number,
  frameBytes: number,
): readonly [name: string, value: string] {
  const end = offset + frameBytes;
  const name = readString(bytes, offset + FRAME_HEADER_BYTES, end);
  return [name.text, readString(bytes, name.end, end).text];
}

/** The transaction status of a ReadyForQuery frame at `offset`; undefined when it has none. */
export function readTransactionStatus(bytes: Buffer, offset: number): 'I' | 'T' | 'E' | undefined {
  const status = String.fromCharCode(bytes.readUInt8(offset + FRAME_HEADER_BYTES));
  return status === 'I' || status === 'T' || status === 'E' ? status : undefined;
}

/** A string up to its terminator, or to the end where the terminator is missing. */
function readString(bytes: Buffer, start: number, end: number): { text: string; end: number } {
  const found = bytes.indexOf(0, start);
  const stop = found === -1 || found >= end ? end : found;
  return { text: bytes.toString('utf8', start, stop), end: stop + 1 };
}
