// One session's connection: runs operations, each with a comment and a time limit of ours.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MongoServerError, ReadPreference } from 'mongodb';
import type { ClientSession, MongoClient, RunCommandCursor } from 'mongodb';
import type { MongoDatabaseRules } from '../../guardrails/mongo-databases.ts';
import { narrowListing } from './database-listing.ts';
import type { Command, Operation, Reply } from './plan.ts';
import { documentsIn, numberOf } from './plan.ts';
import { explainStop, mergeComment, runStoppable } from './operation-stop.ts';
import type { KillOperations } from './operation-stop.ts';
import { READS, WRITES } from './plan.ts';
import { answeredError } from './server-errors.ts';

/** Documents of each further batch: a few hundred kilobytes as a rule. */
const BATCH_DOCUMENTS = 1000;

/**
 * What the server may take longer than our own timeout: ours comes first, with its HINT, and the
 * server's is there in case that Gatepost is gone.
 */
const SERVER_TIME_MARGIN_MS = 1000;

/** How replies are read: nothing promoted, embedded documents as bytes. */
const EXACT = {
  raw: true,
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
  enableUtf8Validation: false,
} as const;

/** Bounds of one operation. */
export interface Bounds {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface ConnectionOptions {
  readonly client: MongoClient;
  /** Shown by the server in the comment of each operation. */
  readonly label?: string;
  readonly kill: KillOperations;
  /** Which databases a list of them shows. */
  readonly listed?: MongoDatabaseRules;
}

/** Runs operations one after the other. */
export class Connection {
  readonly #client: MongoClient;
  readonly #kill: KillOperations;
  readonly #listed: MongoDatabaseRules;
  readonly #session: ClientSession;
  /** Never the same twice, so that a kill hits nobody else. */
  readonly #tagPrefix: string;
  #operations = 0;

  constructor({ client, kill, label, listed = {} }: ConnectionOptions) {
    this.#tagPrefix = ['gatepost', label, randomUUID()].filter(Boolean).join(':');
    this.#client = client;
    this.#kill = kill;
    this.#listed = listed;
    this.#session = client.startSession({ causalConsistency: false });
  }

  /** The reply; a tolerated error is one with `ok: 0`. */
  async run(operation: Operation, bounds: Bounds): Promise<Reply> {
    const tag = this.#nextTag();
    const command = this.#prepare(operation, tag, bounds);
    let reply: Reply | undefined;
    try {
      await runStoppable(
        async (signal) => {
          reply = await this.#client.db(operation.database).command(command, {
            ...EXACT,
            session: this.#session,
            readPreference: this.#readPreference(operation),
            signal,
          });
        },
        { signal: bounds.signal, tag, kill: this.#kill },
      );
      assert(reply !== undefined, 'What was not stopped has a reply');
      assertWritten(reply, operation);
      return reply;
    } catch (error) {
      if (bounds.signal.aborted) {
        throw explainStop(error, { command, isDone: reply !== undefined });
      }
      const isTolerated =
        error instanceof MongoServerError &&
        operation.tolerated?.includes(numberOf(error.code)) === true;
      if (isTolerated) {
        return { ok: 0 };
      }
      throw error;
    }
  }

