// What accounts, sessions over HTTP and the store of activity run with.

import type { ApiConfig } from './config-api.ts';
import { isSameServer } from './config-dsn.ts';
import type { ListenerConfig } from './config-listeners.ts';
import type { Settings } from './config-settings.ts';
import type { GivenTexts } from './config-sources.ts';

/** Sessions of browsers over HTTP. */
export interface SessionsConfig {
  /** The first signs, all are accepted; undefined for one that is kept with the accounts. */
  readonly secrets: readonly string[] | undefined;
  readonly idleTimeoutMs: number;
  readonly maxAgeMs: number;
  /** Whether cookies are for TLS only, whatever the connection is. */
  readonly isTlsRequired: boolean;
}

export interface AccountsConfig {
  /** A secret; undefined for the embedded PostgreSQL, where they have a database of their own. */
  readonly databaseUrl: string | undefined;
  /**
   * Whether they are on a server that is queried, where their schema has to be hidden; clients may
   * choose another database of it than the one that is configured.
   */
  readonly isShared: boolean;
  readonly scramIterations: number;
  readonly sessions: SessionsConfig;
}

/** Gatepost's own database of MongoDB. */
export interface StoreConfig {
  /** A secret; undefined for the embedded MongoDB. */
  readonly mongodbUri: string | undefined;
  /** Whether it is on the server that is queried, where it has to be hidden. */
  readonly isShared: boolean;
  /** Whether activity and the log are written to it. */
  readonly isRecording: boolean;
  readonly activityRetentionMs: number;
  readonly logRetentionMs: number;
}

interface Places {
  /** Of the settings; a listener may have another. */
  readonly upstreamDsn: string | undefined;
  readonly listeners: readonly ListenerConfig[];
  readonly api: ApiConfig | undefined;
  readonly given: GivenTexts;
  readonly problems: string[];
}

/** The accounts of these settings; undefined where there are none. */
export function resolveAccounts(settings: Settings, places: Places): AccountsConfig | undefined {
  const { upstreamDsn, listeners, given, problems } = places;
  const isEmbedded =
    upstreamDsn === undefined &&
    listeners.some((one) => one.backend === 'postgres' && one.upstreamDsn === undefined);
  // Somebody's own PostgreSQL gets no schema unasked.
  if ((settings.ACCOUNTS ?? (isEmbedded ? 'on' : 'off')) === 'off') {
    return undefined;
  }
  const databaseUrl = settings.ACCOUNTS_DATABASE_URL ?? upstreamDsn;
  if (databaseUrl === undefined && !isEmbedded && !isGiven('ACCOUNTS_DATABASE_URL', given)) {
    problems.push(
      'ACCOUNTS is on, and no PostgreSQL is there to keep them: set ACCOUNTS_DATABASE_URL',
    );
  }
  const queried = listeners.map((one) =>
    one.backend === 'postgres' ? one.upstreamDsn : undefined,
  );
  return {
    databaseUrl,
    isShared: isAmong(databaseUrl, [upstreamDsn, ...queried]),
    scramIterations: settings.ACCOUNTS_SCRAM_ITERATIONS,
    sessions: {
      secrets: settings.SESSION_SECRET,
      idleTimeoutMs: settings.SESSION_IDLE_TIMEOUT,
      maxAgeMs: settings.SESSION_MAX_AGE,
      isTlsRequired: settings.NODE_ENV === 'production',
    },
  };
}

/** Gatepost's own database of MongoDB; undefined where nothing is to be kept there. */
export function resolveStore(
  settings: Settings,
  places: Places & { readonly accounts: AccountsConfig | undefined },
): StoreConfig | undefined {
  const { accounts, given, problems } = places;
  const isRecording = (settings.ACTIVITY ?? (accounts === undefined ? 'off' : 'on')) === 'on';
  if (!isRecording && accounts === undefined) {
    return undefined;
  }
  const place = placeStore(settings, places);
  if (place === undefined) {
    if (settings.ACTIVITY === 'on' && !isGiven('ACTIVITY_MONGODB_URI', given)) {
      problems.push('ACTIVITY is on, and no MongoDB is there to keep it: set ACTIVITY_MONGODB_URI');
    }
    return undefined;
  }
  return {
    ...place,
    isRecording,
    activityRetentionMs: settings.ACTIVITY_RETENTION,
    logRetentionMs: settings.ACTIVITY_LOG_RETENTION,
  };
}

/** The MongoDB for it; undefined where there is none, or none that it may be put on. */
function placeStore(
  { ACTIVITY_MONGODB_URI: own, MONGODB_URI: queried, ACCOUNTS, ACTIVITY }: Settings,
  { listeners, api }: Places,
): Pick<StoreConfig, 'mongodbUri' | 'isShared'> | undefined {
  const mongodb = listeners.filter((one) => one.backend === 'mongodb');
  // Nor does somebody's own MongoDB get a database: that accounts are on by default asks for none.
  const isAsked = ACCOUNTS === 'on' || ACTIVITY === 'on';
  const mongodbUri = own ?? (isAsked ? queried : undefined);
  if (mongodbUri !== undefined) {
    const uris = [api?.mongodb?.mongodbUri, ...mongodb.map((one) => one.mongodbUri)];
    return { mongodbUri, isShared: isAmong(mongodbUri, uris) };
  }
  const isEmbedded = mongodb.some((one) => one.mongodbUri === undefined);
  return isEmbedded ? { mongodbUri, isShared: true } : undefined;
}

/** Given, even where it cannot be read or is refused, which is told already. */
function isGiven(
  name: 'ACCOUNTS_DATABASE_URL' | 'ACTIVITY_MONGODB_URI',
  { settings }: GivenTexts,
): boolean {
  return settings.has(name) || settings.has(`${name}_FILE`);
}

/** Whether a connection string is for one of the servers that clients query. */
function isAmong(own: string | undefined, queried: readonly (string | undefined)[]): boolean {
  return (
    own !== undefined && queried.some((other) => other !== undefined && isSameServer(own, other))
  );
}
