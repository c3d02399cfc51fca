// The seam between the wire and the databases behind it.
import type { ServiceError } from '../errors.ts';
import type { Guard } from '../guardrails/guard.ts';

/** PostgreSQL's transaction status: idle, in a transaction block, in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** What names a running session to a CancelRequest (protocol 3.0: two unsigned 32-bit numbers). */
export interface CancelKey {
  readonly processId: number;
  readonly secretKey: number;
}

/** A run-time setting that a frontend asks for when it connects. */
export type Setting = readonly [name: string, value: string];

/** What a frontend asked for in its startup packet. */
export interface Startup {
  readonly user: string;
  /** The account that has logged in; undefined where nobody is asked. */
  readonly account?: string | undefined;
  /** Narrows what the backend's own rules say; unset leaves it to them. */
  readonly access?: 'read-only' | 'read-write' | undefined;
  /** The only databases that the session may use, by name; undefined is all. */
  readonly databases?: readonly string[] | undefined;
  /**
   * Undefined when the packet named none, or the user's own name, which is psql's default, and
   * that is no database of the account's.
   */
  readonly database: string | undefined;
  /** Empty when the frontend did not say. */
  readonly applicationName: string;
  /** The client's address without port, for the upstream's own logs. */
  readonly address: string;
  /** In the order in which they take effect, `options` taken apart. */
  readonly settings: readonly Setting[];
}

/** A NoticeResponse of the backend's own. */
export interface Notice {
  readonly severity: string;
  readonly sqlState: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** What the rows of a result hold, in the order of their values. */
export interface Column {
  readonly name: string;
  /** Object id of the type, as in pg_type: 25 is text, 114 is json. */
  readonly typeOid: number;
}

/** The values of one row in text format; null is SQL's NULL. */
export type Row = readonly (Buffer | null)[];

/** One step of an answer. */
export type BackendEvent =
  /** Encoded frames to be written in this order, and how many DataRow frames are among them. */
  | { readonly kind: 'frames'; readonly chunks: readonly Buffer[]; readonly rows: number }
  /** A result begins. */
  | { readonly kind: 'columns'; readonly columns: readonly Column[] }
  /** Some of its rows, counted by the guard already. */
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'notice'; readonly notice: Notice }
  /** A run-time setting that the frontend wants to know has another value now. */
  | { readonly kind: 'parameter'; readonly setting: Setting }
  | { readonly kind: 'complete'; readonly commandTag: string }
  /** The text held no statement. */
  | { readonly kind: 'empty' }
  /** `isFromDatabase`: the database's own answer, and not ours in its place. */
  | { readonly kind: 'error'; readonly error: ServiceError; readonly isFromDatabase?: boolean }
  /**
   * The last event where there is no `ready` and nothing to be told: the backend has said among
   * the frames why it has gone, or has left one half sent.
   */
  | { readonly kind: 'gone'; readonly error: ServiceError }
  /** The last event of an exchange, with what its frames said. */
  | {
      readonly kind: 'ready';
      readonly status: TransactionStatus;
      /** Whether ReadyForQuery was among the frames; it is to be encoded otherwise. */
      readonly isForwarded: boolean;
      /** The first COMMAND_TAGS_MAX command tags. */
      readonly commandTags: readonly string[];
      /** SQLSTATE of the backend's own ErrorResponse among the frames. */
      readonly sqlState: string | undefined;
    };

/** Command tags kept of one exchange: a batch may hold any number of statements. */
export const COMMAND_TAGS_MAX = 16;

/**
 * One round of the protocol: frontend frames in, events out, ended by `ready`. Frames may keep
 * arriving while events flow; a simple query is an exchange of one frame.
 */
export interface Exchange {
  readonly frames: Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Counts what is delivered and says where to stop. */
  readonly guard: Guard;
  /**
   * Aborted to stop what runs, with a ServiceError as its reason. The backend cancels, and
   * answers with that error and `ready` if it can go on afterwards. Exchanges of one session may
   * share a signal until it is aborted.
   */
  readonly signal: AbortSignal;
}

/** What a backend session tells outside of exchanges. */
export interface Frontend {
  /** Whole frames that belong to no exchange; resolves when the frontend has taken them. */
  unsolicited(chunks: readonly Buffer[]): Promise<void>;
  /** The backend has gone and no exchange is running. `isTold`: it has said why itself. */
  closed(reason: ServiceError, told: { readonly isTold: boolean }): void;
}

/** One client's session with a database. */
export interface BackendSession {
  readonly cancelKey: CancelKey;
  /** Run-time settings as the backend reports them, kept up to date. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The database that statements run in now, where the backend knows it. */
  readonly database?: string;
  /** What the backend said while the session was opened. */
  readonly notices: readonly Notice[];
  /**
   * Runs one exchange; the caller takes every event. Without `ready` at the end the backend has
   * gone: the last event is a FATAL `error`, or `gone` where the frontend is not to be told.
   */
  execute(exchange: Exchange): AsyncIterable<BackendEvent>;
  /**
   * Forwards a client's cancel to the exchange that is running. The next exchange waits until the
   * backend has taken it, so that it never hits a later statement.
   *
   * @returns `late` when nothing is running: nothing is forwarded then
   */
  cancel(): Promise<'matched' | 'late'>;
  /** Leaves the backend; resolves when its connection is gone. */
  close(): Promise<void>;
}

/** A database that sessions can be opened with. */
export interface Backend {
  readonly name: string;
  /** Settings of the gate's own namespace that sessions of this backend understand. */
  readonly ownSettings?: ReadonlySet<string>;
  /**
   * @param signal aborts the attempt
   * @throws ServiceError FATAL, without credentials or addresses
   */
  open(startup: Startup, frontend: Frontend, signal: AbortSignal): Promise<BackendSession>;
  /** Forwards a cancel for a key that no session of this process has: another replica's. */
  cancel(key: CancelKey): Promise<void>;
}
