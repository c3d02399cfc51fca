// The fields of a MongoDB sink: names and defaults of the specification, section 3.2, and ours.
import { z } from 'zod';
import {
  collectionSchema,
  connectionFields,
  databaseSchema,
  retryFields,
} from './mongodb-config-fields.ts';

/** MongoDB takes at most so many writes in one command. */
const BATCH_SIZE_MAX = 100_000;

export const mongodbSinkConfigSchema = z
  .strictObject({
    ...connectionFields,
    database: databaseSchema.describe('Database that documents are inserted into'),
    collection: collectionSchema.describe('Collection that documents are inserted into'),
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
    ...retryFields,
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
