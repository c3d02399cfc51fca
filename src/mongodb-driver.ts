// Clients of the MongoDB driver, which waits for ever for one thing; that is mended here.
//
// A command that is written to a socket which has just been closed, but whose `close` the driver
// has not heard of yet, waits for the socket's `drain` or `error`. Neither comes any more. Such a
// command never ends and keeps its connection, until all of the pool are gone: seen after a server
// was killed under load, in one of three restarts of a busy machine (driver 7.8; 7.9 is the same).
import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import type { MongoClientOptions } from 'mongodb';
import { Connection } from 'mongodb/lib/cmap/connection.js';

const { cleanup } = Connection.prototype;
assert(typeof cleanup === 'function', 'A connection of the MongoDB driver is cleaned up');
Connection.prototype.cleanup = function cleanUpAndWake(error) {
  cleanup.call(this, error);
  // Whoever waits looks at the connection then, and finds it closed.
  this.socket.emit('drain');
};

/** @throws what the driver does not take, with words that may repeat a password */
export function createMongoClient(uri: string, options: MongoClientOptions): MongoClient {
  return new MongoClient(uri, options);
}
