// A relay before a real MongoDB that does to chosen commands what a server does on bad days:
// refuses them, breaks off before or after they are carried out, or never answers.
import { BSON, MongoClient } from 'mongodb';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export type Fault =
  | 'pass'
  /** The server never sees it. */
  | 'break before'
  /** The server carries it out, and nobody learns of it. */
  | 'break after'
  | 'stay silent'
  /** This answer instead; the server never sees the command. */
  | Readonly<Record<string, unknown>>;

/** What happens to a command; `count` is how many of this name there were with it. */
export type Faults = (command: string, count: number) => Fault;

export interface MongodbFaultProxy {
  /** Leads to the same server, through here; the driver itself tries nothing again. */
  readonly uri: string;
  faults: Faults;
  /** How many commands of this name have come. */
  countOf(command: string): number;
  stop(): Promise<void>;
}

const OP_MSG = 2013;
const HEADER_BYTES = 16;
const REQUEST_ID_OFFSET = 4;
const OP_CODE_OFFSET = 12;
/** Flags, and the kind of the first section. */
const BODY_OFFSET = HEADER_BYTES + 5;

/** Starts a relay on a free port. The caller stops it. */
export async function startMongodbFaultProxy(uri: string): Promise<MongodbFaultProxy> {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  let faults: Faults = () => 'pass';
  const { hosts } = new MongoClient(uri).options;
  const { host = '127.0.0.1', port: serverPort = 27_017 } = hosts[0] ?? {};
  const server = createServer({ noDelay: true }, (socket) => {
    const upstream = connect({ host, port: serverPort });
    let isMute = false;
    sockets.add(socket);
    upstream.on('data', (chunk) => (isMute ? socket.destroy() : socket.write(chunk)));
    join(socket, upstream);
    onMessages(socket, (message) => {
      const command = commandOf(message);
      const count = (counts.get(command) ?? 0) + 1;
      counts.set(command, count);
      const fault = faults(command, count);
      if (fault === 'break before') {
        socket.destroy();
      } else if (typeof fault === 'object') {
        socket.write(encodeReply(message, fault));
      } else if (fault !== 'stay silent') {
        isMute = fault === 'break after';
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
    set faults(value) {
      faults = value;
    },
    get faults() {
      return faults;
    },
    countOf: (command) => counts.get(command) ?? 0,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      sockets.forEach((socket) => socket.destroy());
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
  const chunks: Buffer[] = [];
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    while (length >= HEADER_BYTES) {
      const [first = Buffer.alloc(0)] = chunks;
      const head = first.length >= HEADER_BYTES ? first : Buffer.concat(chunks);
      const size = head.readInt32LE(0);
      if (length < size) {
        return;
      }
      const all = Buffer.concat(chunks);
      chunks.length = 0;
      chunks.push(all.subarray(size));
      length -= size;
      take(all.subarray(0, size));
    }
  });
}

/** The first name of an OP_MSG's body; the oldest form of hello is another message. */
function commandOf(message: Buffer): string {
  if (message.readInt32LE(OP_CODE_OFFSET) !== OP_MSG) {
    return 'hello';
  }
  const body = message.subarray(BODY_OFFSET);
  const [name = ''] = Object.keys(BSON.deserialize(body.subarray(0, body.readInt32LE(0))));
  return name;
}

/** OP_MSG (MongoDB manual, "Wire Protocol"): header, flags, one section of kind 0. */
function encodeReply(request: Buffer, document: Readonly<Record<string, unknown>>): Buffer {
  const body = BSON.serialize(document);
  const prefix = Buffer.alloc(BODY_OFFSET);
  prefix.writeInt32LE(prefix.length + body.length, 0);
  prefix.writeInt32LE(request.readInt32LE(REQUEST_ID_OFFSET), 8);
  prefix.writeInt32LE(OP_MSG, OP_CODE_OFFSET);
  return Buffer.concat([prefix, body]);
}

/** Only this server is spoken to, whatever it says of others. */
function throughPort(uri: string, port: number): string {
  const url = new URL(uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/?]+/, `$1127.0.0.1:${port}`));
  url.searchParams.delete('replicaSet');
  url.searchParams.set('directConnection', 'true');
  url.searchParams.set('retryWrites', 'false');
  url.searchParams.set('retryReads', 'false');
  return url.href;
}
