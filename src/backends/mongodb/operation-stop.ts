// Stopping what runs on the server: that one operation, and nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import * as z from 'zod';
import { ServiceError } from '../../errors.ts';
import { DONE_BEFORE_STOP, withNote } from '../stopped-error.ts';
import type { Command } from './plan.ts';
import { READS, WRITES } from './plan.ts';

/** How long the server may take to give an operation up before its connection is dropped. */
const STOP_GRACE_MS = 1500;

/** An operation may not have begun when it is first looked for. */
const LOOK_AGAIN_MS = 25;

/** How long one look and one kill may take. */
const KILL_TIMEOUT_MS = 1000;

/** Kills the operations that carry this comment. */
export type KillOperations = (tag: string) => Promise<void>;

/**
 * Runs a piece of work that an abort stops on the server. Resolves and rejects as the work does;
 * after an abort it rejects with the signal's reason, once nothing of the work is left.
 *
 * @param work is given a signal of its own: when that aborts, it gives its connection up
 */
export async function runStoppable<T>(
  work: (drop: AbortSignal) => Promise<T>,
  { signal, tag, kill }: { signal: AbortSignal; tag: string; kill: KillOperations },
): Promise<T> {
  signal.throwIfAborted();
  const drop = new AbortController();
  const settled = new AbortController();
  const onAbort = (): void => {
    // Not waited for: the tag is of this operation alone, so that a late kill hits nothing else.
    void stopOnServer(tag, { kill, settled: settled.signal, drop });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(drop.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    settled.abort();
    signal.throwIfAborted();
  }
}

const HALF_DONE = 'MongoDB does not undo: what was written before the stop stands';

/** The error of a stopped operation, with what the stop has left behind. */
export function explainStop(
  error: unknown,
  { command, isDone }: { readonly command: Command; readonly isDone: boolean },
): unknown {
  const [name = ''] = Object.keys(command);
  if (!(error instanceof ServiceError) || READS.has(name)) {
    return error;
  }
  if (isDone) {
    return withNote(error, DONE_BEFORE_STOP);
  }
  return WRITES.has(name) ? withNote(error, HALF_DONE) : error;
}

async function stopOnServer(
  tag: string,
  { kill, settled, drop }: { kill: KillOperations; settled: AbortSignal; drop: AbortController },
): Promise<void> {
  const graceTimer = setTimeout(() => {
    drop.abort();
  }, STOP_GRACE_MS);
  try {
    while (!settled.aborted && !drop.signal.aborted) {
      await kill(tag);
      await delay(LOOK_AGAIN_MS, undefined, { signal: settled });
    }
  } catch {
    // Settled meanwhile, or the server cannot kill: then the connection is dropped.
    if (!settled.aborted) {
      drop.abort();
    }
  } finally {
    clearTimeout(graceTimer);
  }
}

/** Where the comment of an operation is: of a first command, and of what it fetches later. */
function carries(tag: string): Record<string, unknown> {
  const places = ['command.comment', 'cursor.originatingCommand.comment'];
  return {
    $or: places.flatMap((place) => [{ [place]: tag }, { [`${place}.gatepost`]: tag }]),
  };
}

/** One batch is enough: a tag is one statement's. */
const FOUND = z.object({
  cursor: z.object({ firstBatch: z.array(z.object({ opid: z.unknown() })) }),
});

/** Finds by `$currentOp`, which sees one's own operations without further rights. */
export async function killByTag(client: MongoClient, tag: string): Promise<void> {
  const admin = client.db('admin');
  const options = { signal: AbortSignal.timeout(KILL_TIMEOUT_MS) };
  const pipeline = [{ $currentOp: { localOps: true } }, { $match: carries(tag) }];
  const reply = await admin.command({ aggregate: 1, pipeline, cursor: {} }, options);
  for (const { opid: op } of FOUND.parse(reply).cursor.firstBatch) {
    await admin.command({ killOp: 1, op }, options);
  }
}

/**
 * The comment that is sent: ours alone, or both where the user has one too.
 */
export function mergeComment(tag: string, comment: unknown): unknown {
  return comment === undefined ? tag : { gatepost: tag, comment };
}
