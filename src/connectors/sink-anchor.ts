// How a sink knows that a partition still holds the messages that it has read. Offsets alone do not
// tell: one that was purged, or lost its log in a crash, begins at 0 again, and once it is longer
// than we had come its messages look like the next ones. So one message that was read is
// remembered, the anchor, and looked at again: at its offset only the same message may be.
import type { ConsumerPlace, IggyClient } from './iggy-client.ts';
import type { PolledMessage } from './iggy-messages.ts';
import type { IggyTopicDetails } from './iggy-topics.ts';

/** A check that is older proves too little for an offset to be stored. */
const CHECK_MAX_AGE_MS = 1000;

export type Anchor = Pick<PolledMessage, 'offset' | 'id' | 'timestampUs' | 'checksum'>;

/** What the look at an anchor told. */
export type AnchorVerdict =
  /** The message is there. */
  | 'same'
  /** It is gone, and so is everything up to it: retention may remove what is old. */
  | 'retained'
  /** Nothing is there, or there is nothing to compare: a follower that lags shows no more. */
  | 'unknown'
  /** Another partition by the same name. */
  | 'anew';

/** What a partition's topic says when it is looked at. */
export interface TopicSight {
  /** Another one may be another topic; Iggy 0.8 changes it at a restart too. */
  readonly mark: string;
  readonly messagesCount: bigint;
}

/** What is known of one partition, from one run of a connector to the next. */
interface KnownPartition {
  anchor: Anchor | undefined;
  /** Of the topic that the anchor is known to belong to. */
  mark: string | undefined;
}

/** Of all partitions of a connector, as many as it reads; for as long as it lives. */
export class SinkAnchors {
  readonly #known = new Map<string, KnownPartition>();
  #disturbancesCount = 0;

  /** How often it was told of a failure. */
  get disturbancesCount(): number {
    return this.#disturbancesCount;
  }

  /** A request failed and was repeated: what answers now may be what a crash has left. */
  disturb(): void {
    this.#disturbancesCount += 1;
  }

  known({ stream, topic, partitionId, consumer }: ConsumerPlace): KnownPartition {
    const name = JSON.stringify([stream, topic, partitionId, consumer]);
    const known = this.#known.get(name) ?? { anchor: undefined, mark: undefined };
    this.#known.set(name, known);
    return known;
  }
}

/** @param found the first message from the anchor's offset on */
export function judgeAnchor(
  anchor: Anchor | undefined,
  found: Anchor | undefined,
  isMarkOther: boolean,
): AnchorVerdict {
  if (anchor === undefined || found === undefined || found.offset < anchor.offset) {
    return isMarkOther ? 'anew' : 'unknown';
  }
  if (found.offset > anchor.offset) {
    return 'retained';
  }
  const isSame =
    found.id === anchor.id &&
    found.timestampUs === anchor.timestampUs &&
    found.checksum === anchor.checksum;
  return isSame ? 'same' : 'anew';
}

export function sightOf(topic: IggyTopicDetails, partitionId: number): TopicSight {
  const partition = topic.partitions.find(({ id }) => id === partitionId);
  return {
    mark: `${topic.id} ${topic.createdAtUs ?? ''}`,
    messagesCount: partition?.messagesCount ?? 0n,
  };
}

export interface SinkAnchorOptions {
  readonly place: ConsumerPlace;
  readonly client: Pick<IggyClient, 'poll'>;
  readonly anchors: SinkAnchors;
  /** Of the topic, when it was looked at last. */
  readonly mark: string;
}

/** The anchor of one partition during a run. */
export class SinkAnchor {
  readonly #options: SinkAnchorOptions;
  readonly #known: KnownPartition;
  /** Read behind the anchor, and not known yet to belong to the same partition. */
  #latest: Anchor | undefined;
  #mark: string;
  /** By the clock of `performance`; undefined when one is due whatever the time is. */
  #checkedAtMs: number | undefined;
  #disturbancesCount: number;

  constructor(options: SinkAnchorOptions) {
    this.#options = options;
    this.#known = options.anchors.known(options.place);
    this.#mark = options.mark;
    this.#disturbancesCount = options.anchors.disturbancesCount;
  }

  get isKnown(): boolean {
    return this.#known.anchor !== undefined;
  }

  /** Whether the last check is too old for an offset to be stored. */
  get isStale(): boolean {
    return this.#isDisturbed || performance.now() - (this.#checkedAtMs ?? 0) >= CHECK_MAX_AGE_MS;
  }

  /** Whether an idle partition is to be checked: what was read last was not. */
  get isBehind(): boolean {
    const { anchor } = this.#known;
    return this.#isDisturbed || (this.isStale && laterOf(anchor, this.#latest) !== anchor);
  }

  get #isDisturbed(): boolean {
    const { anchors } = this.#options;
    return this.#checkedAtMs === undefined || this.#disturbancesCount !== anchors.disturbancesCount;
  }

  /** The topic was looked at: a check is due. */
  look(mark: string): void {
    this.#mark = mark;
    this.#checkedAtMs = undefined;
  }

  /** It was read. Only a check makes it the anchor, unless there is none. */
  read(message: PolledMessage): void {
    this.#latest = pickAnchor(message);
    this.#known.anchor ??= this.#latest;
  }

  /** The partition is read from its first message: nothing before binds it. */
  forget(): void {
    this.#latest = undefined;
    this.#known.anchor = undefined;
    this.#known.mark = this.#mark;
    this.#checkedAtMs = performance.now();
  }

  /**
   * What was read last before the check began is the anchor when the old one is still there, since
   * it was read between two sights of the old one.
   *
   * @throws IggyError, the signal's reason
   */
  async check(signal: AbortSignal): Promise<AnchorVerdict> {
    const [anchor, latest, mark] = [this.#known.anchor, this.#latest, this.#mark];
    const isMarkOther = this.#known.mark !== undefined && this.#known.mark !== mark;
    this.#checkedAtMs = performance.now();
    this.#disturbancesCount = this.#options.anchors.disturbancesCount;
    const found = anchor === undefined ? undefined : await this.#messageFrom(anchor.offset, signal);
    const verdict = judgeAnchor(anchor, found, isMarkOther);
    // Another check, or a reset, may have been faster.
    if (this.#known.anchor === anchor && verdict !== 'anew') {
      this.#known.mark = mark;
      this.#known.anchor =
        verdict === 'same' ? laterOf(anchor, latest) : verdict === 'retained' ? found : anchor;
    }
    return verdict;
  }

  /**
   * The anchor of a connector that has read nothing yet: a message at the stored offset.
   *
   * @throws IggyError, the signal's reason
   */
  async drop(offset: bigint, signal: AbortSignal): Promise<void> {
    this.#known.mark = this.#mark;
    this.#checkedAtMs = performance.now();
    this.#known.anchor = await this.#messageFrom(offset, signal);
  }

  async #messageFrom(offset: bigint, signal: AbortSignal): Promise<Anchor | undefined> {
    const { client, place } = this.#options;
    const from = { kind: 'offset', value: offset } as const;
    const { messages } = await client.poll({ ...place, from, count: 1 }, signal);
    return messages[0] === undefined ? undefined : pickAnchor(messages[0]);
  }
}

function laterOf(anchor: Anchor | undefined, latest: Anchor | undefined): Anchor | undefined {
  return latest !== undefined && latest.offset > (anchor?.offset ?? -1n) ? latest : anchor;
}

/** Without the payload, which is not to be held. */
function pickAnchor({ offset, id, timestampUs, checksum }: PolledMessage): Anchor {
  return { offset, id, timestampUs, checksum };
}
