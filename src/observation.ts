import type { ConnectorStatus, ShownConnector } from './connectors-control.ts';
import type { ServiceError } from './errors.ts';

/** How a statement ended; a closed set, because it labels metrics. */
export type StatementOutcome =
  | 'ok'
  /** The database answered with an error of its own. */
  | 'error'
  /** Stopped by the query timeout. */
  | 'timeout'
  /** Stopped by the client's CancelRequest. */
  | 'cancelled'
  /** Not run: the policy or the protocol subset said no. */
  | 'refused'
  /** Stopped with an error at the row or byte limit. */
  | 'limited'
  /** Delivered up to the row or byte limit, then ended normally. */
  | 'truncated'
  /** The client, the upstream or the service went away while it ran. */
  | 'aborted';

/** Where a listener's name stands for statements that came over HTTP; no listener is called so. */
export const HTTP_DOOR = 'http';

/** Who a session belongs to, as far as a gate can know: where nobody is asked, by his own words. */
export interface SessionIdentity {
  /** Unique for ever (UUID); also shown to the client in DETAIL of our own errors. */
  readonly sessionId: string;
  readonly listener: string;
  readonly backend: string;
  readonly user: string;
  /** Of whom the activity is: `account:<id>` or `token:<name>`; undefined where nobody is asked. */
  readonly owner?: string | undefined;
  /** The session over HTTP that a request came with: what its owner sees it by. */
  readonly webSessionId?: string | undefined;
  readonly database: string;
  readonly address: string;
  readonly applicationName: string;
  readonly isEncrypted: boolean;
}

export interface StatementFinished {
  readonly kind: 'statement-finished';
  readonly session: SessionIdentity;
  /** The statement as sent; observers that keep it cut it first. */
  readonly text: string;
  /** The upstream's command tags, or none when it was not run. */
  readonly commandTags: readonly string[];
  /** Rows and exact DataRow frame bytes that reached the client. */
  readonly rows: number;
  readonly bytes: number;
  /** Frame bytes from and to the client, everything counted. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  readonly outcome: StatementOutcome;
  /** SQLSTATE of the error that ended it. */
  readonly sqlState: string | undefined;
  /** The limit that cut the result. */
  readonly limit: 'rows' | 'bytes' | undefined;
}

/** A request over HTTP that was answered, or whose client has gone. */
export interface RequestFinished {
  readonly kind: 'request-finished';
  readonly requestId: string;
  /** Name of the token or account; `anonymous` without one. */
  readonly caller: string;
  /** As in SessionIdentity. */
  readonly owner?: string | undefined;
  readonly webSessionId?: string | undefined;
  readonly address: string;
  readonly method: string;
  /** Without its query, which has values in it. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  /** Whether the whole answer was sent. */
  readonly isComplete: boolean;
}

/** A part of a connector's work on one batch. */
export type ConnectorStage =
  /** From Iggy (sink), or from the database (source). */
  'poll' | 'insert' | 'iggy_send' | 'state_save' | 'total';

/** What a connector did with one batch; counts of messages. */
export interface ConnectorBatch {
  readonly kind: 'connector-batch';
  readonly type: ShownConnector['type'];
  readonly key: string;
  /** Polled from Iggy, by a sink. */
  readonly consumed: number;
  /** Made of records, by a source. */
  readonly produced: number;
  /** In the database (sink), or stored by Iggy (source). */
  readonly delivered: number;
  /** In the database already. */
  readonly replayed: number;
  readonly deadLettered: number;
  readonly skipped: number;
  readonly errors: number;
  readonly stages: readonly { readonly stage: ConnectorStage; readonly durationMs: number }[];
}

export type RejectionReason =
  | 'too-many-connections'
  | 'too-many-unauthenticated'
  | 'startup-timeout'
  | 'draining'
  | 'startup-failed'
  | 'protocol-violation';

/** How a try to log in ended; a closed set, because it labels metrics. */
export type LoginOutcome =
  | 'ok'
  /** A wrong secret, or a name that is not known. */
  | 'refused'
  | 'disabled'
  /** Right, and yet not for this backend or database. */
  | 'not-allowed'
  /** Not even looked at: too many failures before it, or too many tries at a time. */
  | 'throttled'
  /** The accounts could not be read. */
  | 'unavailable';

/** As X-Cache has it; a closed set, because it labels metrics. */
export type CacheResult = 'hit' | 'miss' | 'bypass';

export type CancelResult = 'matched' | 'unknown' | 'late' | 'rate-limited';

