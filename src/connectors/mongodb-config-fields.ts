// The fields that a MongoDB sink and a MongoDB source share.
import { z } from 'zod';
import { HUMANTIME_ACCEPTED, parseHumantimeMs } from './humantime.ts';

const POOL_SIZE_MAX = 1000;
const RETRIES_MAX = 1000;
const NAME_BYTES_MAX = 255;

/** MongoDB's own rules for names, which would be told only at the first operation. */
export const databaseSchema = z
  .string()
  .regex(/^[^/\\. "$*<>:|?\0]{1,63}$/, 'must be a database name that MongoDB takes');

export const collectionSchema = z
  .string()
  .refine(isCollectionName, 'must be a collection name that MongoDB takes');

export const durationSchema = z
  .string()
  .refine((text) => parseHumantimeMs(text) !== undefined, `must be ${HUMANTIME_ACCEPTED}`);

export const connectionFields = {
  connection_uri: z
    .string()
    .min(1)
    .meta({ secret: 'uri' })
    .describe('Connection string of MongoDB, with the options of its manual'),
  max_pool_size: z
    .int()
    .min(1)
    .max(POOL_SIZE_MAX)
    .optional()
    .describe("Connections at a time; the driver's default unless set"),
};

export const retryFields = {
  max_retries: z
    .int()
    .min(0)
    .max(RETRIES_MAX)
    .default(3)
    .describe('Attempts after the first one when MongoDB fails for a while'),
  retry_delay: durationSchema
    .default('1s')
    .describe('Pause before the first retry; the second waits twice as long, and so on'),
};

function isCollectionName(name: string): boolean {
  return (
    name !== '' &&
    !/[\0$]|^\.|\.$|\.\.|^system\./.test(name) &&
    Buffer.byteLength(name) <= NAME_BYTES_MAX
  );
}
