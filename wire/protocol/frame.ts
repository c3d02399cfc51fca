/** Type byte and length: what every frame but the startup packet begins with. */
export const FRAME_HEADER_BYTES = 5;

/** The longest frontend frame that is read; longer ones are refused on their header. */
export const FRONTEND_FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** The longest frame before a login: PostgreSQL's own PG_MAX_SASL_MESSAGE_LENGTH, and the type. */
export const LOGIN_FRAME_BYTES_MAX = 1024 + 1;

/** PostgreSQL's own MAX_STARTUP_PACKET_LENGTH (src/include/libpq/pqcomm.h). */
export const STARTUP_PACKET_BYTES_MAX = 10_000;

/** Length word and request code: the least a startup packet holds. */
export const STARTUP_PACKET_BYTES_MIN = 8;

const code = (letter: string): number => letter.charCodeAt(0);

/** Type bytes that a frontend sends (PostgreSQL manual, "Message Formats"). */
export const FRONTEND = {
  bind: code('B'),
  close: code('C'),
  copyData: code('d'),
  copyDone: code('c'),
  copyFail: code('f'),
  describe: code('D'),
  execute: code('E'),
  flush: code('H'),
  functionCall: code('F'),
  parse: code('P'),
  query: code('Q'),
  sync: code('S'),
  terminate: code('X'),
} as const;

/** What a frontend answers authentication requests with; after its login this is no frame. */
export const AUTHENTICATION_RESPONSE = code('p');

/** Type bytes that a backend sends, as far as one of them is looked at. */
export const BACKEND = {
  authentication: code('R'),
  backendKeyData: code('K'),
  commandComplete: code('C'),
  copyBothResponse: code('W'),
  copyInResponse: code('G'),
  copyOutResponse: code('H'),
  dataRow: code('D'),
  emptyQueryResponse: code('I'),
  errorResponse: code('E'),
  negotiateProtocolVersion: code('v'),
  noticeResponse: code('N'),
  notificationResponse: code('A'),
  parameterStatus: code('S'),
  readyForQuery: code('Z'),
  rowDescription: code('T'),
} as const;

const FRONTEND_TYPES: ReadonlySet<number> = new Set(Object.values(FRONTEND));

/** Whether a frontend may send this type byte after it has logged in. */
export function isFrontendType(type: number): boolean {
  return FRONTEND_TYPES.has(type);
}

/** Bytes that are not the protocol. Ends the session that sent them, unless said otherwise. */
export class ProtocolError extends Error {
  readonly sqlState: string;

  constructor(message: string, sqlState = '08P01') {
    super(message);
    this.name = 'ProtocolError';
    this.sqlState = sqlState;
  }
}
