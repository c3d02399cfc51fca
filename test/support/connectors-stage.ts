// `gatepost connectors` as a user runs it, between a real Iggy and a real MongoDB: a directory with
// its configuration, and what the tests look at on both sides.
import { IggyClient } from '../../src/connectors/iggy-client.ts';
import { LEASES_COLLECTION } from '../../src/connectors/lease.ts';
import type { OutgoingMessage, PolledMessage } from '../../src/connectors/iggy-messages.ts';
import { untilFound } from './facts.ts';
import { newStreamName } from './start-iggy.ts';
import type { TestIggy } from './start-iggy.ts';
import { createTestMongodbDatabase } from './mongodb.ts';
import type { TestMongodbDatabase } from './mongodb.ts';
import { startConnectors } from './start-connectors.ts';
import type { ConnectorsOptions } from './start-connectors.ts';
import type { RunningService } from './start-service.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';

const NEVER = new AbortController().signal;
const TOPIC = 'events';

/** A poll of a test; streams of tests are smaller. */
const POLL_COUNT = 5000;

export interface StageOptions {
  readonly iggy: TestIggy;
  readonly partitionsCount?: number;
}

/** One topic and one database, and the service between them; started as often as a test likes. */
export class ConnectorsStage {
  readonly stream = newStreamName();
  readonly topic = TOPIC;
  readonly client: IggyClient;
  readonly database: TestMongodbDatabase;
  readonly directory: TemporaryDirectory;
  readonly #iggy: TestIggy;
  readonly #services: RunningService[] = [];

  private constructor(
    iggy: TestIggy,
    database: TestMongodbDatabase,
    directory: TemporaryDirectory,
  ) {
    this.#iggy = iggy;
    this.database = database;
    this.directory = directory;
    const { address, credentials } = iggy;
    this.client = new IggyClient({ addresses: [address], credentials });
  }

  /** The caller closes it. */
  static async open({ iggy, partitionsCount = 1 }: StageOptions): Promise<ConnectorsStage> {
    const stage = new ConnectorsStage(
      iggy,
      await createTestMongodbDatabase(),
      await createTemporaryDirectory(),
    );
    const { client, stream, topic } = stage;
    await client.createStream(stream, NEVER);
    await client.createTopic({ stream, topic, partitionsCount }, NEVER);
    return stage;
  }

  /** Writes the configuration and starts the service; it need not come up. */
  async start(options: Omit<ConnectorsOptions, 'iggy' | 'directory'>): Promise<RunningService> {
    const service = await startConnectors({
      iggy: this.#iggy,
      directory: this.directory.path,
      ...options,
    });
    this.#services.push(service);
    return service;
  }

  /** Stores messages with these payloads, with ids from 1, in one partition. */
  async send(payloads: readonly string[], partitionId = 0, firstId = 1): Promise<void> {
    const messages = payloads.map((payload, index): OutgoingMessage => ({
      id: BigInt(firstId + index),
      payload: Buffer.from(payload),
    }));
    const { stream, topic } = this;
    const partitioning = { kind: 'partition', partitionId } as const;
    await this.client.send({ stream, topic, partitioning, messages }, NEVER);
  }

  /** The plugin_config of every connector: where its collection is. */
  place(collection: string, uri = this.database.uri): string {
    return `
connection_uri = "${uri}"
database = "${this.database.name}"
collection = "${collection}"
`;
  }

  /** Every message of a partition. */
  async messages(partitionId = 0): Promise<readonly PolledMessage[]> {
    const { stream, topic } = this;
    const { messages } = await this.client.poll(
      {
        stream,
        topic,
        partitionId,
        consumer: 'test',
        from: { kind: 'first' },
        count: POLL_COUNT,
      },
      NEVER,
    );
    return messages;
  }

  /** Resolves with the messages of a partition when there are so many. */
  async untilMessages(count: number, partitionId = 0): Promise<readonly PolledMessage[]> {
    return await untilFound(async () => {
      const messages = await this.messages(partitionId);
      return messages.length >= count ? messages : undefined;
    }, `${count} messages in Iggy`);
  }

  /** Resolves when the consumer has stored this offset. */
  async untilOffset(consumer: string, offset: bigint, partitionId = 0): Promise<void> {
    const { stream, topic } = this;
    const place = { stream, topic, partitionId, consumer };
    await untilFound(async () => {
      const stored = await this.client.storedOffset(place, NEVER);
      return stored?.storedOffset === offset ? true : undefined;
    }, `the stored offset ${offset}`);
  }

  /** Resolves with the documents of a collection when there are so many. */
  async untilDocuments(
    collection: string,
    count: number,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { client, name } = this.database;
    return await untilFound(async () => {
      const documents = await client.db(name).collection(collection).find().toArray();
      return documents.length >= count ? documents : undefined;
    }, `${count} documents in MongoDB`);
  }

  /** As if leases that were not given back had run out: nobody waits for 15 seconds. */
  async expireLeases(): Promise<void> {
    const { client, name } = this.database;
    const leases = client.db(name).collection(LEASES_COLLECTION);
    await leases.updateMany({}, { $set: { expires_at: new Date(0) } });
  }

  /** Ends what was started and removes what was made. */
  async close(): Promise<void> {
    for (const service of this.#services) {
      service.process.kill('SIGKILL');
      await service.exited();
    }
    this.client.close();
    await this.database.drop();
    await this.directory.remove();
  }
}

/** The same values, by names that begin so. */
export function prefixed(
  prefix: string,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    named[`${prefix}${name}`] = value;
  }
  return named;
}
