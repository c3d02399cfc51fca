import path from 'node:path';
import { describeListener } from './config-file.ts';
import type { FileListener } from './config-listener-keys.ts';
import type { Settings } from './config-settings.ts';
import { HTTP_DOOR } from './observation.ts';

/** What is done at a row or byte limit: stop with ERROR 54000, or deliver up to it and go on. */
export type OnLimit = 'error' | 'truncate';

/** The bounds of one Query message. */
export interface Limits {
  readonly rowsMax: number;
  /** Exact DataRow frame bytes, headers included. */
  readonly bytesMax: number;
  readonly queryTimeoutMs: number;
  readonly onLimit: OnLimit;
}

/** Certificate chain and private key, in PEM; absolute paths. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Which statement kinds, or MongoDB commands, may run; empty lists restrict nothing. */
export interface PolicyConfig {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly access: 'read-write' | 'read-only';
}

export interface MongodbPolicyConfig extends PolicyConfig {
  /** Whether statements may make the server run JavaScript. */
  readonly isJavaScriptAllowed: boolean;
}

/** What every listener has, whatever is behind it. */
interface SharedConfig {
  /** Label of logs and metrics. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Whether `/readyz` needs what is behind this listener to answer. */
  readonly isRequired: boolean;
  readonly tls: TlsFiles | undefined;
  /** Whether clients log in with an account; `none` asks them for nothing. */
  readonly auth: 'none' | 'accounts';
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
  readonly limits: Limits;
}

/** A port for psql to PostgreSQL. */
export interface PostgresListenerConfig extends SharedConfig {
  readonly backend: 'postgres';
  /** Connection string of the upstream; undefined for the embedded PostgreSQL. A secret. */
  readonly upstreamDsn: string | undefined;
  readonly policy: PolicyConfig;
}

/** A port for psql to MongoDB. */
export interface MongodbListenerConfig extends SharedConfig {
  readonly backend: 'mongodb';
  /** Connection string; undefined for the embedded MongoDB. A secret. */
  readonly mongodbUri: string | undefined;
  readonly policy: MongodbPolicyConfig;
}

/** One port for psql and what is behind it, everything resolved. */
export type ListenerConfig = PostgresListenerConfig | MongodbListenerConfig;

export interface ListenerContext {
  readonly settings: Settings;
  /** The upstream of a PostgreSQL listener that names none of its own. */
  readonly upstreamDsn: string | undefined;
  readonly workingDirectory: string;
  readonly problems: string[];
}

/** A listener with the settings in place of what it leaves out. */
export function resolveListener(
  listener: FileListener,
  index: number,
  context: ListenerContext,
): ListenerConfig {
  const shared = resolveShared(listener, index, context);
  return listener.backend === 'postgres'
    ? { ...shared, ...resolvePostgres(listener, context) }
    : { ...shared, ...resolveMongodb(listener, context) };
}

function resolveShared(
  listener: FileListener,
  index: number,
  context: ListenerContext,
): Omit<SharedConfig, 'isRequired'> {
  const { settings } = context;
  return {
    name: listener.name,
    host: listener.host ?? settings.HOST,
    port: listener.port,
    tls: resolveTls(listener, describeListener(listener.name, index), context),
    auth: listener.auth ?? settings.WIRE_AUTH,
    connectionsMax: listener.max_connections ?? settings.WIRE_MAX_CONNECTIONS,
    idleTimeoutMs: listener.idle_timeout ?? settings.WIRE_IDLE_TIMEOUT,
    limits: resolveLimits(listener, settings),
  };
}

type PostgresFileListener = Extract<FileListener, { backend: 'postgres' }>;
type MongodbFileListener = Extract<FileListener, { backend: 'mongodb' }>;

/** What is a backend's own, and whether it has to answer, of which each has its own idea. */
type Own<T extends ListenerConfig> = Omit<T, Exclude<keyof SharedConfig, 'isRequired'>>;

function resolvePostgres(
  listener: PostgresFileListener,
  { settings, upstreamDsn }: ListenerContext,
): Own<PostgresListenerConfig> {
  return {
    backend: 'postgres',
    upstreamDsn: listener.upstream_dsn ?? upstreamDsn,
    isRequired: (listener.readiness ?? settings.POSTGRES_READINESS) === 'required',
    policy: resolvePostgresPolicy(listener, settings),
  };
}

function resolveMongodb(
  listener: MongodbFileListener,
  { settings }: ListenerContext,
): Own<MongodbListenerConfig> {
  const mongodbUri = listener.mongodb_uri ?? settings.MONGODB_URI;
  return {
    backend: 'mongodb',
    mongodbUri,
    isRequired: isMongodbRequired(mongodbUri, listener.readiness ?? settings.MONGODB_READINESS),
    policy: resolveMongodbPolicy(listener, settings),
  };
}

