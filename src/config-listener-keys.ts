// The keys of a `[[listeners]]` table: the schema of what the file may say about one listener.

import * as z from 'zod';
import * as places from './config-place-values.ts';
import { settingsSchema } from './config-settings.ts';
import * as values from './config-values.ts';

/** The database behind a listener that does not say which. */
export const DEFAULT_BACKEND = 'postgres';

const { shape } = settingsSchema;
const path = values.path('file').schema;

/** What is left out comes from the setting of the same meaning. */
const sharedKeys = {
  name: values.listenerName.schema,
  port: places.listenPort.schema,
  host: shape.HOST.unwrap().optional(),
  readiness: shape.POSTGRES_READINESS.unwrap().optional(),
  tls_cert: path.optional(),
  tls_key: path.optional(),
  auth: shape.WIRE_AUTH.unwrap().optional(),
  max_connections: shape.WIRE_MAX_CONNECTIONS.unwrap().optional(),
  query_timeout: shape.WIRE_QUERY_TIMEOUT.unwrap().optional(),
  max_rows: shape.WIRE_MAX_ROWS.unwrap().optional(),
  max_bytes: shape.WIRE_MAX_BYTES.unwrap().optional(),
  on_limit: shape.WIRE_ON_LIMIT.unwrap().optional(),
  idle_timeout: shape.WIRE_IDLE_TIMEOUT.unwrap().optional(),
  access: shape.WIRE_ACCESS.unwrap().optional(),
};

const postgresListener = z.strictObject({
  ...sharedKeys,
  backend: z.literal('postgres'),
  upstream_dsn: shape.WIRE_UPSTREAM_DSN,
  upstream_dsn_file: path.optional(),
  allow: shape.WIRE_ALLOW,
  deny: shape.WIRE_DENY,
});

const mongodbListener = z.strictObject({
  ...sharedKeys,
  backend: z.literal('mongodb'),
  mongodb_uri: shape.MONGODB_URI,
  mongodb_uri_file: path.optional(),
  allow: shape.WIRE_MONGODB_ALLOW,
  deny: shape.WIRE_MONGODB_DENY,
  javascript: shape.WIRE_MONGODB_JAVASCRIPT.unwrap().optional(),
});

type BackendName = 'postgres' | 'mongodb';

const KEYS: Readonly<Record<BackendName, readonly string[]>> = {
  postgres: postgresListener.keyof().options,
  mongodb: mongodbListener.keyof().options,
};

/** A listener of the file, from text; its backend has to be there. */
export const listenerSchema: z.ZodDiscriminatedUnion<
  [typeof postgresListener, typeof mongodbListener],
  'backend'
> = z.discriminatedUnion('backend', [postgresListener, mongodbListener], {
  error: `accepted is ${Object.keys(KEYS).join(' or ')}`,
});

export type FileListener = z.output<typeof listenerSchema>;

/** Every key of a listener in the file, whatever its backend. */
export const LISTENER_KEYS: readonly string[] = [...new Set([...KEYS.postgres, ...KEYS.mongodb])];

/** The secrets of a listener, each with the key that names a file of it instead. */
export const LISTENER_SECRETS = [
  ['upstream_dsn', 'upstream_dsn_file'],
  ['mongodb_uri', 'mongodb_uri_file'],
] as const;

/** The one backend that has a key which the given one lacks; undefined when there is none. */
export function otherBackendOf(key: string, backend: unknown): BackendName | undefined {
  switch (backend) {
    case 'postgres':
      return KEYS.postgres.includes(key) ? undefined : 'mongodb';
    case 'mongodb':
      return KEYS.mongodb.includes(key) ? undefined : 'postgres';
    default:
      // The backend itself is refused: nothing can be said about its keys.
      return undefined;
  }
}
