// A relay before a real MongoDB that keeps Gatepost from killing operations there: for servers that
// do not let it, or do not answer. The rest passes as it is.
import { describe } from '@jest/globals';
import { BSON } from 'mongodb';
import { describeMongodb } from './mongodb.ts';
import { startMongodbRelay } from './mongodb-relay.ts';
import type { RelayedClient } from './mongodb-relay.ts';

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
  let killAttempts = 0;
  const relay = await startMongodbRelay(uri, (message, client) => {
    if (!isKill(client, message)) {
      return 'pass';
    }
    killAttempts += 1;
    if (answer === 'kill') {
      return 'pass';
    }
    if (answer !== 'stay silent') {
      client.socket.write(encodeReply(message, REPLIES[answer]));
    }
    return 'swallow';
  });
  return {
    uri: relay.uri,
    get killAttempts() {
      return killAttempts;
    },
    isOpen: (text) =>
      relay.clients.some(
        ({ socket, messages }) =>
          !socket.destroyed && messages.some((message) => message.includes(text)),
      ),
    stop: async () => {
      await relay.stop();
    },
  };
}

/** A client's first message has its application name. */
function isKill({ messages }: RelayedClient, message: Buffer): boolean {
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
