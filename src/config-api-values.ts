// How the settings of the REST API are written.
import { isIP } from 'node:net';
import { isTokenName, TOKEN_NAME_FORM, TOKEN_SCOPES } from './api-tokens.ts';
import type { ApiTokenConfig } from './api-tokens.ts';
import { parseWhole, textType } from './config-values.ts';
import type { TextType } from './config-values.ts';

function splitEntries(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '');
}

/** Entries as `gatepost token` prints them; nothing of a refused one is shown. */
export const apiTokens: TextType<readonly ApiTokenConfig[]> = textType({
  argument: 'list',
  accepted:
    'name:scope:sha256 entries separated by commas, blanks or lines, such as gatepost token ' +
    'prints; scope is read, write or admin',
  parse: (text) => {
    const tokens = parseTokens(text);
    const isAccepted = explainTokens(tokens) === undefined;
    return isAccepted ? tokens.filter((token) => typeof token !== 'string') : undefined;
  },
  explain: (text) => explainTokens(parseTokens(text)),
});

/** In a file `#` begins a comment, which ends with its line. */
function parseTokens(text: string): (ApiTokenConfig | string)[] {
  return splitEntries(text.replaceAll(/#.*$/gm, '')).map(parseToken);
}

/** The token of an entry, or what is wrong with it: where it is misplaced, a part may be secret. */
function parseToken(entry: string): ApiTokenConfig | string {
  const [name = '', scope, sha256, ...rest] = entry.split(':');
  if (sha256 === undefined || rest.length > 0) {
    return 'is not name:scope:sha256';
  }
  const knownScope = TOKEN_SCOPES.find((known) => known === scope);
  if (!isTokenName(name)) {
    return `has a name that is not ${TOKEN_NAME_FORM}`;
  }
  if (knownScope === undefined) {
    return `has a scope that is not ${TOKEN_SCOPES.join(', ')}`;
  }
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    return 'has a hash that is not 64 hexadecimal digits: it takes the SHA-256, not the token';
  }
  return { name, scope: knownScope, sha256: sha256.toLowerCase() };
}

function explainTokens(tokens: readonly (ApiTokenConfig | string)[]): string | undefined {
  if (tokens.length === 0) {
    return 'it has no entry';
  }
  const seen = new Map<string, number>();
  for (const [index, token] of tokens.entries()) {
    if (typeof token === 'string') {
      return `entry ${index + 1} ${token}`;
    }
    // The names mean the same to whoever reads an audit line, whatever their capitals.
    for (const [what, key] of [
      ['name', token.name.toLowerCase()],
      ['hash', token.sha256],
    ] as const) {
      const other = seen.get(`${what}:${key}`);
      if (other !== undefined) {
        return `entries ${other} and ${index + 1} have the same ${what}`;
      }
      seen.set(`${what}:${key}`, index + 1);
    }
  }
  return undefined;
}

/** More hops than any request makes; a port or a year is not meant. */
const PROXIES_MAX = 10;

/** Names for subnets that Express knows. */
const SUBNET_NAMES = ['loopback', 'linklocal', 'uniquelocal'];

/** Whose X-Forwarded-For is believed: so many proxies in front, or those at these addresses. */
export const trustedProxies: TextType<number | readonly string[]> = textType<
  number | readonly string[]
>({
  argument: 'proxies',
  accepted:
    `the number of proxies in front, 0 to ${PROXIES_MAX}, or their addresses and subnets ` +
    'separated by commas, such as 10.0.0.0/8, ::1, loopback',
  parse: (text) => {
    const number = parseWhole(text, 0, PROXIES_MAX);
    const places = splitEntries(text);
    return number ?? (places.length > 0 && places.every(isSubnet) ? places : undefined);
  },
});

function isSubnet(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  const bitsMax = family === 4 ? 32 : 128;
  // A prefix of 0 would believe everybody.
  const isPrefix = prefix === undefined || parseWhole(prefix, 1, bitsMax) !== undefined;
  return SUBNET_NAMES.includes(text) || (family !== 0 && isPrefix && rest.length === 0);
}

/** Origins as browsers send them, each once. */
export const originList: TextType<readonly string[]> = textType({
  argument: 'list',
  accepted: 'origins separated by commas, such as https://app.example.com, http://localhost:5173',
  parse: (text) => {
    const origins = splitEntries(text).map(parseOrigin);
    const known = origins.filter((origin) => origin !== undefined);
    return known.length > 0 && known.length === origins.length ? [...new Set(known)] : undefined;
  },
  explain: (text) => {
    const index = splitEntries(text).findIndex((entry) => parseOrigin(entry) === undefined);
    return index === -1
      ? 'it has no entry'
      : `entry ${index + 1} is not a scheme, a host and a port only`;
  },
});

function parseOrigin(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@*\\]+$/i.test(text) || !URL.canParse(text)) {
    return undefined;
  }
  return new URL(text).origin;
}

// `postgres/public.orders`, `mongodb/shop.*`: after the slash a dot between names, or a star.
const TABLE_PATTERN = /^(postgres|mongodb|\*)\/(?=.*[.*])(?!\.[^.*]*$|[^.*]+\.$).+$/;

/** Patterns of tables and collections, each once. */
export const tablePatterns: TextType<readonly string[]> = textType({
  argument: 'list',
  accepted:
    'patterns separated by commas or blanks, such as postgres/public.orders, postgres/audit.*, ' +
    'mongodb/shop.*, where * is any run of characters; in names a blank is written as %20, a ' +
    'comma as %2C, a star as %2A, a percent sign as %25',
  parse: (text) => {
    const patterns = splitEntries(text);
    return explainPatterns(patterns) === undefined ? [...new Set(patterns)] : undefined;
  },
  explain: (text) => explainPatterns(splitEntries(text)),
});

/** A pattern that can match nothing is refused: whoever wrote it believes in it. */
function explainPatterns(patterns: readonly string[]): string | undefined {
  if (patterns.length === 0) {
    return 'it has no entry';
  }
  for (const [index, pattern] of patterns.entries()) {
    if (!TABLE_PATTERN.test(pattern)) {
      return `entry ${index + 1} is not postgres/schema.table or mongodb/database.collection`;
    }
    if (!isEncoded(pattern)) {
      return `entry ${index + 1} has a percent sign that encodes no character; itself it is %25`;
    }
  }
  return undefined;
}

function isEncoded(pattern: string): boolean {
  try {
    decodeURIComponent(pattern);
    return true;
  } catch {
    return false;
  }
}
