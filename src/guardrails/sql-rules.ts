import { ServiceError, SQLSTATE } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { STATEMENT_KINDS } from './sql-kind-tables.ts';
import { READ_ONLY_KINDS } from './sql-read-only.ts';

/** A row of the table of kinds, for the documentation. */
export interface StatementKindRow {
  readonly kind: string;
  /** The words of WIRE_ALLOW and WIRE_DENY that cover it, itself first. */
  readonly coveredBy: readonly string[];
  /** Whether WIRE_ACCESS=read-only may admit it. */
  readonly isReadOnly: boolean;
}

/** Other words for a kind, as users and the manual write them. */
export const KIND_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['VALUES', 'SELECT'],
  ['TABLE', 'SELECT'],
  ['SELECT FOR SHARE', 'SELECT FOR UPDATE'],
  ['START TRANSACTION', 'BEGIN'],
  ['END', 'COMMIT'],
  ['ABORT', 'ROLLBACK'],
  ['ROLLBACK TO SAVEPOINT', 'ROLLBACK'],
  ['RELEASE SAVEPOINT', 'RELEASE'],
  ['ANALYSE', 'ANALYZE'],
  ['LOCK TABLE', 'LOCK'],
  ['TRUNCATE TABLE', 'TRUNCATE'],
  ['CREATE USER', 'CREATE ROLE'],
  ['CREATE GROUP', 'CREATE ROLE'],
  ['ALTER USER', 'ALTER ROLE'],
  ['ALTER GROUP', 'ALTER ROLE'],
  ['DROP USER', 'DROP ROLE'],
  ['DROP GROUP', 'DROP ROLE'],
]);

// A kind is covered by its first word, but these do something else than their first word says.
const APART: ReadonlyMap<string, readonly string[]> = new Map([
  ['SELECT INTO', ['CREATE TABLE AS', 'CREATE TABLE', 'CREATE']],
  ['CREATE TABLE AS', ['CREATE TABLE', 'CREATE']],
  ['PREPARE TRANSACTION', []],
  ['COMMIT PREPARED', []],
  ['ROLLBACK PREPARED', []],
]);

const COVERING: ReadonlyMap<string, readonly string[]> = new Map(
  STATEMENT_KINDS.map((kind) => [kind, [...new Set([kind, ...widerWords(kind)])]]),
);

const WORDS: ReadonlySet<string> = new Set([...COVERING.values()].flat());

/** The words that cover a kind, itself first. */
export function wordsCovering(kind: string): readonly string[] {
  return COVERING.get(kind) ?? [kind];
}

/** All kinds in alphabetical order, with what covers each. */
export function listStatementKinds(): readonly StatementKindRow[] {
  return STATEMENT_KINDS.map((kind) => ({
    kind,
    coveredBy: wordsCovering(kind),
    isReadOnly: READ_ONLY_KINDS.has(kind),
  }));
}

/**
 * The words of a list, synonyms resolved.
 *
 * @param setting WIRE_ALLOW or WIRE_DENY, for the error
 * @throws ServiceError 22023 for a word that names no kind
 */
export function parseRuleWords(setting: string, words: readonly string[]): ReadonlySet<string> {
  return new Set(words.map((word) => parseRuleWord(setting, word)));
}

function parseRuleWord(setting: string, word: string): string {
  const written = word.trim().replaceAll(/\s+/g, ' ').toUpperCase();
  const kind = KIND_SYNONYMS.get(written) ?? written;
  if (WORDS.has(kind)) {
    return kind;
  }
  throw new ServiceError(
    SQLSTATE.invalidParameterValue,
    `${setting} names ${JSON.stringify(word)}, which is no kind of statement`,
    { hint: `The nearest is ${nearestKind(written)}; wire/README.md lists all kinds` },
  );
}

function widerWords(kind: string): readonly string[] {
  return APART.get(kind) ?? kind.split(' ', 1);
}

function nearestKind(written: string): string {
  return nearestName(written, [...WORDS, ...KIND_SYNONYMS.keys()]) ?? '';
}
