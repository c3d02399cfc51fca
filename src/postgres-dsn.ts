// A connection string of PostgreSQL, read as `pg` reads it.
import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { ServiceError, SQLSTATE } from './errors.ts';

const DSN_HINT =
  'Its form is postgresql://user:password@host:port/database?sslmode=verify-full, with special ' +
  'characters percent-encoded, and the files it names must be readable';

/**
 * Parses a DSN as `pg` does, TLS modes and their files included. Where it says nothing of TLS or
 * the database, plain text and the user's name are meant: `pg` would ask PGSSLMODE and PGDATABASE,
 * which no configuration check shows.
 *
 * @throws ServiceError 08001 without the DSN's text, which holds a password
 */
export function parseDsn(dsn: string): ClientConfig {
  try {
    const config = parseIntoClientConfig(dsn);
    const database = config.database ?? config.user;
    return { ...config, ssl: config.ssl ?? false, ...(database === undefined ? {} : { database }) };
  } catch (cause) {
    throw new ServiceError(
      SQLSTATE.connectionNotEstablished,
      'The connection string of a PostgreSQL cannot be read',
      { hint: DSN_HINT, cause },
    );
  }
}
