// A server that speaks enough of MongoDB's protocol for a sink, in this process: documents by their
// _id, and answers of the test's own.
import { BSON } from 'mongodb';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

export type Fields = Readonly<Record<string, unknown>>;

export interface FakeMongodb {
  readonly uri: string;
  /** By collection and _id. */
  readonly collections: ReadonlyMap<string, ReadonlyMap<unknown, Fields>>;
  /** Every command but greetings, with its documents. */
  readonly commands: readonly Fields[];
  /** Puts a document there. */
  put(collection: string, document: Fields): void;
  /** An answer instead of the server's own; undefined leaves it to it. */
  answer: (command: Fields, count: number) => Fields | undefined;
  stop(): Promise<void>;
}

const OP_REPLY = 1;
const OP_MSG = 2013;
const HEADER_BYTES = 16;
const OP_CODE_OFFSET = 12;
const SECTIONS_OFFSET = HEADER_BYTES + 4;

const GREETING = {
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
};

/** Starts it on a free port. The caller stops it. */
export async function startFakeMongodb(): Promise<FakeMongodb> {
  const sockets = new Set<Socket>();
  const collections = new Map<string, Map<unknown, Fields>>();
  const commands: Fields[] = [];
  const counts = new Map<string, number>();
  let answer: FakeMongodb['answer'] = () => undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onMessages(socket, (message) => {
      if (message.readInt32LE(OP_CODE_OFFSET) !== OP_MSG) {
        socket.write(encodeReply(message, OP_REPLY, GREETING));
        return;
      }
      const command = readCommand(message);
      const [name = ''] = Object.keys(command);
      if (name === 'hello' || name === 'ismaster') {
        socket.write(encodeReply(message, OP_MSG, GREETING));
        return;
      }
      commands.push(command);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const reply = answer(command, count) ?? execute(collections, command);
      socket.write(encodeReply(message, OP_MSG, reply));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    uri: `mongodb://127.0.0.1:${port}/?directConnection=true&retryWrites=false`,
    collections,
    commands,
    put: (name, document) => collectionOf(collections, name).set(document['_id'], document),
    set answer(value) {
      answer = value;
    },
    get answer() {
      return answer;
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}

function collectionOf(
  collections: Map<string, Map<unknown, Fields>>,
  name: unknown,
): Map<unknown, Fields> {
  const key = String(name);
  const found = collections.get(key) ?? new Map<unknown, Fields>();
  collections.set(key, found);
  return found;
}

function execute(collections: Map<string, Map<unknown, Fields>>, command: Fields): Fields {
  if (command['insert'] !== undefined) {
    const documents = collectionOf(collections, command['insert']);
    const errors = listIn(command, 'documents').flatMap((document, index) => {
      const id = document['_id'];
      const isTaken = documents.has(id);
      documents.set(id, documents.get(id) ?? document);
      const errmsg = 'E11000 duplicate key error index: _id_ dup key: {}';
      return isTaken ? [{ index, code: 11_000, errmsg }] : [];
    });
    return { ok: 1, n: 0, ...(errors.length === 0 ? {} : { writeErrors: errors }) };
  }
  if (command['find'] !== undefined) {
    const ids = JSON.stringify(command['filter']);
    const firstBatch = [...collectionOf(collections, command['find']).values()].filter((document) =>
      ids.includes(JSON.stringify(document['_id'])),
    );
    return { ok: 1, cursor: { id: 0n, ns: 'db.c', firstBatch } };
  }
  if (command['listCollections'] !== undefined) {
    const firstBatch = [...collections.keys()].map((name) => ({ name, type: 'collection' }));
    return { ok: 1, cursor: { id: 0n, ns: 'db.$cmd.listCollections', firstBatch } };
  }
  if (command['create'] !== undefined) {
    collectionOf(collections, command['create']);
  }
  // Leases are taken by the first who asks: the owner stands in the update.
  const owner = /"owner":\{"\$cond":\[.*?\]\},"([0-9a-f-]{36})"/.exec(JSON.stringify(command))?.[1];
  return { ok: 1, n: 1, nModified: 1, value: { owner } };
}

function listIn(command: Fields, name: string): readonly Fields[] {
  const list: unknown = command[name];
  return Array.isArray(list) ? list.filter((item) => isFields(item)) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/** The body, with documents that came in sections of their own. */
function readCommand(message: Buffer): Fields {
  const bson = { promoteBuffers: false, useBigInt64: true };
  let command: Fields = {};
  let at = SECTIONS_OFFSET;
  while (at < message.length) {
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (message[at] === 0) {
      command = { ...BSON.deserialize(section, bson), ...command };
    } else {
      const end = section.indexOf(0, 4);
      const documents: Fields[] = [];
      for (let from = end + 1; from < section.length; from += section.readInt32LE(from)) {
        const document = section.subarray(from, from + section.readInt32LE(from));
        documents.push(BSON.deserialize(document, bson));
      }
      command = { ...command, [section.toString('utf8', 4, end)]: documents };
    }
    at += 1 + size;
  }
  return command;
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

/** OP_MSG with one section of kind 0, or the OP_REPLY of the first greeting. */
function encodeReply(request: Buffer, opCode: number, document: Fields): Buffer {
  const body = BSON.serialize(document);
  const prefix = Buffer.alloc(opCode === OP_MSG ? SECTIONS_OFFSET + 1 : HEADER_BYTES + 20);
  prefix.writeInt32LE(prefix.length + body.length, 0);
  prefix.writeInt32LE(request.readInt32LE(4), 8);
  prefix.writeInt32LE(opCode, OP_CODE_OFFSET);
  if (opCode === OP_REPLY) {
    prefix.writeInt32LE(1, prefix.length - 4);
  }
  return Buffer.concat([prefix, body]);
}
