// What the connectors ask of Iggy, over its HTTP API. Offsets are stored only when they say so:
// Iggy's own auto_commit stores them before a message has been looked at.
import { encodeBatches, REQUEST_BYTES_MAX } from './iggy-batches.ts';
import type { EncodedBatch } from './iggy-batches.ts';
import { IggyError } from './iggy-error.ts';
import type { IggyHeaderForm } from './iggy-headers.ts';
import type { HttpBounds } from './iggy-http.ts';
import { encodeIggyJson } from './iggy-json.ts';
import { readPolledBatch } from './iggy-messages.ts';
import type { OutgoingMessage, Partitioning, PolledBatch } from './iggy-messages.ts';
import type { IggyCredentials } from './iggy-session.ts';
import {
  checkNewName,
  readStoredOffset,
  readStream,
  readTopicDetails,
  readTopics,
  shownTopic,
  streamPath,
  topicPath,
} from './iggy-topics.ts';
import type {
  IggyName,
  IggyStream,
  IggyTopic,
  IggyTopicDetails,
  StoredOffset,
  TopicPlace,
} from './iggy-topics.ts';
import { IggyTransport } from './iggy-transport.ts';
import type { RetryPolicy } from './iggy-transport.ts';

/** One request's; a server gives up a send after 10 seconds. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Of any answer but one with a single large message. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

/**
 * One message of Iggy's largest: a payload of 64 000 000 bytes, in base64 85 333 336; headers of
 * 100 000 bytes, as a list of the shortest below 1 000 000; the rest of the JSON.
 */
const MESSAGE_REPLY_BYTES_MAX = 87_000_000;

/** For that one message; 12 Mbit/s are enough. */
const MESSAGE_TIMEOUT_MS = 60_000;

/** A poll asks so often for half as many, then for one: each answer is read up to its bound. */
const HALVINGS_MAX = 2;

const RETRY: RetryPolicy = {
  attemptsMax: 5,
  firstMs: 100,
  maxMs: 5000,
  retryAfterMaxMs: 30_000,
};

export interface IggyClientOptions {
  /** Of the servers' HTTP APIs: `http://host:3000`; the first one is used until it fails. */
  readonly addresses: readonly string[];
  readonly credentials: IggyCredentials;
  readonly requestTimeoutMs?: number;
  readonly requestBytesMax?: number;
  readonly replyBytesMax?: number;
  /** Of a poll's answer with one message. */
  readonly messageReplyBytesMax?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** `map` for a server of 0.6, which drops the list silently. */
  readonly headerForm?: IggyHeaderForm;
  /** Learns of every failure that is tried again. */
  readonly onRetry?: (error: unknown) => void;
}

/** A consumer at a partition. Over HTTP a group is a consumer of the group's name. */
export interface ConsumerPlace extends TopicPlace {
  readonly partitionId: number;
  readonly consumer: IggyName;
}

/** Where a poll begins; `next` is behind the consumer's stored offset. */
export type PollFrom =
  | { readonly kind: 'offset'; readonly value: bigint }
  | { readonly kind: 'timestamp'; readonly value: bigint }
  | { readonly kind: 'first' | 'last' | 'next' };

export interface Poll extends ConsumerPlace {
  readonly from: PollFrom;
  /** At most so many messages; fewer where their answer would be too large. */
  readonly count: number;
}

export interface Send extends TopicPlace {
  readonly partitioning: Partitioning;
  readonly messages: readonly OutgoingMessage[];
  /** Learns after every request how many of the messages, from the first, are stored. */
  readonly onStored?: (messagesCount: number) => void;
}

export interface NewTopic extends TopicPlace {
  readonly topic: string;
  readonly partitionsCount: number;
}

/** A connection to Iggy. Every method throws IggyError or the signal's reason. */
export class IggyClient {
  readonly #transport: IggyTransport;
  readonly #requestBytesMax: number;
  readonly #messageBounds: HttpBounds;
  readonly #headerForm: IggyHeaderForm;

