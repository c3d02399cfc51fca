// What a client hears when its session is open.
import type { BackendSession } from '../src/backends/backend.ts';
import { SQLSTATE } from '../src/errors.ts';
import {
  encodeAuthenticationOk,
  encodeBackendKeyData,
  encodeNoticeResponse,
  encodeParameterStatus,
  encodeReadyForQuery,
} from './protocol/backend-messages.ts';

/**
 * AuthenticationOk and all that follows it up to ReadyForQuery.
 *
 * @param warnings sentences about what the client asked for and did not get
 */
export function encodeWelcome(backend: BackendSession, warnings: readonly string[]): Buffer[] {
  const { processId, secretKey } = backend.cancelKey;
  const notices = warnings.map((message) => ({
    severity: 'WARNING',
    sqlState: SQLSTATE.warning,
    message,
  }));
  return [
    encodeAuthenticationOk(),
    ...[...backend.parameters].map(([name, value]) => encodeParameterStatus(name, value)),
    encodeBackendKeyData(processId, secretKey),
    ...[...backend.notices, ...notices].map(encodeNoticeResponse),
    encodeReadyForQuery('I'),
  ];
}
