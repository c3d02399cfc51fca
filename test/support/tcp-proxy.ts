// A way to a server that a test cuts, freezes and mends.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface TcpProxy {
  /** Leads to the same database, through here. */
  readonly url: string;
  /** Breaks every connection, and each new one at once. */
  cut(): void;
  /** Lets nothing through any more, and says nothing of it: as a cable that was pulled. */
  freeze(): void;
  /** Lets new connections through again; frozen ones are broken. */
  mend(): void;
  /** Connections since the start. */
  readonly connections: number;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port, before the server of a connection string. The caller stops it. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: 'open' | 'cut' | 'frozen' = 'open';
  let connections = 0;
  const server = createServer({ noDelay: true }, (near) => {
    connections += 1;
    near.on('error', () => undefined);
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    join(near, far, () => state !== 'frozen');
    join(far, near, () => state !== 'frozen');
    near.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const through = new URL(url);
  through.host = `127.0.0.1:${port}`;
  const breakAll = (): void => {
    pairs.forEach((pair) => {
      pair.forEach((socket) => socket.destroy());
    });
  };
  return {
    url: through.href,
    get connections() {
      return connections;
    },
    cut: () => {
      state = 'cut';
      breakAll();
    },
    freeze: () => {
      state = 'frozen';
    },
    mend: () => {
      state = 'open';
      breakAll();
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      breakAll();
      await closed;
    },
  };
}

function join(from: Socket, to: Socket, isOpen: () => boolean): void {
  from.on('error', () => undefined);
  from.on('close', () => to.destroy());
  from.on('data', (chunk) => {
    if (isOpen()) {
      to.write(chunk);
    }
  });
}