  /** Connects when first asked. The caller closes it. */
  constructor(options: IggyClientOptions) {
    this.#requestBytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
    this.#messageBounds = {
      timeoutMs: Math.max(options.requestTimeoutMs ?? 0, MESSAGE_TIMEOUT_MS),
      replyBytesMax: options.messageReplyBytesMax ?? MESSAGE_REPLY_BYTES_MAX,
    };
    this.#headerForm = options.headerForm ?? 'list';
    this.#transport = new IggyTransport({
      addresses: options.addresses,
      credentials: options.credentials,
      bounds: {
        timeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
        replyBytesMax: options.replyBytesMax ?? REPLY_BYTES_MAX,
      },
      retry: { ...RETRY, ...options.retry },
      onRetry: options.onRetry,
    });
  }

  /** The stream; undefined when there is none of this name. */
  async stream(stream: IggyName, signal: AbortSignal): Promise<IggyStream | undefined> {
    const action = `show stream "${stream}"`;
    const reply = await this.#find(streamPath(stream), action, signal);
    return reply === undefined ? undefined : readStream(reply);
  }

  /** The topics of a stream. */
  async topics(stream: IggyName, signal: AbortSignal): Promise<readonly IggyTopic[]> {
    const path = `${streamPath(stream)}/topics`;
    const action = `list the topics of stream "${stream}"`;
    return readTopics(await this.#transport.request({ method: 'GET', path, action }, signal));
  }

  /** The topic with its partitions; undefined when there is none of this name. */
  async topic(place: TopicPlace, signal: AbortSignal): Promise<IggyTopicDetails | undefined> {
    const action = `show ${shownTopic(place)}`;
    const reply = await this.#find(topicPath(place), action, signal);
    return reply === undefined ? undefined : readTopicDetails(reply);
  }

  /** Resolves when the stream is there, made now or before. */
  async createStream(name: string, signal: AbortSignal): Promise<void> {
    checkNewName(name);
    const action = `create stream "${name}"`;
    await this.#create('/streams', { action, fields: { name } }, signal);
  }

  /** Resolves when the topic is there, made now or before; then its partitions may be others. */
  async createTopic(place: NewTopic, signal: AbortSignal): Promise<void> {
    checkNewName(place.topic);
    const fields = {
      name: place.topic,
      partitions_count: place.partitionsCount,
      compression_algorithm: 'none',
      // Of both, 0 leaves it to the server.
      message_expiry: 0,
      max_topic_size: 0,
    };
    const action = `create ${shownTopic(place)}`;
    await this.#create(`${streamPath(place.stream)}/topics`, { action, fields }, signal);
  }

  /** Messages of one partition; none when there are none yet. */
  async poll(poll: Poll, signal: AbortSignal): Promise<PolledBatch> {
    let { count } = poll;
    for (let halvings = 0; ; halvings += 1) {
      try {
        return await this.#poll({ ...poll, count }, undefined, signal);
      } catch (error) {
        if (!isKind(error, 'reply-too-large')) {
          throw error;
        }
      }
      count = Math.floor(count / 2);
      if (count <= 1 || halvings >= HALVINGS_MAX) {
        return await this.#pollOne(poll, signal);
      }
    }
  }

  async #pollOne(poll: Poll, signal: AbortSignal): Promise<PolledBatch> {
    try {
      return await this.#poll({ ...poll, count: 1 }, this.#messageBounds, signal);
    } catch (error) {
      throw isKind(error, 'reply-too-large') ? this.#messageTooLarge(poll) : error;
    }
  }

  #messageTooLarge(poll: Poll): IggyError {
    const { from, partitionId } = poll;
    const at = 'value' in from ? `at ${from.kind} ${from.value}` : `that is ${from.kind}`;
    return new IggyError(
      'reply-too-large',
      `The message ${at} of partition ${partitionId} of ${shownTopic(poll)} cannot be read: ` +
        `Iggy's answer has more than the ${this.#messageBounds.replyBytesMax} bytes of its ` +
        'largest message; store its offset for the consumer to go on behind it',
    );
  }

  async #poll(
    poll: Poll,
    bounds: HttpBounds | undefined,
    signal: AbortSignal,
  ): Promise<PolledBatch> {
    const { from, partitionId, consumer } = poll;
    const query = new URLSearchParams({
      consumer_id: String(consumer),
      partition_id: String(partitionId),
      kind: from.kind,
      value: 'value' in from ? String(from.value) : '0',
      count: String(poll.count),
      auto_commit: 'false',
    });
    const path = `${topicPath(poll)}/messages?${query.toString()}`;
    const action = `poll partition ${partitionId} of ${shownTopic(poll)}`;
    const reply = await this.#transport.request({ method: 'GET', path, action, bounds }, signal);
    return readPolledBatch(reply, partitionId);
  }

  /**
   * Sends the messages in their order, in as many requests as their size asks for, one after
   * another. When it throws, those that `onStored` told of are stored; the next ones may be. What
   * refuses the messages themselves is `unsendable`: no other request carries any.
   */
  async send(send: Send, signal: AbortSignal): Promise<void> {
    try {
      await this.#send(send, signal);
    } catch (error) {
      if (error instanceof IggyError && (error.kind === 'refused' || error.kind === 'too-large')) {
        const { message, status, code } = error;
        throw new IggyError('unsendable', message, { status, code, cause: error });
      }
      throw error;
    }
  }

  async #send(send: Send, signal: AbortSignal): Promise<void> {
    const parts: (readonly OutgoingMessage[])[] = [send.messages];
    let storedCount = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const before = storedCount;
      for (const batch of this.#encode(send.partitioning, part)) {
        if (await this.#isStored(send, batch, signal)) {
          storedCount += batch.messagesCount;
          send.onStored?.(storedCount);
          continue;
        }
        // The server's limit is lower than ours: two requests in place of this one.
        const from = storedCount - before;
        const half = from + Math.ceil(batch.messagesCount / 2);
        const end = from + batch.messagesCount;
        parts.unshift(part.slice(from, half), part.slice(half, end), part.slice(end));
        break;
      }
    }
  }

  #encode(
    partitioning: Partitioning,
    messages: readonly OutgoingMessage[],
  ): Iterable<EncodedBatch> {
    const bytesMax = this.#requestBytesMax;
    return encodeBatches(messages, { partitioning, form: this.#headerForm, bytesMax });
  }

  /** False when the server finds it too large, and it can be made smaller. */
  async #isStored(place: TopicPlace, batch: EncodedBatch, signal: AbortSignal): Promise<boolean> {
    const path = `${topicPath(place)}/messages`;
    const action = `store messages in ${shownTopic(place)}`;
    try {
      await this.#transport.request({ method: 'POST', path, body: batch.body, action }, signal);
      return true;
    } catch (error) {
      if (!isKind(error, 'too-large') || batch.messagesCount === 1) {
        throw error;
      }
      return false;
    }
  }

  /** The consumer's stored offset; undefined when it has stored none in this partition. */
  async storedOffset(place: ConsumerPlace, signal: AbortSignal): Promise<StoredOffset | undefined> {
    const query = new URLSearchParams({
      consumer_id: String(place.consumer),
      partition_id: String(place.partitionId),
    });
    const path = `${topicPath(place)}/consumer-offsets?${query.toString()}`;
    const action = `show the stored offset in ${shownTopic(place)}`;
    const reply = await this.#find(path, action, signal);
    if (reply !== undefined) {
      return readStoredOffset(reply);
    }
    // The same answer is given when there is no such partition, and then there is no offset 0.
    await this.#checkPartition(place, signal);
    return undefined;
  }

  async #checkPartition(place: ConsumerPlace, signal: AbortSignal): Promise<void> {
    const topic = await this.topic(place, signal);
    if (topic?.partitions.some(({ id }) => id === place.partitionId) !== true) {
      throw new IggyError(
        'not-found',
        `Iggy has no partition ${place.partitionId} of ${shownTopic(place)}; ` +
          'check the names, or create it',
      );
    }
  }

  /** Stores the offset of the last message that the consumer has processed. */
  async storeOffset(place: ConsumerPlace, offset: bigint, signal: AbortSignal): Promise<void> {
    const path = `${topicPath(place)}/consumer-offsets`;
    const body = encodeIggyJson({
      consumer_id: place.consumer,
      partition_id: place.partitionId,
      offset,
    });
    const action = `store offset ${offset} in ${shownTopic(place)}`;
    await this.#transport.request({ method: 'PUT', path, body, action }, signal);
  }

  /** Ends what is under way, which throws, and closes every connection. */
  close(): void {
    this.#transport.close();
  }

  async #find(path: string, action: string, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#transport.request({ method: 'GET', path, action }, signal);
    } catch (error) {
      if (isKind(error, 'not-found')) {
        return undefined;
      }
      throw error;
    }
  }

  async #create(
    path: string,
    { action, fields }: { action: string; fields: Readonly<Record<string, unknown>> },
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const body = encodeIggyJson(fields);
      await this.#transport.request({ method: 'POST', path, body, action }, signal);
    } catch (error) {
      if (!isKind(error, 'exists')) {
        throw error;
      }
    }
  }
}

function isKind(error: unknown, kind: IggyError['kind']): boolean {
  return error instanceof IggyError && error.kind === kind;
}
