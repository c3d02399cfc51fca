// A relay before a real MongoDB that keeps Gatepost from killing operations there: for servers that
// do not let it, or do not answer. The rest passes as it is.
import { describe } from '@jest/globals';
import { BSON, MongoClient } from 'mongodb';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describeMongodb } from './mongodb.ts';

/** What the server is made to say when Gatepost looks for an operation to kill. */
export type KillAnswer = 'refuse' | 'find nothing' | 'stay silent' | 'kill';

export interface MongodbProxy {
  /** Leads to the same server and database, through here. */
  readonly uri: string;
  /** How often Gatepost has tried to find or kill an operation. */
  readonly killAttempts: number;
  /** Whether the connection is still open that has carried a command with this text. */
  isOpen(text: string): boolean;
  stop(): Promise<void>;
}

/** The application name of the client that finds and kills. */
const ADMIN = 'gatepost/admin';

const OP_MSG = 2013;
const HEADER_BYTES = 16;
const REQUEST_ID_OFFSET = 4;
/** Flags, and the kind of the one section that a reply has. */
const REPLY_PREFIX_BYTES = 5;

const REPLIES = {
  refuse: { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'not authorized on admin' },
  'find nothing': { ok: 1, cursor: { id: 0n, ns: 'admin.$cmd.aggregate', firstBatch: [] } },
} as const;

interface Carrier {
  readonly socket: Socket;
  readonly messages: Buffer[];
}

/** Tests behind the relay, which reads what is sent and so cannot stand before an encrypted one. */
export function describeBehindProxy(name: string, tests: () => void): void {
  if (/^mongodb\+srv:|[?&](tls|ssl)=true/.test(process.env['TEST_MONGODB_URI'] ?? '')) {
    describe.skip(`${name} (skipped, TEST_MONGODB_URI wants TLS)`, tests);
    return;
  }
  describeMongodb(name, tests);
}

/** Starts a relay on a free port. The caller stops it. */
export async function startMongodbProxy(uri: string, answer: KillAnswer): Promise<MongodbProxy> {
  const carriers: Carrier[] = [];
  let killAttempts = 0;
  const { hosts } = new MongoClient(uri).options;
  const server = createServer({ noDelay: true }, (socket) => {
    const carrier: Carrier = { socket, messages: [] };
    carriers.push(carrier);
    const upstream = connect({
      host: hosts[0]?.host ?? '127.0.0.1',
      port: hosts[0]?.port ?? 27017,
    });
    upstream.pipe(socket);
    join(socket, upstream);
    onMessages(socket, (message) => {
      carrier.messages.push(message);
      if (!isKill(carrier, message)) {
        upstream.write(message);
        return;
      }
      killAttempts += 1;
      if (answer === 'kill') {
        upstream.write(message);
      } else if (answer !== 'stay silent') {
        socket.write(encodeReply(message, REPLIES[answer]));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    uri: throughPort(uri, port),
    get killAttempts() {
      return killAttempts;
    },
    isOpen: (text) =>
      carriers.some(
        ({ socket, messages }) =>
          !socket.destroyed && messages.some((message) => message.includes(text)),
      ),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const { socket } of carriers) {
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

/** A client's first message has its application name. */
function isKill({ messages }: Carrier, message: Buffer): boolean {
  const isAdmin = messages[0]?.includes(ADMIN) === true;
  return isAdmin && (message.includes('$currentOp') || message.includes('killOp'));
}

/** OP_MSG (MongoDB manual, "Wire Protocol"): header, flags, one section of kind 0. */
function encodeReply(request: Buffer, document: Readonly<Record<string, unknown>>): Buffer {
  const body = BSON.serialize(document);
  const prefix = Buffer.alloc(HEADER_BYTES + REPLY_PREFIX_BYTES);
  prefix.writeInt32LE(prefix.length + body.length, 0);
  prefix.writeInt32LE(request.readInt32LE(REQUEST_ID_OFFSET), 8);
  prefix.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([prefix, body]);
}

/** Only this server is spoken to, whatever it says of others. */
function throughPort(uri: string, port: number): string {
  const url = new URL(uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/?]+/, `$1127.0.0.1:${port}`));
  url.searchParams.delete('replicaSet');
  url.searchParams.set('directConnection', 'true');
  return url.href;
}