/** Everything worth noticing. Code that works observes; only observers format. */
export type Observation =
  | { readonly kind: 'service-started'; readonly version: string; readonly durationMs: number }
  | { readonly kind: 'start-failed'; readonly error: unknown }
  | { readonly kind: 'service-stopping'; readonly reason: string }
  | { readonly kind: 'service-stopped'; readonly durationMs: number }
  /** Progress or state of one part that an operator wants to read: a sentence, no secrets. */
  | { readonly kind: 'component-reported'; readonly component: string; readonly message: string }
  /** A choice of the operator that is allowed and risky: what, why, what to do. */
  | { readonly kind: 'risk-noticed'; readonly component: string; readonly message: string }
  | {
      readonly kind: 'listener-bound';
      readonly listener: string;
      readonly backend: string;
      readonly address: string;
      readonly port: number;
      readonly connectionsMax: number;
    }
  | {
      readonly kind: 'connection-rejected';
      readonly listener: string;
      readonly address: string;
      readonly reason: RejectionReason;
      readonly detail: string;
    }
  | { readonly kind: 'session-opened'; readonly session: SessionIdentity }
  | {
      readonly kind: 'session-closed';
      readonly session: SessionIdentity;
      readonly durationMs: number;
      readonly statements: number;
      readonly rows: number;
      readonly sentBytes: number;
      /** What ended it; undefined when the client left in good order. */
      readonly error: ServiceError | undefined;
    }
  | StatementFinished
  | RequestFinished
  | {
      readonly kind: 'cancel-requested';
      readonly listener: string;
      readonly address: string;
      readonly result: CancelResult;
    }
  | {
      readonly kind: 'backend-probed';
      readonly backend: string;
      readonly isUp: boolean;
      readonly durationMs: number;
      /** SQLSTATE or driver code of the failure. */
      readonly failure: string | undefined;
    }
  | { readonly kind: 'audit-lost'; readonly lines: number; readonly reason: string }
  | {
      readonly kind: 'login-finished';
      /** Name of the listener, or HTTP_DOOR. */
      readonly door: string;
      /** The name that was given. */
      readonly name: string;
      /** As in SessionIdentity, where the outcome is ok. */
      readonly owner?: string | undefined;
      readonly address: string;
      readonly outcome: LoginOutcome;
      /** How many tries of this address it stands for, this one being the last; 1 unless given. */
      readonly repeated?: number;
    }
  /** An account or one of its tokens was made, changed or removed: what, by whom. No secrets. */
  | {
      readonly kind: 'account-changed';
      /** Name of the administrator, or `command line`. */
      readonly actor: string;
      readonly name: string;
      /** A few words: `created with scope read`, `disabled`, `password set`. */
      readonly change: string;
    }
  /** Records of activity or of the log that MongoDB could not be given. */
  | {
      readonly kind: 'activity-lost';
      readonly stream: 'activity' | 'logs';
      readonly records: number;
      readonly reason: string;
    }
  /** A request that asked for the cache: given from it, made, or sent past it. */
  | { readonly kind: 'cache-answered'; readonly result: CacheResult }
  | ConnectorBatch
  | {
      readonly kind: 'connector-status';
      readonly type: ShownConnector['type'];
      readonly key: string;
      /** What the operator calls it. */
      readonly name: string;
      readonly status: ConnectorStatus;
      /** Why it is in error, without secrets. */
      readonly message: string | undefined;
    }
  /** A fault of ours: a bug, to be read with its stack. */
  | {
      readonly kind: 'fault';
      readonly component: string;
      readonly error: unknown;
      /** The session or request that met it. */
      readonly sessionId?: string;
    };

/** Takes observations; must not block. What it throws never reaches the observed code. */
export interface Observer {
  observe(observation: Observation): void;
}

/** Hands each observation to every observer; one that throws does not hide it from the others. */
export function fanOut(observers: readonly Observer[]): Observer {
  return {
    observe(observation) {
      for (const observer of observers) {
        try {
          observer.observe(observation);
        } catch (error) {
          reportFault(observers, observer, error);
        }
      }
    },
  };
}

function reportFault(observers: readonly Observer[], faulty: Observer, error: unknown): void {
  for (const observer of observers) {
    if (observer === faulty) {
      continue;
    }
    try {
      observer.observe({ kind: 'fault', component: 'observer', error });
    } catch {
      // An observer that cannot even take a fault has nobody left to tell.
    }
  }
}
