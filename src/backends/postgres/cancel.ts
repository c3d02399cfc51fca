// Sends a CancelRequest to an upstream and waits until the upstream has taken it.
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { CancelKey } from '../backend.ts';

/** psql sends a cancel from a signal handler and blocks in it: it must be answered soon. */
export const CANCEL_TIMEOUT_MS = 2000;

export type CancelDelivery = 'taken' | 'unsent' | 'unconfirmed';

/** Where a cancel goes, and how. */
export interface CancelTarget {
  readonly address: { readonly path: string } | { readonly host: string; readonly port: number };
  /** Undefined for plain text. */
  readonly tls: ConnectionOptions | undefined;
  /** The name that the certificate is for. */
  readonly serverName: string;
  /** Whether TLS begins at once, without an SSLRequest. */
  readonly isTlsDirect: boolean;
}

/**
 * Sends the key and resolves when the upstream has closed the socket: PostgreSQL signals the
 * backend before it does, so that no later statement can be hit. A cancel promises nothing, so
 * that a failure is not an error.
 *
 * @returns `unsent` when the upstream could not be reached, `unconfirmed` when it did not close
 *   within CANCEL_TIMEOUT_MS: the cancel may strike at any time then
 */
export async function sendCancel(target: CancelTarget, key: CancelKey): Promise<CancelDelivery> {
  const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
  const plain = connect({ ...target.address, noDelay: true });
  // A socket that fails while nobody waits for it must not end the process.
  plain.on('error', () => undefined);
  let socket = plain;
  let delivery: CancelDelivery = 'unsent';
  try {
    await once(plain, 'connect', { signal });
    socket = await secure(plain, target, signal);
    socket.write(encodeCancelRequest(key));
    delivery = 'unconfirmed';
    // The upstream answers nothing; reading is what notices that it closes.
    socket.resume();
    await once(socket, 'close', { signal });
    delivery = 'taken';
  } catch {
    // The delivery says how far it came.
  } finally {
    socket.destroy();
    plain.destroy();
  }
  return delivery;
}

async function secure(plain: Socket, target: CancelTarget, signal: AbortSignal): Promise<Socket> {
  if (target.tls === undefined) {
    return plain;
  }
  if (!target.isTlsDirect) {
    plain.write(encodeRequest(SSL_REQUEST_CODE));
    const gone = new AbortController();
    plain.once('close', () => {
      gone.abort();
    });
    const answers: unknown[] = await once(plain, 'data', {
      signal: AbortSignal.any([signal, gone.signal]),
    });
    const answer = answers[0];
    if (!(answer instanceof Buffer) || answer.toString('latin1') !== 'S') {
      throw new Error('The upstream does not speak TLS');
    }
  }
  const socket = connectTls({
    socket: plain,
    ...(isIP(target.serverName) === 0 ? { servername: target.serverName } : {}),
    host: target.serverName,
    ...(target.isTlsDirect ? { ALPNProtocols: ['postgresql'] } : {}),
    ...target.tls,
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect', { signal });
  return socket;
}

const SSL_REQUEST_CODE = 80877103;
const CANCEL_REQUEST_CODE = 80877102;

function encodeCancelRequest(key: CancelKey): Buffer {
  return encodeRequest(CANCEL_REQUEST_CODE, key.processId, key.secretKey);
}

/** A startup packet made of unsigned 32-bit words, its length first. */
function encodeRequest(...words: readonly number[]): Buffer {
  const packet = Buffer.alloc(4 * (words.length + 1));
  [packet.length, ...words].forEach((word, index) => {
    packet.writeUInt32BE(word >>> 0, index * 4);
  });
  return packet;
}
