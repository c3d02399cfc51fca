// How connections end before both sides are through with them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long a client that is not listened to any longer has to read its last answer. */
const LINGER_MS = 1000;

/** Cuts off an answer that was begun, so that it cannot be taken for a whole one. */
export function cutAnswer(response: ServerResponse): void {
  const { req, socket } = response;
  // HTTP/1.0 has no chunks: there a connection that ends in good order is the end of a body.
  if (req.httpVersionMinor === 0) {
    socket?.resetAndDestroy();
  }
  response.destroy();
}

/** The same where Node would end the connection by itself, for nothing moves on it. */
export function cutAtTimeout({ socket }: IncomingMessage, response: ServerResponse): void {
  const onTimeout = (): void => {
    if (response.headersSent && !response.writableFinished) {
      socket.resetAndDestroy();
    }
  };
  // Node's own listener is there since the connection is.
  socket.prependListener('timeout', onTimeout);
  response.once('close', () => socket.off('timeout', onTimeout));
}

/**
 * Makes the coming answer the last one of its connection, behind which the rest of the request is
 * not read. Node would destroy the connection at once; the kernel resets it then for what is
 * unread, and over that a client loses the answer (RFC 9112, 9.6).
 */
export function leaveUnread({ socket }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  socket.destroySoon = () => {
    endWith(socket);
    // Node has just begun to read the rest, to get over it.
    setImmediate(() => socket.pause());
  };
}

/** Sends the last of a connection, and destroys it when the client has had time to read it. */
export function endWith(socket: Duplex | Socket, text = ''): void {
  socket.end(text);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
