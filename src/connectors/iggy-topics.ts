// Streams, topics, partitions and stored offsets as Iggy's JSON has them, and how they are named.
import { z } from 'zod';
import { IggyError } from './iggy-error.ts';
import { toInteger } from './iggy-json.ts';

/** By name or by number; a name of digits is a number to Iggy. */
export type IggyName = string | number;

export interface TopicPlace {
  readonly stream: IggyName;
  readonly topic: IggyName;
}

export interface IggyStream {
  readonly id: number;
  readonly name: string;
  readonly topicsCount: number;
}

export interface IggyTopic {
  readonly id: number;
  readonly name: string;
  readonly partitionsCount: number;
}

export interface IggyPartition {
  readonly id: number;
  /** Its last offset; 0 also when it is empty. */
  readonly currentOffset: bigint;
  readonly messagesCount: bigint;
}

export interface IggyTopicDetails extends IggyTopic {
  /** In microseconds; 0.8 answers a slightly other one after its restart. */
  readonly createdAtUs: bigint | undefined;
  /** In the order of their ids. */
  readonly partitions: readonly IggyPartition[];
}

export interface StoredOffset {
  /** The partition's last one. */
  readonly currentOffset: bigint;
  /** The consumer's last one: what it has processed. */
  readonly storedOffset: bigint;
}

const integer = z.unknown().transform((value, context) => {
  const read = toInteger(value);
  if (read === undefined) {
    context.addIssue('not an integer');
    return z.NEVER;
  }
  return read;
});

const STREAM = z
  .object({ id: z.number(), name: z.string(), topics_count: z.number() })
  .transform(({ id, name, topics_count: topicsCount }) => ({ id, name, topicsCount }));

const TOPIC_FIELDS = z.object({ id: z.number(), name: z.string(), partitions_count: z.number() });

const TOPIC = TOPIC_FIELDS.transform(({ id, name, partitions_count: partitionsCount }) => ({
  id,
  name,
  partitionsCount,
}));

const PARTITION = z
  .object({ id: z.number(), current_offset: integer, messages_count: integer })
  .transform((partition) => ({
    id: partition.id,
    currentOffset: partition.current_offset,
    messagesCount: partition.messages_count,
  }));

const TOPIC_DETAILS = TOPIC_FIELDS.extend({
  created_at: integer.optional(),
  partitions: z.array(PARTITION),
}).transform((topic) => ({
  id: topic.id,
  name: topic.name,
  partitionsCount: topic.partitions_count,
  createdAtUs: topic.created_at,
  partitions: topic.partitions.toSorted((one, other) => one.id - other.id),
}));

const STORED_OFFSET = z
  .object({ current_offset: integer, stored_offset: integer })
  .transform(({ current_offset: currentOffset, stored_offset: storedOffset }) => ({
    currentOffset,
    storedOffset,
  }));

/** @throws IggyError when the reply has another shape; so do all of these */
export function readStream(reply: unknown): IggyStream {
  return checked(STREAM, reply, 'a stream');
}

export function readTopics(reply: unknown): readonly IggyTopic[] {
  return checked(z.array(TOPIC), reply, 'a list of topics');
}

export function readTopicDetails(reply: unknown): IggyTopicDetails {
  return checked(TOPIC_DETAILS, reply, 'a topic');
}

export function readStoredOffset(reply: unknown): StoredOffset {
  return checked(STORED_OFFSET, reply, 'a stored offset');
}

function checked<T>(schema: z.ZodType<T>, reply: unknown, what: string): T {
  const parsed = schema.safeParse(reply);
  if (parsed.success) {
    return parsed.data;
  }
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new IggyError('unexpected-reply', `Iggy's answer is not ${what}: see ${fields || 'all'}`);
}

export function streamPath(stream: IggyName): string {
  return `/streams/${encodeURIComponent(stream)}`;
}

export function topicPath({ stream, topic }: TopicPlace): string {
  return `${streamPath(stream)}/topics/${encodeURIComponent(topic)}`;
}

/** For errors: `topic "events" of stream "app"`. */
export function shownTopic({ stream, topic }: TopicPlace): string {
  return `topic "${topic}" of stream "${stream}"`;
}

/**
 * Refuses a name that a new stream or topic could not be found by.
 *
 * @throws IggyError for digits only, which mean an id, and for a length that Iggy does not take
 */
export function checkNewName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (/^\+?\d+$/.test(name) || bytes === 0 || bytes > 255) {
    throw new IggyError(
      'refused',
      `"${name}" cannot name a stream or topic: take 1 to 255 bytes that are not digits only`,
    );
  }
}
