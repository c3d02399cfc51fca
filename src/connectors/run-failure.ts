// What ends a run of a connector, and whether it goes on without anybody's doing.
import { ConnectorError } from './connector-error.ts';
import type { ConnectorErrorKind } from './connector-error.ts';
import { IggyError } from './iggy-error.ts';
import type { IggyErrorKind } from './iggy-error.ts';

/** What waits for somebody: a configuration, a state or a record that stays as it is. */
const NEEDS_SOMEBODY: ReadonlySet<ConnectorErrorKind> = new Set([
  'invalid-config',
  'invalid-state',
  'invalid-record',
  'storage',
]);

/**
 * Whether the runtime tries again by itself. It does where the reason lies outside and may pass: a
 * server that is away at three in the morning, or another instance that holds the lease. It does
 * not where the same would happen again, or where trying would go past what `on_failure = "halt"`
 * has stopped at.
 */
export function restartsByItself(kind: ConnectorErrorKind): boolean {
  return !NEEDS_SOMEBODY.has(kind);
}

/**
 * Iggy's failures as a connector's. A topic that is not there or is full may be made or emptied
 * later, a login may be repaired at the server, and most of its own failures look like refusals;
 * messages that it does not take, or that we do not, stay as they are.
 */
const KIND_OF_IGGY: Readonly<Record<IggyErrorKind, ConnectorErrorKind>> = {
  unreachable: 'connection',
  timeout: 'connection',
  unavailable: 'connection',
  busy: 'connection',
  unauthenticated: 'connection',
  credentials: 'init',
  forbidden: 'init',
  'not-found': 'connection',
  exists: 'connection',
  'topic-full': 'connection',
  'offset-range': 'connection',
  'unexpected-reply': 'connection',
  'too-large': 'connection',
  'reply-too-large': 'invalid-record',
  unsendable: 'invalid-record',
  refused: 'connection',
};

/** A failure of a run as a connector's; undefined for one that nobody expected, which is a bug. */
export function toRunFailure(error: unknown): ConnectorError | undefined {
  if (error instanceof ConnectorError) {
    return error;
  }
  if (error instanceof IggyError) {
    return new ConnectorError(KIND_OF_IGGY[error.kind], error.message);
  }
  return undefined;
}
