// Two ends of one real connection: a socket for what is tested, and a raw client to play the peer.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { WireClient } from './wire-client.ts';

export interface Loopback {
  /** The end for what is tested. */
  readonly near: Socket;
  /** The end for the test. */
  readonly far: WireClient;
  /** Leaves nothing open. */
  close(): void;
}

/** Connects two ends. The near one is set as the listener sets its sockets. */
export async function openLoopback(): Promise<Loopback> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 64 * 1024 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const address = server.address();
  const far = await WireClient.open(
    typeof address === 'object' && address !== null ? address.port : 0,
  );
  const near = await accepted;
  // A test may end while its socket fails.
  near.on('error', () => undefined);
  server.close();
  return {
    near,
    far,
    close: () => {
      near.destroy();
      far.destroy();
    },
  };
}
