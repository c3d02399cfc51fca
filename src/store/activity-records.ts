// What of an observation is kept as activity.
import { ANONYMOUS } from '../api-tokens.ts';
import { cutText, NAME_LENGTH_MAX, roundMs } from '../json-line.ts';
import { HTTP_DOOR } from '../observation.ts';
import type {
  LoginOutcome,
  Observation,
  StatementFinished,
  StatementOutcome,
} from '../observation.ts';
import { beginningOf, copyBeginning, keepBeginning } from './kept-text.ts';
import type { KeptText, TextKeeper, WaitingText } from './kept-text.ts';
import { maskSecrets } from './masking.ts';
import { createRecordId } from './record-ids.ts';
import type { StoredRecord } from './record-insert.ts';
import type { Waiting } from './record-writer.ts';

export const ACTIVITY_KINDS = ['statement', 'request', 'login'] as const;

/** Records, so that a new member of a union does not compile until it is named here. */
const KINDS: { readonly [Kind in (typeof ACTIVITY_KINDS)[number]]: Kind } = {
  statement: 'statement',
  request: 'request',
  login: 'login',
};
const OUTCOMES: Readonly<Record<StatementOutcome | LoginOutcome, true>> = {
  ...{ ok: true, error: true, timeout: true, cancelled: true, refused: true },
  ...{ limited: true, truncated: true, aborted: true },
  ...{ disabled: true, 'not-allowed': true, throttled: true, unavailable: true },
};

export const ACTIVITY_OUTCOMES: readonly string[] = Object.keys(OUTCOMES);

/** Longest method and path of a request. */
const ROUTE_LENGTH_MAX = 1024;

/** What a record holds in memory besides its text, about. */
const ENTRY_BYTES = 400;

/** What machines ask all the time, and what says nothing of the data. */
const UNRECORDED_PATHS: ReadonlySet<string> = new Set([
  ...['/livez', '/readyz', '/health', '/metrics'],
  ...['/docs', '/openapi.json'],
]);

type Finished<Kind> = Extract<Observation, { readonly kind: Kind }>;

/** What a statement waits with: not with all that was observed of it, which would cost memory. */
interface StatementEntry
  extends
    Waiting,
    Pick<
      StatementFinished,
      'kind' | 'session' | 'rows' | 'bytes' | 'durationMs' | 'outcome' | 'sqlState'
    > {
  readonly atMs: number;
  readonly text: string | WaitingText | KeptText;
}

/** What waits to become a record. */
export type ActivityEntry =
  | StatementEntry
  | (Waiting & Finished<'request-finished'> & { readonly atMs: number })
  | (Waiting & Finished<'login-finished'> & { readonly atMs: number });

/**
 * Runs for every statement.
 *
 * @returns undefined for what is not kept
 */
export function toActivityEntry(
  observation: Observation,
  texts: TextKeeper,
): ActivityEntry | undefined {
  switch (observation.kind) {
    case 'statement-finished':
      return toStatementEntry(observation, texts);
    case 'request-finished':
      if (UNRECORDED_PATHS.has(observation.path.toLowerCase().replace(/\/$/, ''))) {
        return undefined;
      }
      return toRequestEntry(observation);
    case 'login-finished':
      return toLoginEntry(observation);
    default:
      return undefined;
  }
}

function toStatementEntry(statement: StatementFinished, texts: TextKeeper): StatementEntry {
  const known = texts.find(statement.text);
  const text = known ?? beginningOf(statement.text) ?? statement.text;
  const length = typeof text === 'string' ? text.length : text.text.length;
  return {
    kind: 'statement-finished',
    atMs: Date.now(),
    heldBytes: ENTRY_BYTES + (known === undefined ? 2 * length : 0),
    session: statement.session,
    text,
    rows: statement.rows,
    bytes: statement.bytes,
    durationMs: statement.durationMs,
    outcome: statement.outcome,
    sqlState: statement.sqlState,
  };
}

