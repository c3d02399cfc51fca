import { types } from 'node:util';
import { cutText, NAME_LENGTH_MAX, roundMs, toSessionFields } from './json-line.ts';
import type { Config } from './config.ts';
import type { ConnectorBatch, LoginOutcome, Observation, RequestFinished } from './observation.ts';

export type LogLevel = Config['logLevel'];

/** One log line before it is formatted. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A stack tells where within its first frames; a runaway one must not fill the log. */
const STACK_LENGTH_MAX = 8192;
const MESSAGE_LENGTH_MAX = 2048;

/** The password of a connection string, should a driver quote one in its message. */
const URL_PASSWORD = /(:\/\/[^\s:@/]*:)[^\s@/]*@/g;

/**
 * How an observation reads in the log. Statement text and command tags have no way in: the audit
 * is their place.
 */
export function toLogEntry(observation: Observation): LogEntry {
  switch (observation.kind) {
    case 'service-started':
      return entry('info', 'Service started', {
        version: observation.version,
        duration_ms: roundMs(observation.durationMs),
      });
    case 'start-failed':
      return entry('error', maskText(describeStartFailure(observation.error)), {});
    case 'service-stopping':
      return entry('info', 'Service stopping', { reason: observation.reason });
    case 'service-stopped':
      return entry('info', 'Service stopped', { duration_ms: roundMs(observation.durationMs) });
    case 'component-reported':
      return entry('info', maskText(observation.message), { component: observation.component });
    case 'risk-noticed':
      return entry('warn', maskText(observation.message), { component: observation.component });
    case 'listener-bound':
      return entry('info', 'Listener bound', {
        listener: observation.listener,
        backend: observation.backend,
        address: observation.address,
        port: observation.port,
        connections_max: observation.connectionsMax,
      });
    case 'backend-probed':
      return describeProbe(observation);
    case 'audit-lost':
      return entry('error', 'Audit lines lost', {
        lines: observation.lines,
        reason: observation.reason,
      });
    case 'fault':
      return entry('error', 'Fault', {
        component: observation.component,
        session: observation.sessionId,
        error: describeFault(observation.error),
      });
    case 'activity-lost':
      return entry('error', 'Records lost: MongoDB did not take them', {
        stream: observation.stream,
        records: observation.records,
        reason: maskText(observation.reason),
      });
    case 'account-changed':
      return entry('info', 'Account changed', {
        actor: cutText(observation.actor, NAME_LENGTH_MAX),
        account: cutText(observation.name, NAME_LENGTH_MAX),
        change: observation.change,
      });
    case 'connector-status':
      return describeConnectorStatus(observation);
    case 'connector-batch':
      return describeConnectorBatch(observation);
    default:
      return describeClient(observation);
  }
}

type ClientObservation = Extract<
  Observation,
  {
    readonly kind:
      | 'connection-rejected'
      | 'session-opened'
      | 'session-closed'
      | 'statement-finished'
      | 'request-finished'
      | 'cancel-requested'
      | 'cache-answered'
      | 'login-finished';
  }
>;

/** What one client did or met. */
function describeClient(observation: ClientObservation): LogEntry {
  switch (observation.kind) {
    case 'connection-rejected':
      return entry('warn', 'Connection rejected', {
        listener: observation.listener,
        client_addr: observation.address,
        reason: observation.reason,
        detail: cutText(observation.detail, NAME_LENGTH_MAX),
      });
    case 'session-opened':
      return entry('info', 'Session opened', { ...toSessionFields(observation.session) });
    case 'session-closed':
      return describeSessionEnd(observation);
    case 'statement-finished':
      return entry('debug', 'Statement finished', {
        session: observation.session.sessionId,
        listener: observation.session.listener,
        backend: observation.session.backend,
        outcome: observation.outcome,
        sqlstate: observation.sqlState,
        limit: observation.limit,
        rows: observation.rows,
        bytes: observation.bytes,
        duration_ms: roundMs(observation.durationMs),
      });
    case 'request-finished':
      return describeRequest(observation);
    case 'login-finished':
      return entry(observation.outcome === 'ok' ? 'info' : 'warn', 'Login finished', {
        listener: observation.door,
        user: isProven(observation.outcome)
          ? cutText(observation.name, NAME_LENGTH_MAX)
          : undefined,
        client_addr: observation.address,
        outcome: observation.outcome,
        repeated: observation.repeated,
      });
    case 'cancel-requested':
      return entry('debug', 'Cancel requested', {
        listener: observation.listener,
        client_addr: observation.address,
        result: observation.result,
      });
    case 'cache-answered':
      return entry('debug', 'Cache answered', { result: observation.result });
  }
}