type OwnPolicy<T extends FileListener> = Partial<Pick<T, 'allow' | 'deny' | 'access'>>;

/** The policy of a door to PostgreSQL that may have one of its own in part. */
export function resolvePostgresPolicy(
  door: OwnPolicy<PostgresFileListener>,
  settings: Settings,
): PolicyConfig {
  return {
    allow: door.allow ?? settings.WIRE_ALLOW ?? [],
    deny: door.deny ?? settings.WIRE_DENY ?? [],
    access: door.access ?? settings.WIRE_ACCESS,
  };
}

/** Unless said: the embedded one may still be fetched while PostgreSQL has been served for long. */
export function isMongodbRequired(
  mongodbUri: string | undefined,
  readiness: 'required' | 'optional' | undefined,
): boolean {
  return (readiness ?? (mongodbUri === undefined ? 'optional' : 'required')) === 'required';
}

/** The same for MongoDB. */
export function resolveMongodbPolicy(
  door: OwnPolicy<MongodbFileListener> & Partial<Pick<MongodbFileListener, 'javascript'>>,
  settings: Settings,
): MongodbPolicyConfig {
  return {
    allow: door.allow ?? settings.WIRE_MONGODB_ALLOW ?? [],
    deny: door.deny ?? settings.WIRE_MONGODB_DENY ?? [],
    access: door.access ?? settings.WIRE_ACCESS,
    isJavaScriptAllowed: door.javascript ?? settings.WIRE_MONGODB_JAVASCRIPT,
  };
}

type OwnLimits = Partial<
  Pick<FileListener, 'max_rows' | 'max_bytes' | 'query_timeout' | 'on_limit'>
>;

/** The limits of a door that may have some of its own. */
export function resolveLimits(door: OwnLimits, settings: Settings): Limits {
  return {
    rowsMax: door.max_rows ?? settings.WIRE_MAX_ROWS,
    bytesMax: door.max_bytes ?? settings.WIRE_MAX_BYTES,
    queryTimeoutMs: door.query_timeout ?? settings.WIRE_QUERY_TIMEOUT,
    onLimit: door.on_limit ?? settings.WIRE_ON_LIMIT,
  };
}

/** A listener's own pair of files, else that of the settings, unless TLS is switched off. */
function resolveTls(
  listener: FileListener,
  label: string,
  { settings, workingDirectory, problems }: ListenerContext,
): TlsFiles | undefined {
  const own = ownTls(listener, label, problems);
  if (settings.WIRE_ENABLE_TLS === false) {
    if (own !== undefined) {
      problems.push(`${label}: tls_cert and tls_key contradict WIRE_ENABLE_TLS, which is false`);
    }
    return undefined;
  }
  const { cert, key } = own ?? { cert: settings.WIRE_TLS_CERT, key: settings.WIRE_TLS_KEY };
  if (cert !== undefined && key !== undefined) {
    return {
      certFile: path.resolve(workingDirectory, cert),
      keyFile: path.resolve(workingDirectory, key),
    };
  }
  if (settings.WIRE_ENABLE_TLS === true) {
    problems.push(`${label}: WIRE_ENABLE_TLS needs WIRE_TLS_CERT and WIRE_TLS_KEY`);
  }
  return undefined;
}

function ownTls(
  { tls_cert: cert, tls_key: key }: FileListener,
  label: string,
  problems: string[],
): { cert: string; key: string } | undefined {
  if (cert !== undefined && key !== undefined) {
    return { cert, key };
  }
  if (cert !== undefined || key !== undefined) {
    problems.push(`${label}: tls_cert and tls_key belong together: give both or none`);
  }
  return undefined;
}

/** Refuses two listeners of one name, and two doors (HTTP included) on one port. */
export function refuseClashes(
  listeners: readonly Pick<ListenerConfig, 'name' | 'port'>[],
  httpPort: number | undefined,
  problems: string[],
): void {
  const names = new Set<string>([HTTP_DOOR]);
  const doors = new Map<number, string>();
  if (httpPort !== undefined) {
    doors.set(httpPort, 'HTTP (PORT)');
  }
  for (const { name, port } of listeners) {
    if (names.has(name)) {
      const owner = name === HTTP_DOOR ? 'what comes over HTTP' : 'another listener';
      problems.push(`listener "${name}": the name is taken by ${owner}`);
    }
    const other = doors.get(port);
    // Zero is any free port, so it never clashes.
    if (port !== 0 && other !== undefined) {
      problems.push(`listener "${name}": port ${port} is taken by ${other}`);
    }
    names.add(name);
    doors.set(port, `listener "${name}"`);
  }
}

/** Hosts that only this machine reaches. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
