// What may be shown of connection strings and of foreign texts: logs, statuses and errors are read
// by people who must not learn a password from them.

const MASK = '***';

/** How much of what follows the scheme is shown, so that two servers can be told apart. */
const SHOWN_CHARACTERS = 3;

/** `mongodb://app:secret@host/db` as `mongodb://app***`; nothing past a user name's end is shown. */
export function redactUri(uri: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(uri) ?? [];
  // A short user name would let the first letters of its password through.
  const [shown = ''] = /^[^:@/?#\s]*/.exec(rest) ?? [];
  return `${scheme}${shown.slice(0, SHOWN_CHARACTERS)}${MASK}`;
}

/**
 * A text that somebody else wrote, without these secrets in any spelling that we send, without
 * credentials in URIs and without bearer tokens.
 */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const spellings = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    // A secret that contains another one goes first: the rest of it would stay.
    .toSorted((one, other) => other.length - one.length);
  return spellings
    .reduce((cleaned, spelling) => cleaned.replaceAll(spelling, MASK), text)
    .replaceAll(/(:\/\/)[^/\s@]+@/g, `$1${MASK}@`)
    .replaceAll(/\b(bearer )\S+/gi, `$1${MASK}`);
}