/** A name that nobody has proved to have may be a password in the wrong field. */
function isProven(outcome: LoginOutcome): boolean {
  return outcome === 'ok' || outcome === 'disabled' || outcome === 'not-allowed';
}

/** A connector that stops is an error; one that waits for something is worth a look. */
function describeConnectorStatus({
  type,
  key,
  name,
  status,
  message,
}: Extract<Observation, { readonly kind: 'connector-status' }>): LogEntry {
  const fields = { connector: key, type, name: cutText(name, NAME_LENGTH_MAX), status };
  const reason = message === undefined ? undefined : maskText(message);
  if (status === 'error') {
    return entry('error', 'Connector stopped by an error', { ...fields, reason });
  }
  return entry(reason === undefined ? 'info' : 'warn', `Connector ${status}`, {
    ...fields,
    reason,
  });
}

function describeConnectorBatch(batch: ConnectorBatch): LogEntry {
  const stagesMs: Record<string, number> = {};
  for (const { stage, durationMs } of batch.stages) {
    stagesMs[`${stage}_ms`] = roundMs(durationMs);
  }
  return entry('debug', 'Connector batch finished', {
    connector: batch.key,
    type: batch.type,
    consumed: batch.consumed,
    produced: batch.produced,
    delivered: batch.delivered,
    replayed: batch.replayed,
    dead_lettered: batch.deadLettered,
    skipped: batch.skipped,
    errors: batch.errors,
    ...stagesMs,
  });
}

/** What went wrong with us or behind us is worth a look; the rest is for those who search. */
function describeRequest(request: RequestFinished): LogEntry {
  return entry(request.status >= 500 ? 'warn' : 'debug', 'Request finished', {
    session: request.requestId,
    user: cutText(request.caller, NAME_LENGTH_MAX),
    client_addr: request.address,
    method: request.method,
    path: cutText(request.path, NAME_LENGTH_MAX),
    status: request.status,
    complete: request.isComplete,
    duration_ms: roundMs(request.durationMs),
  });
}

/** An operating failure is a sentence that says what to do; a stack would bury it. */
function describeStartFailure(error: unknown): string {
  if (!types.isNativeError(error)) {
    return `Start failed: ${String(error)}`;
  }
  const hint = 'hint' in error && typeof error.hint === 'string' ? `. ${error.hint}` : '';
  return `Start failed: ${error.message}${hint}`;
}

function entry(level: LogLevel, message: string, fields: LogEntry['fields']): LogEntry {
  return { level, message, fields };
}

function describeSessionEnd(
  observation: Extract<Observation, { readonly kind: 'session-closed' }>,
): LogEntry {
  const { session, error } = observation;
  return entry('info', 'Session closed', {
    ...toSessionFields(session),
    duration_ms: roundMs(observation.durationMs),
    statements: observation.statements,
    rows: observation.rows,
    sent_bytes: observation.sentBytes,
    ...(error && {
      sqlstate: error.sqlState,
      error: maskText(error.message),
      cause: types.isNativeError(error.cause) ? maskText(error.cause.message) : undefined,
    }),
  });
}

function describeProbe(
  observation: Extract<Observation, { readonly kind: 'backend-probed' }>,
): LogEntry {
  const { backend, isUp, failure } = observation;
  const fields = { backend, duration_ms: roundMs(observation.durationMs), failure };
  return isUp
    ? entry('info', 'Backend answers', fields)
    : entry('warn', 'Backend does not answer', fields);
}

/**
 * The stack of what was thrown, with one cause beneath it. Only the stack is read: other
 * properties of a driver's error hold statements, parameters and addresses with passwords.
 */
function describeFault(thrown: unknown): string {
  if (!types.isNativeError(thrown)) {
    return maskText(typeof thrown === 'string' ? thrown : `Thrown value of type ${typeof thrown}`);
  }
  const cause = types.isNativeError(thrown.cause)
    ? `\nCaused by ${thrown.cause.stack ?? thrown.cause.message}`
    : '';
  return cutText(maskPasswords(`${thrown.stack ?? thrown.message}${cause}`), STACK_LENGTH_MAX);
}

function maskText(text: string): string {
  return cutText(maskPasswords(text), MESSAGE_LENGTH_MAX);
}

function maskPasswords(text: string): string {
  return text.replace(URL_PASSWORD, '$1***@');
}
