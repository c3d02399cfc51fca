// An upstream for bytes that no real server sends on demand: it takes `pg`'s login, and then a test
// says what it answers to each Query.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { FrameReader } from '../../wire/protocol/frame-reader.ts';
import { untilFound } from './facts.ts';
import { frontendFrame, int32 } from './wire-client.ts';

/** Body of a CancelRequest begins with it. */
const CANCEL_REQUEST_CODE = 80877102;

/** What its first session's BackendKeyData says; each further one counts on. */
const FIRST_PROCESS_ID = 1000;

export interface FakeUpstreamOptions {
  /** Answers one Query frame of a session; nothing is answered without it. */
  readonly onQuery?: (connection: FakeConnection, text: string) => Promise<void> | void;
  /** Closes a CancelRequest's socket when it has been taken; at once without it. */
  readonly onCancel?: (socket: Socket) => void;
  /** Takes a new connection in place of the login. */
  readonly onConnect?: (socket: Socket) => void;
  /** Takes connections and never says a word. */
  readonly isSilent?: boolean;
}

/** One session at the fake upstream. */
export interface FakeConnection {
  readonly socket: Socket;
  /**
   * Sends bytes in pieces, each in a packet of its own. Resolves when the last one is on its way.
   */
  sendInPieces(pieces: readonly Buffer[]): Promise<void>;
}

export interface FakeUpstream {
  /** Connection string that leads to it. */
  readonly dsn: string;
  /** Connections that are open now. */
  readonly connections: number;
  /** CancelRequests taken so far. */
  readonly cancels: number;
  /** Texts of the queries taken so far. */
  readonly queries: readonly string[];
  /** Resolves with the session that sends this query, or has sent it last. */
  asked(text: string): Promise<FakeConnection>;
  stop(): Promise<void>;
}

/** Starts a fake upstream on a free port. The caller stops it. */
export async function startFakeUpstream(options: FakeUpstreamOptions): Promise<FakeUpstream> {
  const open = new Set<Socket>();
  const queries: { readonly connection: FakeConnection; readonly text: string }[] = [];
  let cancels = 0;
  let processId = FIRST_PROCESS_ID;
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    if (options.isSilent === true) {
      socket.resume();
      return;
    }
    if (options.onConnect !== undefined) {
      options.onConnect(socket);
      return;
    }
    processId += 1;
    serve(socket, {
      ...options,
      processId,
      onQuery: (connection, text) => {
        queries.push({ connection, text });
        return options.onQuery?.(connection, text);
      },
      onCancel: () => {
        cancels += 1;
        (options.onCancel ?? closeSocket)(socket);
      },
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    dsn: `postgresql://fake@127.0.0.1:${port}/fake?sslmode=disable`,
    get connections() {
      return open.size;
    },
    get cancels() {
      return cancels;
    },
    get queries() {
      return queries.map(({ text }) => text);
    },
    asked: async (text) =>
      await untilFound(
        () => queries.findLast((query) => query.text === text)?.connection,
        `${text} to reach the upstream`,
      ),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) {
        socket.destroy();
      }
      await closed;
    },
  };
}

interface FakeSession extends Omit<FakeUpstreamOptions, 'onCancel'> {
  readonly processId: number;
  readonly onCancel: () => void;
}

function closeSocket(socket: Socket): void {
  socket.end();
}

function serve(socket: Socket, session: FakeSession): void {
  const reader = new FrameReader();
  const connection: FakeConnection = {
    socket,
    sendInPieces: async (pieces) => {
      for (const piece of pieces) {
        await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
        // One more turn of the event loop: whoever reads it in this process has read it then.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    },
  };
  let isLoggedIn = false;
  socket.on('data', (chunk) => {
    reader.push(chunk);
    if (!isLoggedIn) {
      const packet = reader.nextStartupPacket();
      if (packet?.readInt32BE(0) === CANCEL_REQUEST_CODE) {
        session.onCancel();
      } else if (packet !== undefined) {
        isLoggedIn = true;
        socket.write(welcome(session.processId));
      }
      return;
    }
    answerFrames(reader, connection, session);
  });
}

function answerFrames(reader: FrameReader, connection: FakeConnection, session: FakeSession): void {
  for (let frame = reader.nextFrame(); frame !== undefined; frame = reader.nextFrame()) {
    const type = String.fromCharCode(frame.type);
    if (type === 'X') {
      connection.socket.end();
    } else if (type === 'Q') {
      const text = frame.bytes.toString('utf8', 5, frame.bytes.length - 1);
      // Text that sets the client's encoding is the gate's own, right after the login.
      if (text.startsWith('SET client_encoding')) {
        connection.socket.write(Buffer.concat([frontendFrame('C', 'SET\0'), READY]));
      } else {
        void session.onQuery?.(connection, text);
      }
    }
  }
}

/** ReadyForQuery outside of a transaction. */
const READY = frontendFrame('Z', 'I');

/** AuthenticationOk, two ParameterStatus, BackendKeyData and ReadyForQuery. */
function welcome(processId: number): Buffer {
  return Buffer.concat([
    frontendFrame('R', int32(0)),
    frontendFrame('S', 'server_version\x0016.0\0'),
    frontendFrame('S', 'client_encoding\0UTF8\0'),
    frontendFrame('K', Buffer.concat([int32(processId), int32(4711)])),
    READY,
  ]);
}
