// What `mongodb-driver.ts` needs of a file of the driver that has no types of its own.
declare module 'mongodb/lib/cmap/connection.js' {
  import type { Socket } from 'node:net';

  export class Connection {
    readonly socket: Socket;
    cleanup: (this: Connection, error: Error) => void;
  }
}
