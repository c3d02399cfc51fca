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

function missing(wanted: WantedTopic): ConnectorError {
  return new ConnectorError(
    'connection',
    `Iggy has no ${shownTopic(wanted)}: create it, or correct its name; it is looked for again`,
  );
}
