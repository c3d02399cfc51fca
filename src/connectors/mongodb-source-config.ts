// The fields of a MongoDB source: names and defaults of the specification, section 4.2, and ours.
import { z } from 'zod';
import { findOverlap, findPathProblem } from '../backends/mongodb/crud-paths.ts';
import type { PayloadSchema } from './connector.ts';
import { parseHumantimeMs } from './humantime.ts';
import {
  collectionSchema,
  connectionFields,
  databaseSchema,
  durationSchema,
  retryFields,
} from './mongodb-config-fields.ts';
import { isExtendedJson } from './source-offset.ts';
import { parseExtendedJson, parseExtendedJsonDocument } from './source-values.ts';

/** What is pending for a batch is in the state, which is written with each one. */
const BATCH_SIZE_MAX = 100_000;

const pathSchema = z.string().superRefine((path, context) => {
  const problem = findPathProblem(path);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', message: `must be a field or a dotted path: ${problem}` });
  }
});

const documentSchema = z.string().superRefine((text, context) => {
  const parsed = parseExtendedJsonDocument(text);
  if ('problem' in parsed) {
    context.addIssue({
      code: 'custom',
      message: `must be a document in Extended JSON: ${parsed.problem}`,
    });
  }
});

/** What a plain text means is known when there are documents. */
const offsetSchema = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const parsed = isExtendedJson(text) ? parseExtendedJson(text) : undefined;
    if (parsed !== undefined && 'problem' in parsed) {
      context.addIssue({
        code: 'custom',
        message: `must be a value, or one in Extended JSON: ${parsed.problem}`,
      });
    }
  });

export const mongodbSourceConfigSchema = z
  .strictObject({
    ...connectionFields,
    database: databaseSchema.describe('Database that documents are read from'),
    collection: collectionSchema.describe('Collection that documents are read from'),
    poll_interval: durationSchema
      .refine((text) => parseHumantimeMs(text) !== 0, 'must be longer than 0')
      .default('10s')
      .describe('Pause between polls; after a full batch there is none'),
    batch_size: z
      .int()
      .min(1)
      .max(BATCH_SIZE_MAX)
      .default(1000)
      .describe('Documents of one poll, of 16 MiB together at most'),
    tracking_field: pathSchema
      .default('_id')
      .describe('Field or dotted path whose order documents are read in'),
    initial_offset: offsetSchema
      .optional()
      .describe('Value of the tracking field behind which the first run begins'),
    query_filter: documentSchema
      .optional()
      .describe('Filter in Extended JSON that documents must meet as well'),
    projection: documentSchema
      .optional()
      .describe('Projection in Extended JSON: fields that a message holds'),
    snake_case_fields: z
      .boolean()
      .default(false)
      .describe('Write field names in messages as snake_case'),
    include_metadata: z
      .boolean()
      .default(false)
      .describe('Add collection, poll time and document offset to messages'),
    payload_field: pathSchema
      .optional()
      .describe('Field or dotted path whose value is the payload; the whole document unless set'),
    payload_format: z
      .enum(['json', 'bson', 'binary', 'string', 'text'])
      .default('json')
      .describe('What a payload is: JSON, BSON, or text'),
    delete_after_read: z
      .boolean()
      .default(false)
      .describe('Delete documents when Iggy has stored their messages'),
    processed_field: pathSchema
      .optional()
      .describe('Field that is set to true when Iggy has stored the message, and read no more'),
    ...retryFields,
    on_failure: z
      .enum(['halt', 'skip'])
      .default('halt')
      .describe('What happens with a document that cannot be carried'),
    verbose_logging: z.boolean().default(false).describe('Log every batch that is read'),
  })
  .superRefine((config, context) => {
    for (const [field, message] of findConflicts(config)) {
      context.addIssue({ code: 'custom', path: [field], message });
    }
  });

export type MongodbSourceConfig = z.infer<typeof mongodbSourceConfigSchema>;

export type PayloadFormat = 'json' | 'bson' | 'string';

/** The format by its first name. */
export function payloadFormatOf(config: MongodbSourceConfig): PayloadFormat {
  switch (config.payload_format) {
    case 'json':
      return 'json';
    case 'bson':
    case 'binary':
      return 'bson';
    case 'string':
    case 'text':
      return 'string';
  }
}

/** What Iggy's consumers are told that payloads are. */
export function payloadSchemaOf(config: MongodbSourceConfig): PayloadSchema {
  return ({ json: 'json', bson: 'raw', string: 'text' } as const)[payloadFormatOf(config)];
}

interface Marking {
  readonly tracking_field: string;
  readonly delete_after_read: boolean;
  readonly processed_field?: string | undefined;
}

function findConflicts(config: Marking): readonly (readonly [field: string, message: string])[] {
  const { tracking_field, delete_after_read, processed_field } = config;
  if (processed_field === undefined) {
    return [];
  }
  const conflicts: (readonly [string, string])[] = [];
  if (delete_after_read) {
    conflicts.push([
      'processed_field',
      'cannot be set together with delete_after_read: a deleted document is not marked',
    ]);
  }
  const hasOverlap = (path: string): boolean =>
    path === processed_field || findOverlap([path, processed_field]) !== undefined;
  if (hasOverlap(tracking_field) || hasOverlap('_id')) {
    conflicts.push([
      'processed_field',
      'must be another field than _id and tracking_field: marking would change the order',
    ]);
  }
  return conflicts;
}
