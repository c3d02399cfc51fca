// Where a sink is in one partition: what to ask for next, what is missing before it, and whether
// the partition was begun anew behind its back.
import type { ConnectorLog } from './connector.ts';
import type { ConsumerPlace, IggyClient, PollFrom } from './iggy-client.ts';
import type { PolledMessage } from './iggy-messages.ts';
import { shownTopic } from './iggy-topics.ts';
import type { StoredOffset } from './iggy-topics.ts';
import { SinkAnchor } from './sink-anchor.ts';
import type { SinkAnchors, TopicSight } from './sink-anchor.ts';

/** How often an idle partition is compared with what Iggy has stored of it. */
export const RESET_CHECK_MS = 10_000;

/** So many looks in a row have to miss our stored offset: one may be at a follower that lags. */
const GONE_LOOKS = 2;

/** Or that it ends before our place, as a follower's does for longer while it catches up. */
const SHORT_LOOKS = 6;

export interface SinkPositionOptions {
  readonly place: ConsumerPlace;
  readonly client: Pick<IggyClient, 'storedOffset' | 'poll'>;
  readonly log: ConnectorLog;
  readonly resetCheckMs: number;
  readonly anchors: SinkAnchors;
  /** Its topic, looked at a moment ago. */
  readonly sight: TopicSight;
}

/** What to ask for, and for which life of the partition: see `epoch`. */
export interface Question {
  readonly from: PollFrom;
  readonly epoch: number;
}

export class SinkPosition {
  readonly #options: SinkPositionOptions;
  readonly #anchor: SinkAnchor;
  /** The offset to ask for; undefined for the first one that there is. */
  #next: bigint | undefined;
  #checkedAtMs = performance.now();
  /** Looks in a row that found it begun anew. */
  #doubts = 0;
  #isRemembered: boolean;
  #epoch = 0;

  private constructor(options: SinkPositionOptions, stored: StoredOffset | undefined) {
    const { place, client, anchors, sight } = options;
    this.#options = options;
    this.#anchor = new SinkAnchor({ place, client, anchors, mark: sight.mark });
    this.#next = stored === undefined ? undefined : stored.storedOffset + 1n;
    this.#isRemembered = stored !== undefined;
  }

  /**
   * Behind the stored offset, or at the first message when none is stored that can be trusted.
   *
   * @throws IggyError, the signal's reason
   */
  static async open(options: SinkPositionOptions, signal: AbortSignal): Promise<SinkPosition> {
    const stored = await options.client.storedOffset(options.place, signal);
    const isTrusted = stored !== undefined && isTrustworthy(stored, options.sight);
    const position = new SinkPosition(options, isTrusted ? stored : undefined);
    if (!isTrusted) {
      position.#anchor.forget();
    } else if (position.#anchor.isKnown) {
      await position.#check(signal);
    } else {
      await position.#anchor.drop(stored.storedOffset, signal);
    }
    return position;
  }

  /** Grows whenever the partition was begun anew: offsets from before mean other messages. */
  get epoch(): number {
    return this.#epoch;
  }

  get question(): Question {
    const from: PollFrom =
      this.#next === undefined ? { kind: 'first' } : { kind: 'offset', value: this.#next };
    return { from, epoch: this.#epoch };
  }

  /** Its topic was looked at again: what is read is compared soon, also while it is busy. */
  look(sight: TopicSight): void {
    this.#anchor.look(sight.mark);
  }

  /**
   * Whether an offset of this epoch may be stored, which is checked when the last check is old.
   *
   * @throws IggyError, the signal's reason
   */
  async confirm(epoch: number, signal: AbortSignal): Promise<boolean> {
    if (epoch === this.#epoch && this.#anchor.isStale) {
      await this.#check(signal);
    }
    return epoch === this.#epoch;
  }

  /** An offset has been given to Iggy: from now on one should be found. */
  remember(): void {
    this.#isRemembered = true;
  }

  /**
   * Goes behind the messages. Those before our place are left out; gaps are legal, and one before
   * the first message is said, because it may be what retention removed. An answer from before the
   * partition was begun anew is left out whole.
   */
  advance(messages: readonly PolledMessage[], epoch: number): readonly PolledMessage[] {
    if (epoch !== this.#epoch) {
      return [];
    }
    const asked = this.#next;
    const wanted = asked === undefined ? messages : messages.filter((m) => m.offset >= asked);
    const first = wanted[0];
    const last = wanted.at(-1);
    if (first === undefined || last === undefined) {
      return [];
    }
    if (asked !== undefined && first.offset > asked) {
      this.#warnOfGap(asked, first.offset);
    }
    this.#next = last.offset + 1n;
    this.#doubts = 0;
    this.#anchor.read(last);
    return wanted;
  }

  #warnOfGap(asked: bigint, first: bigint): void {
    const { place, log } = this.#options;
    log.warn(
      `${first - asked} messages of partition ${place.partitionId} of ${shownTopic(place)} were ` +
        `not there (offsets ${asked} to ${first - 1n}): if retention removed them before they ` +
        'were consumed, let it keep messages for longer',
    );
  }

  /**
   * Looks now and then while polls find nothing. A partition that was emptied, or whose topic was
   * deleted and made anew, has lost our stored offset or ends before it: it is read again from its
   * first message, since nothing tells whether its messages are new. The offset that an empty
   * poll's answer names does not help: 0.8 says 0 wherever the partition ends.
   *
   * @throws IggyError, the signal's reason
   */
  async checkIdle(signal: AbortSignal): Promise<void> {
    if (this.#anchor.isBehind) {
      await this.#check(signal);
    }
    await this.#checkStored(signal);
  }

  async #check(signal: AbortSignal): Promise<void> {
    const epoch = this.#epoch;
    const verdict = await this.#anchor.check(signal);
    // Two checks may find out the same.
    if (verdict === 'anew' && epoch === this.#epoch) {
      this.#reset();
    }
  }

  async #checkStored(signal: AbortSignal): Promise<void> {
    const { resetCheckMs, client, place } = this.#options;
    const nowMs = performance.now();
    if (!this.#isRemembered || nowMs - this.#checkedAtMs < resetCheckMs) {
      return;
    }
    this.#checkedAtMs = nowMs;
    const stored = await client.storedOffset(place, signal);
    const isShort = stored !== undefined && stored.currentOffset + 1n < (this.#next ?? 0n);
    this.#doubts = stored === undefined || isShort ? this.#doubts + 1 : 0;
    if (this.#doubts >= (isShort ? SHORT_LOOKS : GONE_LOOKS)) {
      this.#reset();
    }
  }

  #reset(): void {
    const { place, log } = this.#options;
    if (this.#next !== undefined) {
      log.warn(
        `Partition ${place.partitionId} of ${shownTopic(place)} was begun anew: before offset ` +
          `${this.#next} it has not what was read, or our stored offset is gone; it is read from ` +
          'its first message',
      );
    }
    this.#next = undefined;
    this.#epoch += 1;
    this.#doubts = 0;
    this.#isRemembered = false;
    this.#anchor.forget();
  }
}

/**
 * A crash may take messages whose offset was stored: then Iggy answers 0, as if the first message
 * were processed, or an offset past the end. To read the first message again costs little.
 */
function isTrustworthy(
  { storedOffset, currentOffset }: StoredOffset,
  { messagesCount }: TopicSight,
): boolean {
  return storedOffset > 0n && messagesCount > 0n && storedOffset <= currentOffset;
}
