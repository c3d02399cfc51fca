// How places are written: ports, hosts, names of databases, connection strings.

import { isIPv6 } from 'node:net';
import { explainConnectionString } from './config-dsn.ts';
import { isPlainText, parseWhole, textType } from './config-values.ts';
import type { TextType } from './config-values.ts';

const PORT_MAX = 65_535;

/** A port to listen on. */
export const listenPort: TextType<number> = textType({
  argument: 'port',
  accepted: `a port from 0 to ${PORT_MAX} (0 takes any free one)`,
  parse: (text) => parseWhole(text, 0, PORT_MAX),
});

/** A port to listen on, or `off`. */
export const optionalListenPort: TextType<number | 'off'> = textType<number | 'off'>({
  argument: 'port',
  accepted: `${listenPort.accepted}, or off`,
  parse: (text) => (text.trim().toLowerCase() === 'off' ? 'off' : parseWhole(text, 0, PORT_MAX)),
});

/** A port of somebody else's. */
export const remotePort: TextType<number> = textType({
  argument: 'port',
  accepted: `a port from 1 to ${PORT_MAX}`,
  parse: (text) => parseWhole(text, 1, PORT_MAX),
});

/** What a URL normalizes away. */
const RELATIVE_PATH = /(^|\/)\.{1,2}(\/|$)/;

/** A name that `pg` finds again in a connection string: no `?`, no `#`, no `..` as in a path. */
export const databaseName: TextType<string> = textType({
  argument: 'name',
  accepted: 'a name without ? and #, which no connection string can carry',
  parse: (text) => {
    const isCarried = isPlainText(text) && !/[?#]/.test(text) && !RELATIVE_PATH.test(text);
    return isCarried ? text : undefined;
  },
  explain: (text) => (RELATIVE_PATH.test(text) ? 'it reads as a relative path' : undefined),
});

const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i;

function isHost(text: string): boolean {
  // A zone (fe80::1%eth0) is left out: a connection string has no place for it.
  return HOST_NAME.test(text) || (isIPv6(text) && !text.includes('%'));
}

/** A host to listen on. */
export const listenHost: TextType<string> = textType({
  argument: 'host',
  accepted: 'an address or host name, such as 127.0.0.1 or 0.0.0.0',
  parse: (text) => (isHost(text.trim()) ? text.trim() : undefined),
});

/** A host to dial, or the directory of a Unix socket. */
export const remoteHost: TextType<string> = textType({
  argument: 'host',
  accepted: 'a host name, an address, or the directory of a Unix socket (begins with /)',
  parse: (text) => {
    const host = text.trim();
    const isDirectory = host.startsWith('/') && isPlainText(host);
    return isDirectory || isHost(host) ? host : undefined;
  },
});

function connectionString(argument: string, schemes: readonly string[]): TextType<string> {
  const explain = (text: string): string | undefined => explainConnectionString(text, schemes);
  return textType({
    argument,
    accepted: `${schemes.at(-1)}://user:password@host:port/database, percent-encoded`,
    parse: (text) => (explain(text) === undefined ? text : undefined),
    explain,
  });
}

/** A connection string of PostgreSQL. */
export const postgresDsn: TextType<string> = connectionString('dsn', ['postgres', 'postgresql']);

/** A connection string of MongoDB. */
export const mongodbUri: TextType<string> = connectionString('uri', ['mongodb+srv', 'mongodb']);
