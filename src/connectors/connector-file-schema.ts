// The fields of a connector's file: those of Apache Iggy's runtime, and `plugin`, `auto_create` and
// `partitions_count` of ours.
import * as z from 'zod';
import { declareTable } from './connector-file-table.ts';
import { HUMANTIME_ACCEPTED, parseHumantimeMs } from './humantime.ts';

/** The key is a part of file names, of metrics' labels and of names in the environment. */
const KEY = /^[a-z\d][a-z\d_-]{0,63}$/i;

/** Of a stream, a topic or a consumer. */
const NAME_BYTES_MAX = 255;

const BATCH_LENGTH_MAX = 100_000;
const STREAMS_TOPICS_MAX = 1000;

/** Iggy's own limit. */
const PARTITIONS_MAX = 1000;

const name = z
  .string()
  .min(1)
  .refine(
    (text) => Buffer.byteLength(text) <= NAME_BYTES_MAX,
    `is too long: accepted are ${NAME_BYTES_MAX} bytes`,
  );

const duration = z
  .string()
  .refine((text) => parseHumantimeMs(text) !== undefined, `accepted is ${HUMANTIME_ACCEPTED}`);

/** A pause between polls must be one, or an idle consumer would never rest. */
const pauseDuration = z
  .string()
  .refine(
    (text) => (parseHumantimeMs(text) ?? 0) > 0,
    `accepted is ${HUMANTIME_ACCEPTED}, and at least 1ms`,
  );

const streamFields = {
  stream: name,
  schema: z.enum(['json', 'raw', 'text']).optional(),
  batch_length: z.int().min(1).max(BATCH_LENGTH_MAX).default(1000),
};

/** One of a sink's `[[streams]]`. */
export const sinkStreamTable = declareTable(
  z.strictObject({
    ...streamFields,
    topics: z
      .array(name)
      .min(1, 'accepted is a list of at least one topic')
      .max(STREAMS_TOPICS_MAX, `accepted are at most ${STREAMS_TOPICS_MAX} topics`),
    poll_interval: pauseDuration.default('5ms'),
    consumer_group: name.optional(),
  }),
);

/** A source's `[[streams]]`. */
export const sourceStreamTable = declareTable(
  z.strictObject({
    ...streamFields,
    topic: name,
    linger_time: duration.optional(),
    auto_create: z.boolean().default(false),
    partitions_count: z.int().min(1).max(PARTITIONS_MAX).default(1),
  }),
);

/** Which connector a file defines, and which version of it. */
export const identityTable = declareTable(
  z.strictObject({
    type: z.enum(['sink', 'source']),
    key: z
      .string()
      .refine(
        (text) => KEY.test(text),
        'accepted are letters, digits, - and _, at most 64, the first a letter or a digit',
      ),
    version: z.int().min(0).default(0),
  }),
);

/** The implementation of a connector that does not say which. */
export const DEFAULT_PLUGIN = 'mongodb';

/** What else stands at the top of a file; the environment may say it too. */
export const connectorTable = declareTable(
  z.strictObject({
    name: z.string().min(1).optional(),
    enabled: z.boolean().default(true),
    plugin: z.string().default(DEFAULT_PLUGIN),
    path: z.string().optional(),
    plugin_config_format: z.string().optional(),
    benchmark: z.boolean().default(false),
    verbose: z.boolean().default(false),
    // Messages are carried as they are.
    transforms: z.never().optional(),
  }),
);