  /** The documents of the cursor that the operation opens, batch by batch, as BSON. */
  async *documents(
    operation: Operation,
    bounds: Bounds,
  ): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const tag = this.#nextTag();
    const command = this.#prepare(operation, tag, bounds);
    const drop = new AbortController();
    const cursor = this.#client.db(operation.database).runCursorCommand(command, {
      ...EXACT,
      session: this.#session,
      readPreference: this.#readPreference(operation),
    });
    cursor.setBatchSize(operation.batchSize ?? BATCH_DOCUMENTS).setComment(tag);
    passSignal(cursor, drop.signal);
    const hasNext = async (signal: AbortSignal): Promise<boolean> => {
      signal.addEventListener('abort', () => {
        drop.abort();
      });
      return await cursor.hasNext();
    };
    // Between two batches there is nothing to kill, and the reader may take his time to come back.
    const closeUnread = (): void => void cursor.close().catch(() => undefined);
    const stop = { signal: bounds.signal, tag, kill: this.#kill };
    try {
      while (await runStoppable(hasNext, stop)) {
        const batch: unknown[] = cursor.readBufferedDocuments();
        bounds.signal.addEventListener('abort', closeUnread, { once: true });
        yield batch.filter((document) => document instanceof Uint8Array);
        bounds.signal.removeEventListener('abort', closeUnread);
      }
    } finally {
      bounds.signal.removeEventListener('abort', closeUnread);
      await cursor.close();
    }
  }

  /** Gives the client back: its session ends, its connections stay. */
  async end(): Promise<void> {
    await this.#session.endSession().catch(() => undefined);
  }

  /** Ends the session on the server and closes the connection. */
  async close(): Promise<void> {
    await this.end();
    await this.#client.close();
  }

  #nextTag(): string {
    this.#operations += 1;
    return `${this.#tagPrefix}:${this.#operations}`;
  }

  #prepare(operation: Operation, tag: string, { timeoutMs }: Bounds): Command {
    const command = narrowListing(operation.command, this.#listed);
    const own = timeoutMs + SERVER_TIME_MARGIN_MS;
    const asked = numberOf(command['maxTimeMS']);
    const comment = mergeComment(tag, command['comment']);
    // The time of a cursor counts from its first command on; getMore takes none of its own.
    return 'getMore' in command
      ? { ...command, comment }
      : {
          ...command,
          ...this.#concerns(command),
          comment,
          maxTimeMS: asked > 0 ? Math.min(asked, own) : own,
        };
  }

  /** What the connection string says about reading and writing; commands inherit none of it. */
  #concerns(command: Command): Command {
    const [name = ''] = Object.keys(command);
    const { writeConcern, readConcern } = this.#client;
    const isWriteConcernDue = writeConcern !== undefined && command['writeConcern'] === undefined;
    const isReadConcernDue = readConcern !== undefined && command['readConcern'] === undefined;
    return {
      ...(WRITES.has(name) && isWriteConcernDue ? { writeConcern } : {}),
      ...(READS.has(name) && isReadConcernDue ? { readConcern: readConcern.toJSON() } : {}),
    };
  }

  /** An object: of a cursor the driver does not read it as text. */
  #readPreference({ command, readPreference }: Operation): ReadPreference {
    const [name = ''] = Object.keys(command);
    if (readPreference !== undefined) {
      return new ReadPreference(readPreference);
    }
    return READS.has(name) ? this.#client.readPreference : ReadPreference.primary;
  }
}

/**
 * The driver aborts the commands of other cursors and keeps the signal of this kind from its own:
 * they take it from the options that they are made of, which the types do not show.
 */
function passSignal(cursor: RunCommandCursor, signal: AbortSignal): void {
  const options: unknown = Reflect.get(cursor, 'cursorOptions');
  assert(typeof options === 'object' && options !== null, 'The driver keeps options of a cursor');
  Object.assign(options, { signal });
}

/** A reply may be `ok` and yet say that something was not written. */
function assertWritten(reply: Reply, { isBulk = false }: Operation): void {
  const errors = documentsIn(reply['writeErrors']);
  const [first] = errors;
  if (first !== undefined) {
    const name = isBulk ? 'MongoBulkWriteError' : 'MongoServerError';
    const code: unknown = first['code'];
    const fields = isBulk ? { code, writeErrors: errors } : first;
    throw answeredError(name, String(first['errmsg']), fields);
  }
  const [concern] = documentsIn([reply['writeConcernError']]);
  if (concern !== undefined) {
    const fields = { ...concern, writeConcernError: concern };
    throw answeredError('MongoWriteConcernError', String(concern['errmsg']), fields);
  }
}
