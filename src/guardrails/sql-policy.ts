// Decides which statements may run, by PostgreSQL's own grammar, before any of them runs. What is
// not in the text as a statement is out of its sight: bodies of functions and of DO in quotes,
// what a function does, and set_config, which does what SET does.
import { isAscii, isUtf8 } from 'node:buffer';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { findHiddenSchema } from './sql-hidden-schema.ts';
import { hiddenSchemaError, mayName } from './sql-hidden-names.ts';
import { kindsOf } from './sql-kinds.ts';
import { SqlParser, SqlSyntaxError, SqlTooComplexError } from './sql-parser.ts';
import { findReadOnlyRefusal } from './sql-read-only.ts';
import { parseRuleWords, wordsCovering } from './sql-rules.ts';
import { findStatements } from './sql-statements.ts';
import type { Findings, FoundStatement } from './sql-statements.ts';

export interface SqlPolicyRules {
  /** Kinds that may run, as users write them; empty for all. */
  readonly allow: readonly string[];
  /** Kinds that may not run, whatever `allow` says. */
  readonly deny: readonly string[];
  readonly access: 'read-write' | 'read-only';
  /** A schema that statements may not name: where Gatepost keeps its accounts. */
  readonly hiddenSchema?: string | undefined;
}

/** The settings of the session that decide how PostgreSQL reads the text. */
export interface LexicalSettings {
  readonly clientEncoding: string;
  readonly standardConformingStrings: boolean;
}

/** @param parameters what the session's server has reported of itself */
export function lexicalSettingsOf(parameters: ReadonlyMap<string, string>): LexicalSettings {
  return {
    clientEncoding: parameters.get('client_encoding') ?? 'UTF8',
    standardConformingStrings: parameters.get('standard_conforming_strings') !== 'off',
  };
}

export interface SqlPolicy {
  /**
   * Why nothing of a Query message may run; undefined when all of it may. Never throws.
   *
   * @param text the bytes of the message without its NUL
   */
  admit(text: Uint8Array, settings: LexicalSettings): ServiceError | undefined;
}

/** Time and memory grow with the text: 1 MiB takes 10 ms as one literal, a second as columns. */
const TEXT_BYTES_MAX = 1024 * 1024;

const BACKSLASH = 0x5c;

/** Node types that only read; RETURN is in bodies of functions. */
const READS: ReadonlySet<string> = new Set(['SelectStmt', 'ReturnStmt']);

const READ_ONLY_HINT =
  'Set by WIRE_ACCESS or access of the listener, or by the scope of the account';

const NOTHING_RAN = 'Nothing of the query was run';

/**
 * The policy that a listener's rules make; undefined when they restrict nothing.
 *
 * @throws ServiceError 22023 for a word that names no kind of statement
 */
export async function createSqlPolicy(rules: SqlPolicyRules): Promise<SqlPolicy | undefined> {
  const allow = parseRuleWords('WIRE_ALLOW', rules.allow);
  const deny = parseRuleWords('WIRE_DENY', rules.deny);
  const { access, hiddenSchema } = rules;
  const isFree = allow.size === 0 && deny.size === 0 && access === 'read-write';
  if (isFree && hiddenSchema === undefined) {
    return undefined;
  }
  const parsed = { allow, deny, access, hiddenSchema, isFree };
  return new GrammarPolicy(parsed, await SqlParser.create());
}

interface ParsedRules extends Pick<SqlPolicyRules, 'access' | 'hiddenSchema'> {
  readonly allow: ReadonlySet<string>;
  readonly deny: ReadonlySet<string>;
  /** Whether a statement that does not name the hidden schema may be any. */
  readonly isFree: boolean;
}

class GrammarPolicy implements SqlPolicy {
  readonly #rules: ParsedRules;
  readonly #parser: SqlParser;

  constructor(rules: ParsedRules, parser: SqlParser) {
    this.#rules = rules;
    this.#parser = parser;
  }

  admit(text: Uint8Array, settings: LexicalSettings): ServiceError | undefined {
    const { hiddenSchema, isFree } = this.#rules;
    const isNamed = hiddenSchema !== undefined && mayName(text, hiddenSchema, settings);
    if (isFree && !isNamed) {
      return undefined;
    }
    const named = isNamed ? hiddenSchema : undefined;
    try {
      return refuseUnreadable(text, settings) ?? this.#refuseTree(this.#parser.parse(text), named);
    } catch (thrown) {
      return explainFailure(thrown);
    }
  }

