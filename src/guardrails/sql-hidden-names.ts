// How a text may spell the schema that statements must not name.
import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Severity } from '../errors.ts';

/** Settings through which names without a schema come to mean that one. */
export const PATH_SETTINGS: ReadonlySet<string> = new Set([
  'search_path',
  'role',
  'session_authorization',
]);

// A text can hide the schema's letters in escapes only, which U&'' and E'' strings have, and in a
// string that goes on in the next line. Without its name, it can read all schemas or set the path.
const ALWAYS_READ = new RegExp(
  [
    /(?<![\w$])u&['"]|'[ \t\f\v]*(?:--|[\n\r]\s*(?:'|--))|set_config|\$user/,
    // What is refused in sql-hidden-reach.ts; pg_stat_activity and its like hold no values.
    /_to_xml|pg_stat(?!_|io_)|pg_toast|raw_page|_page_|leafpage|wal_block|owned/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);
const ESCAPING_STRING = /(?<![\w$])e'/i;

/**
 * Whether a text might name the schema, or reach it unnamed; most do not, and need not be parsed.
 *
 * @param text in any encoding that has ASCII in it
 */
export function mayName(
  text: Uint8Array,
  schema: string,
  { standardConformingStrings }: { readonly standardConformingStrings: boolean },
): boolean {
  const ascii = Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1');
  const name = Buffer.from(schema, 'utf8').toString('latin1');
  return (
    new RegExp(escape(name), 'i').test(ascii) ||
    ALWAYS_READ.test(ascii) ||
    (ascii.includes('\\') && (!standardConformingStrings || ESCAPING_STRING.test(ascii)))
  );
}

/** Whether a text has the name as a word, whatever its capitals. */
export function mentionsName(text: string, schema: string): boolean {
  return new RegExp(String.raw`(?<![\w$])${escape(schema)}(?![\w$])`, 'i').test(text);
}

/** Whether a value of such a setting has the schema in it, or `"$user"`, which may stand for it. */
export function isPathTo(value: string, schema: string): boolean {
  return mentionsName(value, schema) || /\$user/i.test(value);
}

/** Whether a text has the name in front of a dot, as in `"gatepost".accounts`. */
export function mentionsQualifier(text: string, schema: string): boolean {
  return new RegExp(String.raw`(?<![\w$])${escape(schema)}"?\s*\.`, 'i').test(text);
}

function escape(name: string): string {
  return name.replaceAll(/[^\w]/g, (character) => `\\u${hex(character)}`);
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}

/** @param where what has to leave the schema out */
export function hiddenSchemaError(
  schema: string,
  { severity = 'ERROR', where }: { readonly severity?: Severity; readonly where: string },
): ServiceError {
  return new ServiceError(
    SQLSTATE.insufficientPrivilege,
    `schema ${schema} is Gatepost's own, and ${where} names it or may reach it`,
    {
      severity,
      detail: 'Nothing of it was run',
      hint: 'It holds the accounts of Gatepost, which nobody reads or changes through Gatepost',
    },
  );
}
