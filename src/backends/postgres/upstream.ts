// Logs in to the upstream with `pg`, which knows TLS modes, SCRAM and DSNs, and then takes its
// socket over, so that from then on bytes are relayed and not decoded.
import { Socket } from 'node:net';
import { Client, escapeLiteral } from 'pg';
import type { ClientConfig } from 'pg';
import type { CancelKey, Notice } from '../backend.ts';
import { guardLogin } from './login-guard.ts';
import { ReportedParameters } from './reported-parameters.ts';
import { upstreamOpenError } from './upstream-errors.ts';

/** Notices kept from a login; a login trigger could raise any number. */
const NOTICES_MAX = 20;

/** A logged-in upstream, idle at ReadyForQuery, whose socket now belongs to the caller. */
export interface Upstream {
  readonly socket: Socket;
  readonly cancelKey: CancelKey;
  readonly parameters: ReportedParameters;
  readonly notices: readonly Notice[];
}

/**
 * Opens one upstream connection.
 *
 * @param clientEncoding set after the login, because `pg` itself always asks for UTF8
 * @param signal destroys the socket, whatever state it is in; its reason is what is thrown then
 * @throws ServiceError FATAL, see upstreamOpenError
 */
export async function openUpstream(
  config: ClientConfig,
  clientEncoding: string | undefined,
  signal: AbortSignal,
): Promise<Upstream> {
  const client = new Client(config);
  const login = observeLogin(client);
  // Without a listener a lost connection would end the process; connect() reports it as well.
  client.on('error', () => undefined);
  const abort = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const connected = client.connect();
    // The parser listens from here on, or else from when TLS is up.
    if (config.ssl === undefined || config.ssl === false) {
      guardLogin(client.connection.stream);
    } else {
      client.connection.once('sslconnect', () => {
        guardLogin(client.connection.stream);
      });
    }
    await connected;
    if (clientEncoding !== undefined) {
      await client.query(`SET client_encoding TO ${escapeLiteral(clientEncoding)}`);
    }
    return { ...login(), socket: takeSocket(client) };
  } catch (thrown) {
    client.connection.stream.destroy();
    throw upstreamOpenError(signal.aborted ? signal.reason : thrown);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Collects what the server says during the login; `pg` keeps none of it. */
function observeLogin(client: Client): () => Omit<Upstream, 'socket'> {
  const parameters = new ReportedParameters();
  const notices: Notice[] = [];
  let cancelKey: CancelKey = { processId: 0, secretKey: 0 };
  client.connection.on(
    'parameterStatus',
    (message: { parameterName: string; parameterValue: string }) => {
      parameters.set(message.parameterName, message.parameterValue);
    },
  );
  client.connection.on('backendKeyData', (message: { processID: number; secretKey: number }) => {
    cancelKey = { processId: message.processID >>> 0, secretKey: message.secretKey >>> 0 };
  });
  client.on('notice', (notice) => {
    if (notices.length < NOTICES_MAX) {
      notices.push({
        severity: notice.severity ?? 'NOTICE',
        sqlState: notice.code ?? '00000',
        message: notice.message ?? '',
        detail: notice.detail,
        hint: notice.hint,
      });
    }
  });
  return () => ({ cancelKey, parameters, notices });
}

/**
 * Takes the socket out of an idle client. Nothing has been asked, so that no byte is left in
 * the client's parser.
 */
function takeSocket(client: Client): Socket {
  const { stream } = client.connection;
  if (!(stream instanceof Socket)) {
    throw new TypeError('The upstream connection is not a socket');
  }
  for (const event of ['data', 'end', 'error', 'close', 'drain']) {
    stream.removeAllListeners(event);
  }
  for (const event of client.connection.eventNames()) {
    client.connection.removeAllListeners(event);
  }
  stream.setNoDelay(true);
  return stream;
}
