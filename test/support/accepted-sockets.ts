// The server's end of a connection in this process: a test can see what has been read from it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WireClient } from './wire-client.ts';

/** Name of node's channel for accepted connections. */
const CHANNEL = 'net.server.socket';

/** How long a test waits for a read over loopback, on a machine that has other things to do. */
const FACT_TIMEOUT_MS = 20_000;

export interface AcceptedSockets {
  /**
   * Sends pieces one by one, each when the server has read the one before: it sees every boundary.
   * Ends early when the server closes.
   */
  deliver(client: WireClient, pieces: readonly Buffer[]): Promise<void>;
  stop(): void;
}

/** Watches the connections that servers of this process accept from now on. */
export function watchAcceptedSockets(): AcceptedSockets {
  const byRemotePort = new Map<number, Socket>();
  const note = (message: unknown): void => {
    if (isPublished(message)) {
      byRemotePort.set(message.socket.remotePort ?? 0, message.socket);
    }
  };
  subscribe(CHANNEL, note);
  return {
    deliver: async (client, pieces) => {
      await until(() => byRemotePort.has(client.localPort), 'the accept');
      const accepted = byRemotePort.get(client.localPort);
      let sent = accepted?.bytesRead ?? 0;
      for (const piece of pieces) {
        client.send(piece);
        sent += piece.length;
        await until(
          () => accepted?.bytesRead === sent || client.isClosed,
          `${sent} bytes to be read`,
        );
      }
    },
    stop: () => {
      unsubscribe(CHANNEL, note);
    },
  };
}

function isPublished(message: unknown): message is { readonly socket: Socket } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'socket' in message &&
    message.socket instanceof Socket
  );
}

async function until(fact: () => boolean, name: string): Promise<void> {
  const deadline = Date.now() + FACT_TIMEOUT_MS;
  while (!fact()) {
    if (Date.now() > deadline) {
      throw new Error(`Waited ${FACT_TIMEOUT_MS} ms for ${name}`);
    }
    await nextTurn();
  }
}
