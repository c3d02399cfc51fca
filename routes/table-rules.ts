// Which tables and collections the REST API shows, and which of them it changes.
import type { TableRules } from '../src/config-api.ts';
import type { HiddenNames } from '../src/own-names.ts';

/** What may be done with a table or collection; what is hidden is answered as if it were not. */
export type Visibility = 'hidden' | 'read-only' | 'read-write';

/** What the routes below /api ask before they show or change anything. */
export interface TableVisibility {
  /** @param container its schema, or its database */
  visibility(backend: 'postgres' | 'mongodb', container: string, name: string): Visibility;
}

/** The rules as one question. To deny wins over to allow; what is the system's is never shown. */
export function createTableRules(
  { allow, deny, readOnly }: TableRules,
  hidden: Partial<HiddenNames> = {},
): TableVisibility {
  const isAllowed = matchAny(allow);
  const isDenied = matchAny(deny);
  const isReadOnly = matchAny(readOnly);
  return {
    visibility: (backend, container, name) => {
      const path = `${backend}/${container}.${name}`;
      // `a.*` means what is in `a`: a schema that is called `a.b` is another one.
      const isOdd = container.includes('.');
      const isShown = allow.length === 0 || (!isOdd && isAllowed(path));
      const isOwn = isOfGatepost(backend, container, hidden);
      if (!isShown || isOwn || isDenied(path) || isOfSystem(backend, container, name)) {
        return 'hidden';
      }
      return isReadOnly(path) ? 'read-only' : 'read-write';
    },
  };
}

const MONGODB_SYSTEM = new Set(['admin', 'local', 'config']);

/** PostgreSQL keeps every schema that begins with `pg_` for itself, temporary ones included. */
function isOfSystem(backend: 'postgres' | 'mongodb', container: string, name: string): boolean {
  return backend === 'postgres'
    ? container.startsWith('pg_') || container === 'information_schema'
    : // MongoDB tells two databases apart by more than their capitals.
      MONGODB_SYSTEM.has(container.toLowerCase()) || name.startsWith('system.');
}

/** MongoDB has no two databases whose names differ by capitals only. */
function isOfGatepost(
  backend: 'postgres' | 'mongodb',
  container: string,
  { postgresSchema, mongodbDatabase }: Partial<HiddenNames>,
): boolean {
  return backend === 'postgres'
    ? container === postgresSchema
    : container.toLowerCase() === mongodbDatabase;
}

function matchAny(patterns: readonly string[]): (text: string) => boolean {
  // Encoded is what would be a star, or end the pattern.
  const split = patterns.map((pattern) => pattern.split('*').map(decodeURIComponent));
  return (text) => split.some((parts) => isMatch(parts, text));
}

/**
 * Whether the text is these parts with anything between them. Each inner part is looked for where
 * it comes first, so that no name takes longer than its length: a regular expression would try
 * every other place too.
 */
function isMatch(parts: readonly string[], text: string): boolean {
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) {
    return text === first;
  }
  if (!text.startsWith(first)) {
    return false;
  }
  let end = first.length;
  for (const part of others) {
    const start = text.indexOf(part, end);
    if (start === -1) {
      return false;
    }
    end = start + part.length;
  }
  return text.length >= end + last.length && text.endsWith(last);
}
