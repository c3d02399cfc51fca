// Connection strings: taken apart strictly enough that no part of a password can be mistaken for
// something else, because what is not the password is shown by `gatepost check`.

/** The parts of a connection string as they stand in it, still percent-encoded. */
interface ConnectionString {
  readonly scheme: string;
  readonly user: string;
  readonly password: string | undefined;
  /** Host and port; several of them in MongoDB's strings. */
  readonly hosts: string;
  readonly path: string;
  readonly query: string;
}

/**
 * What an upstream is made of where no connection string is given. A host that begins with `/` is
 * the directory of a Unix socket.
 */
export interface UpstreamParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** As libpq means it; undefined for plain text. */
  readonly sslMode?: 'require' | 'verify-full' | undefined;
}

/** No part may hold an unencoded `@`, `/`, `?`, `#` or blank but where it separates. */
const LOGIN = /(?:([^:@/?#\s]*)(?::([^@/?#\s]*))?@)?/;
const PLACE = /([^@/?#\s]*)(\/[^@?#\s]*)?(?:\?([^@#\s]*))?/;
const CONNECTION_STRING = new RegExp(`^([a-z][a-z0-9+]*)://${LOGIN.source}${PLACE.source}$`);

/** Takes a connection string apart; undefined when it is malformed or of another scheme. */
function parseConnectionString(
  text: string,
  schemes: readonly string[],
): ConnectionString | undefined {
  const match = CONNECTION_STRING.exec(text);
  const scheme = match?.[1] ?? '';
  if (match === null || !schemes.includes(scheme)) {
    return undefined;
  }
  return {
    scheme,
    user: match[2] ?? '',
    password: match[3],
    hosts: match[4] ?? '',
    path: match[5] ?? '',
    query: match[6] ?? '',
  };
}

/** Why a connection string is refused, without showing any of it; undefined when it is accepted. */
export function explainConnectionString(
  text: string,
  schemes: readonly string[],
): string | undefined {
  if (!schemes.some((scheme) => text.startsWith(`${scheme}://`))) {
    return `it does not begin with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  }
  if (/\s/.test(text)) {
    return 'a blank in it must be written %20';
  }
  const parts = parseConnectionString(text, schemes);
  if (parts === undefined) {
    return 'an @ / ? or # inside a name or password must be written %40 %2F %3F or %23';
  }
  return explainParts(parts);
}

function explainParts(parts: ConnectionString): string | undefined {
  const { scheme, user, password, hosts, path, query } = parts;
  if (![user, password ?? '', hosts, path, query].every(isPercentEncoded)) {
    return 'a percent sign in it must be written %25';
  }
  const isMongodb = scheme.startsWith('mongodb');
  if (hosts === '' && (isMongodb || !new URLSearchParams(query).has('host'))) {
    return 'it names no host';
  }
  // The parser of URLs knows the ports and how IPv6 addresses are written.
  const isWellFormed = hosts.split(',').every((host) => URL.canParse(`${scheme}://${host}`));
  if (!isWellFormed) {
    return 'its host or port is malformed';
  }
  return isMongodb ? explainMongodbParts(parts) : undefined;
}

/** What MongoDB's driver refuses beside: told here, where no part of it is shown. */
function explainMongodbParts(parts: ConnectionString): string | undefined {
  const { scheme, user, password, hosts } = parts;
  if (user === '' && password !== undefined) {
    return 'it has a password and no user';
  }
  if (/[:[\]]/.test(`${user}${password ?? ''}`)) {
    return 'a : [ or ] inside a name or password must be written %3A %5B or %5D';
  }
  if (hosts.split(',').some((host) => host === '' || /:0*$/.test(host))) {
    return 'one of its hosts or ports is empty or zero';
  }
  const isOneName = !/[,:]/.test(hosts);
  return scheme === 'mongodb' || isOneName
    ? undefined
    : 'mongodb+srv:// takes one host and no port';
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Keys of the query that carry secrets: libpq's `password`, `sslpassword`, MongoDB's tokens. */
const SECRET_KEY = /pass|secret|token|mechanismproperties/i;

/** Each scheme with the port that it means where none is written; SRV records have their own. */
const PORTS = new Map([
  ['postgres', '5432'],
  ['postgresql', '5432'],
  ['mongodb', '27017'],
  ['mongodb+srv', ''],
]);
const SCHEMES = [...PORTS.keys()];

/**
 * Whether two connection strings have a server in common, as far as their texts tell: another name
 * of the same machine is not recognized.
 */
export function isSameServer(one: string, other: string): boolean {
  const places = placesOf(one);
  return placesOf(other).some((place) => places.includes(place));
}

/** `host:port` of each server that a connection string names. */
function placesOf(text: string): string[] {
  const parts = parseConnectionString(text, SCHEMES);
  if (parts === undefined) {
    return [];
  }
  // `pg` takes host and port from the query, too, which is how sockets are usually written.
  const query = new URLSearchParams(parts.scheme.startsWith('mongodb') ? '' : parts.query);
  const usualPort = query.get('port') ?? PORTS.get(parts.scheme) ?? '';
  return (query.get('host') ?? decodeURIComponent(parts.hosts)).split(',').map((place) => {
    const [, host = place, port = usualPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(place) ?? [];
    const name = host.toLowerCase().replace(/^(127\.[\d.]+|\[?::1\]?)$/, 'localhost');
    return `${name}:${port}`;
  });
}

/** A connection string with `***` for every secret in it; all of it when it is malformed. */
export function maskConnectionString(text: string): string {
  const parts = parseConnectionString(text, SCHEMES);
  if (parts === undefined) {
    return '***';
  }
  const { scheme, user, password, hosts, path, query } = parts;
  const secret = password === undefined ? '' : ':***';
  const login = user === '' && secret === '' ? '' : `${user}${secret}@`;
  return `${scheme}://${login}${hosts}${path}${maskQuery(query)}`;
}

function maskQuery(query: string): string {
  if (query === '') {
    return '';
  }
  const masked = new URLSearchParams();
  for (const [key, value] of new URLSearchParams(query)) {
    masked.append(key, SECRET_KEY.test(key) ? '***' : value);
  }
  return `?${masked.toString()}`;
}

/** Joins an upstream's parts to the connection string that `pg` takes apart again unchanged. */
export function composeConnectionString(parts: UpstreamParts): string {
  const { host, port, user, password, database, sslMode } = parts;
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  // `pg` decodes the database with decodeURI, so it has to be encoded by its counterpart.
  const path = database === undefined ? '' : `/${encodeURI(database)}`;
  const login = `${encodeURIComponent(user)}${secret}`;
  const query = sslMode === undefined ? '' : `?${SSL_QUERIES[sslMode]}`;
  return `postgresql://${login}@${encodeHost(host)}:${port}${path}${query}`;
}

/** By itself `pg` takes require for verify-full, and warns that this will change. */
const SSL_QUERIES = {
  require: 'sslmode=require&uselibpqcompat=true',
  'verify-full': 'sslmode=verify-full',
} as const;

function encodeHost(host: string): string {
  const isAddress = host.includes(':') && !host.startsWith('/');
  return isAddress ? `[${host}]` : encodeURIComponent(host);
}
