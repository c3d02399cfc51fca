// Keeps two instances of a sink apart. Iggy has no consumer groups over HTTP, so whoever consumes a
// topic in a group's name holds a document in MongoDB, for as long as it renews it. Time is the
// server's in the document, and our own monotonic clock between two renewals: no two clocks are
// ever compared. A primary that takes over with a clock ahead of the old one's may end a lease
// early; the sink's own inserts stay harmless even then, since they are recognised.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { MongoServerError } from 'mongodb';
import type { Collection, Db, Document } from 'mongodb';
import type { ConnectorLog } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import { DUPLICATE_KEY_CODE, shownFailure } from './mongodb-failures.ts';
import { pause } from './retry.ts';
import { untilAborted } from '../until-aborted.ts';

export const LEASES_COLLECTION = 'gatepost_leases';

/** One topic that is consumed in a group's name. */
export interface LeasedTopic {
  readonly consumerGroup: string;
  readonly stream: string;
  readonly topic: string;
}

export interface LeaseOptions {
  readonly database: Db;
  readonly topics: readonly LeasedTopic[];
  readonly log: ConnectorLog;
  /** Unless said, 15 s. */
  readonly lifeMs?: number;
}

export interface Lease {
  /** Aborts with a ConnectorError `lease-lost` when another instance may take over. */
  readonly signal: AbortSignal;
  /** Lets another instance in at once; does not throw. */
  release(): Promise<void>;
}

type HeldOptions = Required<Pick<LeaseOptions, 'lifeMs' | 'log'>>;

interface LeaseId {
  readonly group: string;
  readonly stream: string;
  readonly topic: string;
}

interface LeaseDocument {
  readonly _id: LeaseId;
  readonly owner: string;
  readonly host: string;
  readonly expires_at: Date;
}

const LIFE_MS = 15_000;

/** Of the life: between renewals, between looks of a waiting instance, and kept back at its end. */
const RENEWAL_PART = 1 / 3;
const LOOK_PART = 1 / 15;
const MARGIN_PART = 1 / 5;

/**
 * Waits until every topic is free, and takes all of them: none is held while another is waited
 * for.
 *
 * @throws errors of the driver; the signal's reason
 */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease> {
  const { lifeMs = LIFE_MS, log } = options;
  const claim = new Claim(options, lifeMs);
  for (let isTold = false; ; isTold = true) {
    signal.throwIfAborted();
    const startedAtMs = performance.now();
    const holder = await untilAborted(claim.take(), signal).catch(async (error: unknown) => {
      await claim.release();
      throw error;
    });
    if (holder === undefined) {
      return new HeldLease(claim, { lifeMs, log }, startedAtMs);
    }
    await claim.release();
    if (!isTold) {
      log.note(
        `Another instance (on ${holder.host}) consumes topic "${holder._id.topic}" of stream ` +
          `"${holder._id.stream}" as group "${holder._id.group}": waiting until it ends`,
      );
    }
    await pause(lifeMs * LOOK_PART, signal);
  }
}

/** The documents of one instance. */
class Claim {
  readonly #owner = randomUUID();
  readonly #leases: Collection<LeaseDocument>;
  readonly #ids: readonly LeaseId[];
  readonly #lifeMs: number;

