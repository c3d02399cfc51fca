// What runs where no database is configured, and how its address is found.
import type { Config, ListenerConfig } from '../config.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Component } from '../lifecycle.ts';
import type { Observer } from '../observation.ts';
import { createEmbeddedMongodb } from './mongodb.ts';
import { createEmbeddedPostgres } from './postgres.ts';

export interface EmbeddedDatabases {
  /** In the order of their start. */
  readonly components: readonly Component[];
  /**
   * The connection string that is given, or else the embedded PostgreSQL's; secrets, both.
   *
   * @throws ServiceError FATAL 08006 while that is not there
   */
  postgresDsn(given: string | undefined): string;
  /** The same for MongoDB. */
  mongodbUri(given: string | undefined): string;
}

/** The embedded databases that the listeners need. */
export function createEmbeddedDatabases(
  { listeners, dataDirectory: directory, mongodBinary: binary }: Config,
  observer: Observer,
): EmbeddedDatabases {
  const isNeeded = (backend: ListenerConfig['backend']): boolean =>
    listeners.some(
      (listener) => listener.backend === backend && upstreamOf(listener) === undefined,
    );
  const postgres = isNeeded('postgres')
    ? createEmbeddedPostgres({ directory, observer })
    : undefined;
  const mongodb = isNeeded('mongodb')
    ? createEmbeddedMongodb({ directory, observer, binary })
    : undefined;
  return {
    // MongoDB's start does not wait for its server, which may have to be fetched.
    components: [mongodb, postgres].filter((component) => component !== undefined),
    postgresDsn: (given) => given ?? ask('PostgreSQL', () => postgres?.dsn()),
    mongodbUri: (given) => given ?? ask('MongoDB', () => mongodb?.uri()),
  };
}

/** The connection string of a listener that has one. */
function upstreamOf(listener: ListenerConfig): string | undefined {
  return listener.backend === 'postgres' ? listener.upstreamDsn : listener.mongodbUri;
}

function ask(name: string, find: () => string | undefined): string {
  try {
    return find() ?? '';
  } catch (error) {
    throw new ServiceError(SQLSTATE.connectionFailure, `The embedded ${name} is not running`, {
      severity: 'FATAL',
      hint: error instanceof Error ? error.message : 'The log says why',
      cause: error,
    });
  }
}
