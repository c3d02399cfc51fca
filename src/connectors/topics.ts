// The topics that connectors read and write: there, made when configured, or waited for.
import { ConnectorError } from './connector-error.ts';
import type { IggyClient } from './iggy-client.ts';
import { shownTopic } from './iggy-topics.ts';
import type { IggyTopicDetails } from './iggy-topics.ts';

export interface WantedTopic {
  readonly stream: string;
  readonly topic: string;
  /** When given, what is missing is made, with so many partitions. */
  readonly autoCreatePartitionsCount?: number;
}

/**
 * The topic with its partitions.
 *
 * @throws ConnectorError `connection` when there is none: it may be made later; IggyError
 */
export async function findTopic(
  client: IggyClient,
  wanted: WantedTopic,
  signal: AbortSignal,
): Promise<IggyTopicDetails> {
  const { stream, topic, autoCreatePartitionsCount: partitionsCount } = wanted;
  const found = await client.topic(wanted, signal);
  if (found !== undefined) {
    return found;
  }
  if (partitionsCount === undefined) {
    throw missing(wanted);
  }
  await client.createStream(stream, signal);
  await client.createTopic({ stream, topic, partitionsCount }, signal);
  const created = await client.topic(wanted, signal);
  if (created === undefined) {
    throw missing(wanted);
  }
  return created;
}

export interface FoundTopic {
  readonly stream: string;
  readonly topic: string;
  readonly details: IggyTopicDetails;
}

/**
 * Each is another topic. A stream or topic that is named by its number may be one that is named
 * otherwise too; two names never are one.
 *
 * @throws ConnectorError `invalid-config` that names two that are one; IggyError
 */
export async function checkDistinct(
  client: IggyClient,
  found: readonly FoundTopic[],
  signal: AbortSignal,
): Promise<void> {
  if (!found.some(({ stream, topic }) => isNumber(stream) || isNumber(topic))) {
    return;
  }
  const streamIds = new Map<string, number | undefined>();
  const seen = new Map<string, FoundTopic>();
  for (const one of found) {
    const { stream, topic, details } = one;
    if (!streamIds.has(stream)) {
      streamIds.set(stream, (await client.stream(stream, signal))?.id);
    }
    const key = `${streamIds.get(stream)} ${details.id}`;
    const other = seen.get(key);
    // The same name twice is for two consumers.
    if (other !== undefined && (other.stream !== stream || other.topic !== topic)) {
      throw new ConnectorError(
        'invalid-config',
        `${shownTopic(other)} and ${shownTopic(one)} are one topic: name it once`,
      );
    }
    seen.set(key, one);
  }
}

/** As Iggy takes it. */
function isNumber(name: string): boolean {
  return /^\+?\d+$/.test(name);
}

function missing(wanted: WantedTopic): ConnectorError {
  return new ConnectorError(
    'connection',
    `Iggy has no ${shownTopic(wanted)}: create it, or correct its name; it is looked for again`,
  );
}