  constructor({ database, topics }: LeaseOptions, lifeMs: number) {
    this.#leases = database.collection<LeaseDocument>(LEASES_COLLECTION, {
      writeConcern: { w: 'majority', wtimeoutMS: lifeMs },
      readPreference: 'primary',
    });
    this.#ids = topics.map(({ consumerGroup, stream, topic }) => ({
      group: consumerGroup,
      stream,
      topic,
    }));
    this.#lifeMs = lifeMs;
  }

  /** Undefined when all are ours; otherwise the first one of another instance. */
  async take(): Promise<LeaseDocument | undefined> {
    for (const id of this.#ids) {
      const lease = await this.#takeOne(id);
      if (lease?.owner !== this.#owner) {
        return lease ?? { _id: id, owner: '', host: 'an unknown host', expires_at: new Date(0) };
      }
    }
    return undefined;
  }

  async #takeOne(id: LeaseId): Promise<LeaseDocument | undefined> {
    // What is missing is less than any time.
    const isFree = {
      $or: [{ $eq: ['$owner', this.#owner] }, { $lte: ['$expires_at', '$$NOW'] }],
    };
    const mine = { owner: this.#owner, host: { $literal: hostname() }, expires_at: this.#end() };
    const fields = Object.entries(mine).map(
      ([name, value]) => [name, { $cond: [isFree, value, `$${name}`] }] as const,
    );
    try {
      const lease = await this.#leases.findOneAndUpdate(
        { _id: id },
        [{ $set: Object.fromEntries(fields) }],
        { upsert: true, returnDocument: 'after' },
      );
      return lease ?? undefined;
    } catch (error) {
      // Another instance has made the document meanwhile.
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY_CODE) {
        return (await this.#leases.findOne({ _id: id })) ?? undefined;
      }
      throw error;
    }
  }

  /**
   * Whether all are still ours.
   *
   * @throws errors of the driver; a TimeoutError
   */
  async renew(timeoutMs: number): Promise<boolean> {
    const renewal = this.#leases.updateMany({ _id: { $in: this.#ids }, owner: this.#owner }, [
      { $set: { expires_at: this.#end() } },
    ]);
    const { matchedCount } = await untilAborted(renewal, AbortSignal.timeout(timeoutMs));
    return matchedCount === new Set(this.#ids.map((id) => JSON.stringify(id))).size;
  }

  async release(): Promise<void> {
    const removal = this.#leases.deleteMany({ _id: { $in: this.#ids }, owner: this.#owner });
    // What is not removed ends by itself.
    await untilAborted(removal, AbortSignal.timeout(this.#lifeMs * RENEWAL_PART)).catch(
      () => undefined,
    );
  }

  #end(): Document {
    return { $add: ['$$NOW', this.#lifeMs] };
  }
}

class HeldLease implements Lease {
  readonly #claim: Claim;
  readonly #lifeMs: number;
  readonly #log: ConnectorLog;
  readonly #lost = new AbortController();
  #isReleased = false;
  #end: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  /** @param startedAtMs when the lease was asked for: the server's time of it is later */
  constructor(claim: Claim, { lifeMs, log }: HeldOptions, startedAtMs: number) {
    this.#claim = claim;
    this.#lifeMs = lifeMs;
    this.#log = log;
    this.#extend(startedAtMs);
    this.#renewAfter(lifeMs * RENEWAL_PART);
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#clear();
    await this.#claim.release();
  }

  #extend(startedAtMs: number): void {
    const endsAtMs = startedAtMs + this.#lifeMs * (1 - MARGIN_PART);
    const onEnd = (): void => this.#lose('MongoDB did not confirm it in time');
    clearTimeout(this.#end);
    this.#end = setTimeout(onEnd, Math.max(0, endsAtMs - performance.now())).unref();
  }

  #renewAfter(delayMs: number): void {
    this.#renewal = setTimeout(() => void this.#renew(), delayMs).unref();
  }

  async #renew(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const isHeld = await this.#claim.renew(this.#lifeMs * RENEWAL_PART);
      if (!isHeld) {
        this.#lose('another instance took it, or it was removed');
      } else if (this.#isHeld()) {
        this.#extend(startedAtMs);
        this.#renewAfter(this.#lifeMs * RENEWAL_PART);
      }
    } catch (error) {
      // Tried until the end, which comes by itself.
      if (this.#isHeld()) {
        this.#log.warn(`The lease on the topics is not renewed yet: ${shownFailure(error)}`);
        this.#renewAfter(this.#lifeMs * LOOK_PART);
      }
    }
  }

  #isHeld(): boolean {
    return !this.#isReleased && !this.#lost.signal.aborted;
  }

  #lose(reason: string): void {
    if (this.#isHeld()) {
      this.#clear();
      this.#lost.abort(
        new ConnectorError('lease-lost', `The lease on the topics is lost: ${reason}`),
      );
    }
  }

  #clear(): void {
    clearTimeout(this.#end);
    clearTimeout(this.#renewal);
  }
}