/** A path and a name are a client's to choose, and neither waits longer than it is kept. */
function toRequestEntry(request: Finished<'request-finished'>): ActivityEntry {
  const path = copyBeginning(request.path, ROUTE_LENGTH_MAX);
  const caller = copyBeginning(request.caller, NAME_LENGTH_MAX);
  const heldBytes = ENTRY_BYTES + 2 * (path.length + caller.length);
  return { ...request, path, caller, atMs: Date.now(), heldBytes };
}

function toLoginEntry(login: Finished<'login-finished'>): ActivityEntry {
  const name = copyBeginning(login.name, NAME_LENGTH_MAX);
  return { ...login, name, atMs: Date.now(), heldBytes: ENTRY_BYTES + 2 * name.length };
}

/** The record; members that say nothing are undefined, and left out when it is written. */
export function toActivityRecord(entry: ActivityEntry, texts: TextKeeper): StoredRecord {
  switch (entry.kind) {
    case 'statement-finished':
      return describeStatement(entry, texts);
    case 'request-finished':
      return describeRequest(entry);
    case 'login-finished':
      return describeLogin(entry);
  }
}

/** One literal, without spreads: it is made for every statement. */
function describeStatement(entry: StatementEntry, texts: TextKeeper): StoredRecord {
  const { session, outcome } = entry;
  const { owner = null, backend, listener: door } = session;
  const isHttp = door === HTTP_DOOR;
  const kept = keepText(entry.text, texts);
  return {
    _id: createRecordId(),
    at: new Date(entry.atMs),
    // Records of the same are packed together: few different ones, never a client's own words.
    meta: { owner, backend, door, outcome },
    kind: KINDS.statement,
    account: accountOf(owner, session.user),
    session: isHttp ? session.webSessionId : session.sessionId,
    request: isHttp ? session.sessionId : undefined,
    route: isHttp ? session.applicationName : undefined,
    database: cutText(session.database, NAME_LENGTH_MAX),
    text: kept.text,
    textSha256: kept.textSha256,
    textBytes: kept.textBytes,
    isHashOfBeginning: kept.isHashOfBeginning,
    rows: entry.rows,
    bytes: entry.bytes,
    durationMs: roundMs(entry.durationMs),
    sqlState: entry.sqlState,
    address: session.address,
  };
}

function keepText(text: StatementEntry['text'], texts: TextKeeper): KeptText {
  if (typeof text === 'string') {
    return texts.keep(text);
  }
  return 'wholeBytes' in text ? keepBeginning(text) : text;
}

function describeRequest(
  request: Extract<ActivityEntry, { readonly kind: 'request-finished' }>,
): StoredRecord {
  const { owner = null, method, path } = request;
  return {
    _id: createRecordId(),
    at: new Date(request.atMs),
    meta: { owner, backend: null, door: HTTP_DOOR, outcome: outcomeOf(request) },
    kind: KINDS.request,
    account: accountOf(owner, request.caller),
    session: request.webSessionId,
    request: request.requestId,
    route: maskSecrets(cutText(`${method} ${path}`, ROUTE_LENGTH_MAX)),
    status: request.status,
    durationMs: roundMs(request.durationMs),
    address: request.address,
  };
}

/**
 * The name is whatever was given, a password by mistake included: only administrators see it,
 * unless an account has proved that it is its own.
 */
function describeLogin(
  login: Extract<ActivityEntry, { readonly kind: 'login-finished' }>,
): StoredRecord {
  return {
    _id: createRecordId(),
    at: new Date(login.atMs),
    meta: { owner: login.owner ?? null, backend: null, door: login.door, outcome: login.outcome },
    kind: KINDS.login,
    account: maskSecrets(cutText(login.name, NAME_LENGTH_MAX)),
    address: login.address,
    repeated: login.repeated,
  };
}

/** Where nobody is asked the user is what the client says, and nobody's name. */
function accountOf(owner: string | null, name: string): string {
  return owner === null ? ANONYMOUS : name;
}

const REFUSED: ReadonlySet<number> = new Set([401, 403, 429]);

function outcomeOf({ isComplete, status }: Finished<'request-finished'>): StatementOutcome {
  if (!isComplete) {
    return 'aborted';
  }
  if (status < 400) {
    return 'ok';
  }
  if (REFUSED.has(status)) {
    return 'refused';
  }
  return status === 504 ? 'timeout' : 'error';
}
