// Everything that can go wrong with Iggy, in the kinds that a caller decides by.
import { parseIggyJson, fieldOf, toInteger } from './iggy-json.ts';
import { parseRetryAfterMs } from './retry.ts';

export type IggyErrorKind =
  /** No connection, or it broke; what was sent may have been stored. */
  | 'unreachable'
  /** No answer in time; what was sent may have been stored. */
  | 'timeout'
  /** This server cannot now; another one, or later. */
  | 'unavailable'
  /** Too many requests. */
  | 'busy'
  /** The token is no longer taken. */
  | 'unauthenticated'
  /** The login itself was refused. */
  | 'credentials'
  | 'forbidden'
  | 'not-found'
  | 'exists'
  | 'topic-full'
  /** The offset is past the partition's end. */
  | 'offset-range'
  /** A request beyond the server's limit. */
  | 'too-large'
  /** An answer beyond ours. */
  | 'reply-too-large'
  /** An answer that cannot be read. */
  | 'unexpected-reply'
  /** The messages of a send, by Iggy or by its rules: they would be refused again. */
  | 'unsendable'
  /** Any other refusal; Iggy answers 400 to most of its own failures too. */
  | 'refused';

export interface IggyErrorOptions {
  readonly status?: number | undefined;
  /** Iggy's own number for the error. */
  readonly code?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A failure that Iggy or the way to it is the reason of. Its message holds no secret. */
export class IggyError extends Error {
  readonly kind: IggyErrorKind;
  readonly status: number | undefined;
  readonly code: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: IggyErrorKind, message: string, options: IggyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IggyError';
    this.kind = kind;
    this.status = options.status;
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const TRANSIENT: ReadonlySet<IggyErrorKind> = new Set([
  'unreachable',
  'timeout',
  'unavailable',
  'busy',
]);

/** Whether the same request may succeed later, without anybody's doing. */
export function isTransientIggyError(error: unknown): error is IggyError {
  return error instanceof IggyError && TRANSIENT.has(error.kind);
}

/** Whether another server may do what this one does not. */
export function isServersOwnFault(error: unknown): boolean {
  return isTransientIggyError(error) && error.kind !== 'busy';
}

/** Iggy's numbers where they say more than the status: 0.6 to 0.8 answer 400 to most of them. */
const KIND_OF_CODE: ReadonlyMap<number, IggyErrorKind> = new Map([
  [9, 'unavailable'],
  [20, 'not-found'],
  [40, 'unauthenticated'],
  [41, 'forbidden'],
  [42, 'credentials'],
  [43, 'credentials'],
  [44, 'credentials'],
  [53, 'credentials'],
  [57, 'unavailable'],
  [58, 'unavailable'],
  [77, 'unauthenticated'],
  [78, 'unauthenticated'],
  // The session that belongs to the token is gone: a new login makes another.
  [101, 'unauthenticated'],
  [1009, 'not-found'],
  [1012, 'exists'],
  [2010, 'not-found'],
  [2013, 'exists'],
  [3007, 'not-found'],
  [3009, 'topic-full'],
  [4100, 'offset-range'],
]);

const KIND_OF_STATUS: ReadonlyMap<number, IggyErrorKind> = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [408, 'timeout'],
  [413, 'too-large'],
  [429, 'busy'],
  [502, 'unavailable'],
  [503, 'unavailable'],
  [504, 'timeout'],
]);

/** How much of a server's own text is shown. */
const REASON_CHARACTERS_MAX = 200;

export interface RefusedReply {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** The error that a reply stands for. `action` says what was asked: `send to stream "a"`. */
export function refusalError(action: string, reply: RefusedReply): IggyError {
  const body = parseBody(reply.text);
  const id = toInteger(fieldOf(body, 'id'));
  const code = id === undefined || id > Number.MAX_SAFE_INTEGER ? undefined : Number(id);
  const kind =
    KIND_OF_CODE.get(code ?? 0) ??
    KIND_OF_STATUS.get(reply.status) ??
    (reply.status >= 500 ? 'unavailable' : 'refused');
  const reason = shownReason(body, reply.text);
  const number = code === undefined || code === reply.status ? '' : `, code ${code}`;
  return new IggyError(
    kind,
    `Iggy did not ${action}: ${reason === '' ? kind : reason} (HTTP ${reply.status}${number})`,
    { status: reply.status, code, retryAfterMs: parseRetryAfterMs(reply.retryAfter, Date.now()) },
  );
}

/** Refusals that happen before a handler runs are plain text, and some 401 are empty. */
function parseBody(text: string): unknown {
  try {
    return parseIggyJson(text);
  } catch {
    return undefined;
  }
}

function shownReason(body: unknown, text: string): string {
  const reason = fieldOf(body, 'reason') ?? fieldOf(body, 'code') ?? text;
  return typeof reason === 'string'
    ? reason.replaceAll(/\p{Cc}+/gu, ' ').slice(0, REASON_CHARACTERS_MAX)
    : '';
}
