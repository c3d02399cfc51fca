// From the first byte to the startup packet: SSLRequest, GSSENCRequest, CancelRequest.
import type { SecureContext } from 'node:tls';
import type { CancelKey, Setting } from '../src/backends/backend.ts';
import { ServiceError, SQLSTATE } from '../src/errors.ts';
import type { FrontendConnection } from './frontend-connection.ts';
import { encodeErrorResponseV2 } from './protocol/backend-messages.ts';
import { readStartupRequest } from './protocol/frontend-messages.ts';
import type { StartupRequest } from './protocol/frontend-messages.ts';

/** First byte of a TLS record that holds a ClientHello. */
const TLS_HANDSHAKE_BYTE = 0x16;

const ACCEPTED = Buffer.from('S');
const DECLINED = Buffer.from('N');

/** What a new connection turned out to want. */
export type Opening =
  | { readonly kind: 'left' }
  | { readonly kind: 'cancel'; readonly key: CancelKey | undefined }
  | {
      readonly kind: 'startup';
      readonly parameters: readonly Setting[];
      /** A newer minor version than 3.0 was asked for. */
      readonly isNewerMinor: boolean;
    };

/**
 * Reads up to the startup packet, negotiating encryption. Each kind of request is answered once,
 * so that the number of rounds is bounded.
 *
 * @param secureContext what TLS is spoken with; undefined where it is off
 * @throws ServiceError FATAL with PostgreSQL's own words; ProtocolError on broken packets
 */
export async function readOpening(
  connection: FrontendConnection,
  secureContext: SecureContext | undefined,
): Promise<Opening> {
  if (!(await beginDirectTls(connection, secureContext))) {
    return { kind: 'left' };
  }
  const answered = new Set<StartupRequest['kind']>();
  for (;;) {
    const packet = await connection.startupPacket();
    if (packet === undefined) {
      return { kind: 'left' };
    }
    const request = readStartupRequest(packet);
    if (request.kind === 'cancel') {
      return request;
    }
    if (request.kind === 'startup') {
      return readStartup(connection, request);
    }
    if (answered.has(request.kind) || connection.isEncrypted) {
      throw unsupportedProtocol(1234, request.kind === 'ssl' ? 5679 : 5680);
    }
    answered.add(request.kind);
    if (!(await answerEncryption(connection, request.kind, secureContext))) {
      return { kind: 'left' };
    }
  }
}

/** TLS from the first byte on (`sslnegotiation=direct`). */
async function beginDirectTls(
  connection: FrontendConnection,
  secureContext: SecureContext | undefined,
): Promise<boolean> {
  const first = await connection.firstByte();
  if (first !== TLS_HANDSHAKE_BYTE) {
    return first !== undefined;
  }
  return (
    secureContext !== undefined && (await connection.upgrade(secureContext, { isDirect: true }))
  );
}

/** @returns false when the client left during the TLS handshake */
async function answerEncryption(
  connection: FrontendConnection,
  kind: 'ssl' | 'gssenc',
  secureContext: SecureContext | undefined,
): Promise<boolean> {
  if (connection.bufferedBytes > 0) {
    // It came in plain text and would count as encrypted afterwards (CVE-2021-23214).
    throw new ServiceError(
      SQLSTATE.protocolViolation,
      `received unencrypted data after ${kind === 'ssl' ? 'SSL' : 'GSSAPI encryption'} request`,
      {
        severity: 'FATAL',
        detail: 'This could be a client-software bug, or evidence of a man-in-the-middle attack',
      },
    );
  }
  if (kind === 'gssenc' || secureContext === undefined) {
    connection.write(DECLINED);
    return true;
  }
  connection.write(ACCEPTED);
  return await connection.upgrade(secureContext, { isDirect: false });
}

function readStartup(
  connection: FrontendConnection,
  request: Extract<StartupRequest, { kind: 'startup' }>,
): Opening {
  if (request.major !== 3) {
    const error = unsupportedProtocol(request.major, request.minor);
    if (request.major < 3) {
      // A frontend of protocol 2 cannot read today's ErrorResponse.
      connection.write(encodeErrorResponseV2('FATAL', error.message));
      return { kind: 'left' };
    }
    throw error;
  }
  return { kind: 'startup', parameters: request.parameters, isNewerMinor: request.minor > 0 };
}

function unsupportedProtocol(major: number, minor: number): ServiceError {
  return new ServiceError(
    SQLSTATE.featureNotSupported,
    `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.0`,
    { severity: 'FATAL' },
  );
}
