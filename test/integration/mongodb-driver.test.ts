// A server that is gone a moment before the driver knows: a command of that moment ends too.
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { openClient } from '../../src/backends/mongodb/client.ts';
import { untilAborted } from '../../src/until-aborted.ts';
import { createTestMongodbDatabase, describeMongodb } from '../support/mongodb.ts';
import type { TestMongodbDatabase } from '../support/mongodb.ts';

/** Where Node tells of every socket that a client opens. */
const CHANNEL = 'net.client.socket';

/** Whoever takes longer hangs. */
const HANG_MS = 10_000;

/** The commands of a test: each has a connection, which is the one that is closed under it. */
const COMMANDS = 4;

describeMongodb('A command on a connection that has just been closed', () => {
  let database: TestMongodbDatabase;
  const sockets = new Set<Socket>();

  function note(message: unknown): void {
    if (typeof message === 'object' && message !== null && 'socket' in message) {
      const { socket } = message;
      if (socket instanceof Socket) {
        sockets.add(socket);
      }
    }
  }

  beforeEach(async () => {
    database = await createTestMongodbDatabase();
    sockets.clear();
    subscribe(CHANNEL, note);
  });

  afterEach(async () => {
    unsubscribe(CHANNEL, note);
    await database.drop();
  });

  it('fails, and gives its place in the pool back', async () => {
    const { signal } = new AbortController();
    const client = await openClient(database.uri, { appName: 'test', signal, poolMax: COMMANDS });
    const runAll = async (): Promise<string[]> => {
      const runs = Array.from({ length: COMMANDS }, async () => await client.db().command(PING));
      const outcomes = await untilAborted(Promise.allSettled(runs), AbortSignal.timeout(HANG_MS));
      return outcomes.map(({ status }) => status);
    };
    try {
      expect(await runAll()).toEqual(Array.from({ length: COMMANDS }, () => 'fulfilled'));
      for (const socket of sockets) {
        // Without an error, as after the server's own end; the driver hears of it a turn later.
        socket.destroy();
      }
      expect(await runAll()).toContain('rejected');
      expect(await runAll()).toEqual(Array.from({ length: COMMANDS }, () => 'fulfilled'));
    } finally {
      await client.close();
    }
  });
});

const PING = { ping: 1 } as const;