  #refuseTree(tree: unknown, hidden: string | undefined): ServiceError | undefined {
    const refusal = this.#refuseStatements(findStatements(tree));
    if (refusal !== undefined || hidden === undefined) {
      return refusal;
    }
    const number = findHiddenSchema(tree, hidden);
    return number === undefined
      ? undefined
      : hiddenSchemaError(hidden, { where: `statement ${number}` });
  }

  #refuseStatements(findings: Findings): ServiceError | undefined {
    for (const statement of findings.statements) {
      const refusal = this.#refuseByLists(statement);
      if (refusal !== undefined) {
        return refusal;
      }
    }
    const refused = this.#rules.access === 'read-only' ? findReadOnlyRefusal(findings) : undefined;
    return refused === undefined
      ? undefined
      : new ServiceError(
          SQLSTATE.readOnlyTransaction,
          `${refused.what} in statement ${refused.number} is refused, as access is read-only`,
          { detail: NOTHING_RAN, hint: READ_ONLY_HINT },
        );
  }

  #refuseByLists({ type, node, number, isNested }: FoundStatement): ServiceError | undefined {
    const { allow, deny } = this.#rules;
    const kinds = kindsOf(type, node);
    if (kinds === undefined) {
      return forbidden(`${type} in statement ${number} is not known to the policy`, {
        hint: 'Only statements of the kinds in wire/README.md can be admitted',
      });
    }
    for (const kind of [...kinds.needs, ...kinds.implies]) {
      const word = wordsCovering(kind).find((covering) => deny.has(covering));
      if (word !== undefined) {
        return forbidden(`${kind} in statement ${number} is on the deny list`, {
          hint: `WIRE_DENY or deny of the listener names ${word}`,
        });
      }
    }
    // What a permitted statement reads needs no permission of its own.
    const isRead = isNested && READS.has(type);
    const needs = allow.size === 0 || isRead ? [] : kinds.needs;
    const missing = needs.find((kind) => !wordsCovering(kind).some((word) => allow.has(word)));
    return missing === undefined
      ? undefined
      : forbidden(`${missing} in statement ${number} is not on the allow list`, {
          hint: `WIRE_ALLOW or allow of the listener would have to name ${missing}`,
        });
  }
}

function forbidden(message: string, { hint }: { readonly hint: string }): ServiceError {
  return new ServiceError(SQLSTATE.insufficientPrivilege, message, { detail: NOTHING_RAN, hint });
}

/** Why the text is not even parsed: too long, or PostgreSQL might read it in another way. */
function refuseUnreadable(
  text: Uint8Array,
  { clientEncoding, standardConformingStrings }: LexicalSettings,
): ServiceError | undefined {
  if (text.length > TEXT_BYTES_MAX) {
    return new ServiceError(
      SQLSTATE.programLimitExceeded,
      `Query of ${text.length} bytes is over the ${TEXT_BYTES_MAX} bytes that the policy reads`,
      { detail: NOTHING_RAN, hint: 'Send the query in parts' },
    );
  }
  if (text.includes(0)) {
    return new ServiceError(SQLSTATE.protocolViolation, 'Query has a zero byte in its text');
  }
  if (!standardConformingStrings && text.includes(BACKSLASH)) {
    return new ServiceError(
      SQLSTATE.featureNotSupported,
      'Query has a backslash, which the policy can read only with standard_conforming_strings on',
      { detail: NOTHING_RAN, hint: 'SET standard_conforming_strings TO on' },
    );
  }
  return isAscii(text) ? undefined : refuseEncoding(text, clientEncoding);
}

// With SQL_ASCII the server converts nothing. It takes every byte from 0x80 as a letter, and so
// does the parser. Any other encoding is converted, and some hide a quote or a backslash in the
// second byte of a letter.
function refuseEncoding(text: Uint8Array, clientEncoding: string): ServiceError | undefined {
  const encoding = clientEncoding.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  if (!['UTF8', 'UNICODE', 'SQLASCII'].includes(encoding)) {
    return new ServiceError(
      SQLSTATE.featureNotSupported,
      'Query has letters outside ASCII, which the policy can read only as UTF8',
      { detail: NOTHING_RAN, hint: 'SET client_encoding TO UTF8 and send the text in it' },
    );
  }
  return isUtf8(text)
    ? undefined
    : new ServiceError(SQLSTATE.characterNotInRepertoire, 'Query is not valid UTF8', {
        detail: NOTHING_RAN,
        hint: 'Send the text in UTF8',
      });
}

/** A text that could not be judged is refused, whatever the reason. */
function explainFailure(thrown: unknown): ServiceError {
  if (thrown instanceof SqlSyntaxError) {
    const { message, position } = thrown;
    return new ServiceError(SQLSTATE.syntaxError, message, {
      detail: `${NOTHING_RAN}: the policy reads it with the grammar of PostgreSQL 18`,
      ...(position === undefined ? {} : { position }),
    });
  }
  if (thrown instanceof SqlTooComplexError) {
    return new ServiceError(SQLSTATE.statementTooComplex, thrown.message, {
      detail: NOTHING_RAN,
      hint: thrown.hint,
      cause: thrown,
    });
  }
  return new ServiceError(SQLSTATE.internalError, 'Query could not be judged by the policy', {
    detail: NOTHING_RAN,
    cause: thrown,
  });
}
