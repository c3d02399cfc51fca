// A relay before a real MongoDB: a test looks at each message of a client, and says whether the
// server hears of it.
import { MongoClient } from 'mongodb';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface RelayedClient {
  readonly socket: Socket;
  /** What it has sent so far, the current message included. */
  readonly messages: readonly Buffer[];
}

/**
 * `pass` hands it on, `swallow` keeps it from the server, which then never answers, and `deafen`
 * hands it on and keeps the answer, and all later ones, from the client.
 */
export type Verdict = 'pass' | 'swallow' | 'deafen';

export interface MongodbRelay {
  /** Leads to the same server and database, through here. */
  readonly uri: string;
  readonly clients: readonly RelayedClient[];
  stop(): Promise<void>;
}

const HEADER_BYTES = 16;

/** Starts a relay on a free port. The caller stops it. */
export async function startMongodbRelay(
  uri: string,
  judge: (message: Buffer, client: RelayedClient) => Verdict,
): Promise<MongodbRelay> {
  const clients: RelayedClient[] = [];
  const { hosts } = new MongoClient(uri).options;
  const server = createServer({ noDelay: true }, (socket) => {
    const messages: Buffer[] = [];
    const client = { socket, messages };
    clients.push(client);
    const upstream = connect({
      host: hosts[0]?.host ?? '127.0.0.1',
      port: hosts[0]?.port ?? 27017,
    });
    upstream.pipe(socket);
    join(socket, upstream);
    onMessages(socket, (message) => {
      messages.push(message);
      const verdict = judge(message, client);
      if (verdict === 'deafen') {
        upstream.unpipe(socket);
        upstream.resume();
      }
      if (verdict !== 'swallow') {
        upstream.write(message);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    uri: throughPort(uri, port),
    clients,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const { socket } of clients) {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** What ends one of the two ends the other. */
function join(one: Socket, other: Socket): void {
  for (const [near, far] of [
    [one, other],
    [other, one],
  ] as const) {
    near.on('error', () => undefined);
    near.on('close', () => far.destroy());
  }
}

/** Hands on each message of a client, whole. */
function onMessages(socket: Socket, take: (message: Buffer) => void): void {
  let unread: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= HEADER_BYTES && unread.length >= unread.readInt32LE(0)) {
      const length = unread.readInt32LE(0);
      take(unread.subarray(0, length));
      unread = unread.subarray(length);
    }
  });
}

/** Only this server is spoken to, whatever it says of others. */
function throughPort(uri: string, port: number): string {
  const url = new URL(uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/?]+/, `$1127.0.0.1:${port}`));
  url.searchParams.delete('replicaSet');
  url.searchParams.set('directConnection', 'true');
  return url.href;
}
