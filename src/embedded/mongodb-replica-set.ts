import type { Db } from 'mongodb';
import { MongoNetworkError, MongoServerError } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { createMongoClient } from '../mongodb-driver.ts';

/** Also in the server's arguments. */
export const REPLICA_SET_NAME = 'rs0';

/** Between two looks at a server that is becoming primary. */
const POLL_MS = 20;

/** The server already listens: longer than this it takes only when it has died. */
const SELECTION_TIMEOUT_MS = 10_000;

const NOT_YET_INITIALIZED = 94;
const ALREADY_INITIALIZED = 23;

/** What we read and change of the set's configuration; the rest is kept. */
const CONFIG = z.looseObject({
  version: z.number(),
  members: z.array(z.looseObject({ host: z.string() })),
});

/**
 * Makes the server at that address the one primary of its set, whatever address it had when its
 * data was last used; resolves when it takes writes. The caller ends the server, or aborts, to end
 * the wait.
 */
export async function becomePrimary(address: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const client = createMongoClient(`mongodb://${address}/?directConnection=true`, {
    appName: 'gatepost',
    serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
  });
  // What is under way then fails at once.
  const onAbort = (): void => {
    client.close().catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const admin = client.db('admin');
    while (!(await isTrueNow(async () => await configure(admin, address)))) {
      await delay(POLL_MS, undefined, { signal });
    }
    while (!(await isTrueNow(async () => await isPrimary(admin)))) {
      await delay(POLL_MS, undefined, { signal });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await client.close();
  }
}

/**
 * A server closes its connections when it changes its state, such as to one that finds itself
 * removed because its address is another: that says nothing, and it is asked again.
 */
async function isTrueNow(look: () => Promise<boolean>): Promise<boolean> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof MongoNetworkError) {
      return false;
    }
    throw error;
  }
}

async function isPrimary(admin: Db): Promise<boolean> {
  return (await admin.command({ hello: 1 }))['isWritablePrimary'] === true;
}

/** Whether the set is as it should be; false while the server still reads what it was. */
async function configure(admin: Db, address: string): Promise<boolean> {
  const config = await readConfig(admin);
  if (config === undefined) {
    return await initiate(admin, address);
  }
  const [member] = config.members;
  if (config.members.length === 1 && member?.host === address) {
    return true;
  }
  const members = [{ ...member, _id: 0, host: address }];
  const changed = { ...config, version: config.version + 1, members };
  await admin.command({ replSetReconfig: changed, force: true });
  return true;
}

async function readConfig(admin: Db): Promise<z.infer<typeof CONFIG> | undefined> {
  try {
    const reply = await admin.command({ replSetGetConfig: 1 });
    return CONFIG.parse(reply['config']);
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NOT_YET_INITIALIZED) {
      return undefined;
    }
    throw error;
  }
}

async function initiate(admin: Db, address: string): Promise<boolean> {
  const config = { _id: REPLICA_SET_NAME, members: [{ _id: 0, host: address }] };
  try {
    await admin.command({ replSetInitiate: config });
    return true;
  } catch (error) {
    // It was still reading the configuration in its data.
    if (error instanceof MongoServerError && error.code === ALREADY_INITIALIZED) {
      return false;
    }
    throw error;
  }
}
