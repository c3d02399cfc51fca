// The fields of a MongoDB sink: names and defaults of the specification, section 3.2, and ours.
import { z } from 'zod';
import { HUMANTIME_ACCEPTED, parseHumantimeMs } from './humantime.ts';

/** MongoDB takes at most so many writes in one command. */
const BATCH_SIZE_MAX = 100_000;

const POOL_SIZE_MAX = 1000;
const RETRIES_MAX = 1000;
const NAME_BYTES_MAX = 255;

/** MongoDB's own rules for names, which would be told only at the first insert. */
const databaseSchema = z
  .string()
  .regex(/^[^/\\. "$*<>:|?\0]{1,63}$/, 'must be a database name that MongoDB takes');

function isCollectionName(name: string): boolean {
  return (
    name !== '' &&
    !/[\0$]|^\.|\.$|\.\.|^system\./.test(name) &&
    Buffer.byteLength(name) <= NAME_BYTES_MAX
  );
}

const collectionSchema = z
  .string()
  .refine(isCollectionName, 'must be a collection name that MongoDB takes');

const durationSchema = z
  .string()
  .refine((text) => parseHumantimeMs(text) !== undefined, `must be ${HUMANTIME_ACCEPTED}`);

export const mongodbSinkConfigSchema = z
  .strictObject({
    connection_uri: z
      .string()
      .min(1)
      .meta({ secret: 'uri' })
      .describe('Connection string of MongoDB, with the options of its manual'),
    database: databaseSchema.describe('Database that documents are inserted into'),
    collection: collectionSchema.describe('Collection that documents are inserted into'),
    max_pool_size: z
      .int()
      .min(1)
      .max(POOL_SIZE_MAX)
      .optional()
      .describe("Connections at a time; the driver's default unless set"),
    auto_create_collection: z
      .boolean()
      .default(false)
      .describe('Create the collection at the start when it is missing'),
    batch_size: z
      .int()
      .min(1)
      .max(BATCH_SIZE_MAX)
      .default(100)
      .describe('Documents in one insertMany'),
    include_metadata: z
      .boolean()
      .default(true)
      .describe('Store offset, timestamp, stream, topic and partition'),
    include_checksum: z.boolean().default(true).describe("Store Iggy's checksum of the message"),
    include_origin_timestamp: z
      .boolean()
      .default(true)
      .describe("Store the time of the producer's request"),
    include_headers: z.boolean().default(false).describe('Store user headers, by their own types'),
    payload_format: z
      .enum(['binary', 'json', 'string', 'text'])
      .default('binary')
      .describe('How a payload is stored: as bytes, as the value that its JSON says, or as text'),
    id_strategy: z
      .enum(['message_id', 'composite'])
      .default('message_id')
      .describe("What _id is: the message's id, or stream:topic:partition:id"),
    max_retries: z
      .int()
      .min(0)
      .max(RETRIES_MAX)
      .default(3)
      .describe('Attempts after the first one when MongoDB fails for a while'),
    retry_delay: durationSchema
      .default('1s')
      .describe('Pause before the first retry; the second waits twice as long, and so on'),
    on_failure: z
      .enum(['halt', 'dead_letter', 'skip'])
      .default('halt')
      .describe('What happens with a message that cannot be stored'),
    dead_letter_collection: collectionSchema
      .optional()
      .describe('Where such messages are kept; <collection>_dead_letters unless set'),
    verbose_logging: z.boolean().default(false).describe('Log every chunk that is stored'),
  })
  .refine(({ collection, dead_letter_collection }) => collection !== dead_letter_collection, {
    path: ['dead_letter_collection'],
    error: 'must be another one than collection',
  });

export type MongodbSinkConfig = z.infer<typeof mongodbSinkConfigSchema>;
