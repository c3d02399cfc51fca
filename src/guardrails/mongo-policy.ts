// Decides which commands may be sent to MongoDB, by the document that would be sent. What is not
// in the document is out of its sight: what a view does, and functions that others have stored.
import { ServiceError, SQLSTATE } from '../errors.ts';
import { findMongoDatabaseRefusal } from './mongo-databases.ts';
import type { MongoDatabaseRules } from './mongo-databases.ts';
import { findInCommand } from './mongo-findings.ts';
import type { CommandFindings, FoundCommand, FoundPart } from './mongo-findings.ts';
import { findMongoReadOnlyRefusal } from './mongo-read-only.ts';
import { parseMongoRuleWords } from './mongo-rules.ts';

export interface MongoPolicyRules {
  /** Commands and stages that may run, as users write them; empty for all. */
  readonly allow: readonly string[];
  /** Commands and stages that may not run, whatever `allow` says. */
  readonly deny: readonly string[];
  readonly access: 'read-write' | 'read-only';
  /**
   * Whether server-side JavaScript may be sent: $where, $function, $accumulator, mapReduce, group,
   * eval, and BSON Code anywhere but in documents to insert.
   */
  readonly isJavaScriptAllowed: boolean;
  /** A database that commands may not touch: where Gatepost keeps what is its own. */
  readonly hiddenDatabase?: string | undefined;
}

export interface MongoPolicy {
  /**
   * Why a command must not be sent; undefined when it may. Never throws.
   *
   * @param command the document as it will be sent: its first key is the command's name
   * @param database what it will be sent to
   */
  admit(command: Readonly<Record<string, unknown>>, database: string): ServiceError | undefined;
  /** The same, where commands may reach these databases only; undefined is all. */
  within(databases: readonly string[] | undefined): MongoPolicy;
}

const READ_ONLY_HINT =
  'Set by WIRE_ACCESS or access of the listener, or by the scope of the account';

const NOTHING_SENT = 'Nothing of the command was sent to MongoDB';

/**
 * The policy that a listener's rules make.
 *
 * @throws ServiceError 22023 for a word that names neither a command nor a stage
 */
export function createMongoPolicy(rules: MongoPolicyRules): MongoPolicy {
  return new CommandPolicy({
    ...rules,
    allow: parseMongoRuleWords('WIRE_MONGODB_ALLOW', rules.allow),
    deny: parseMongoRuleWords('WIRE_MONGODB_DENY', rules.deny),
  });
}

/** The policies of both kinds of access; read-only rules make the same twice. */
export function createMongoPolicies(
  rules: MongoPolicyRules,
): Readonly<Record<MongoPolicyRules['access'], MongoPolicy>> {
  return {
    'read-only': createMongoPolicy({ ...rules, access: 'read-only' }),
    'read-write': createMongoPolicy(rules),
  };
}

interface ParsedRules
  extends Pick<MongoPolicyRules, 'access' | 'isJavaScriptAllowed'>, MongoDatabaseRules {
  readonly allow: ReadonlySet<string>;
  readonly deny: ReadonlySet<string>;
}

class CommandPolicy implements MongoPolicy {
  readonly #rules: ParsedRules;

  constructor(rules: ParsedRules) {
    this.#rules = rules;
  }

  admit(command: Readonly<Record<string, unknown>>, database: string): ServiceError | undefined {
    try {
      const findings = findInCommand(command);
      return (
        this.#refuseByLists(findings) ??
        this.#refuseByDatabases(findings, database) ??
        this.#refuseByAccess(findings, database) ??
        this.#refuseJavaScript(findings)
      );
    } catch (thrown) {
      return explainFailure(thrown);
    }
  }

  within(databases: readonly string[] | undefined): MongoPolicy {
    return databases === undefined ? this : new CommandPolicy({ ...this.#rules, databases });
  }

  #refuseByLists({ commands, stages }: CommandFindings): ServiceError | undefined {
    for (const command of commands) {
      const refusal = this.#refuseCommand(command);
      if (refusal !== undefined) {
        return refusal;
      }
    }
    for (const stage of stages) {
      const refusal = this.#refuseStage(stage);
      if (refusal !== undefined) {
        return refusal;
      }
    }
    return undefined;
  }

  #refuseCommand({ name, isKnown, implied }: FoundCommand): ServiceError | undefined {
    const { allow, deny } = this.#rules;
    if (!isKnown && (allow.size > 0 || deny.size > 0)) {
      return unknown(`Command ${name}`);
    }
    const denied = [name, ...implied].find((word) => deny.has(word));
    if (denied !== undefined) {
      const what = denied === name ? name : `${denied}, which ${name} does here,`;
      return forbidden(`Command ${what} is on the deny list`, denyHint(denied));
    }
    const isAllowed =
      allow.size === 0 || [...allow].some((word) => word === name || word.startsWith(`${name}:`));
    return isAllowed
      ? undefined
      : forbidden(`Command ${name} is not on the allow list`, allowHint(name));
  }

  #refuseStage({ name, isKnown, command }: FoundPart): ServiceError | undefined {
    const { allow, deny } = this.#rules;
    const what = `Stage ${name} of ${command}`;
    const words = [name, `${command}:${name}`];
    const denied = words.find((word) => deny.has(word));
    if (denied !== undefined) {
      return forbidden(`${what} is on the deny list`, denyHint(denied));
    }
    if (!isKnown && [...deny].some((word) => word.includes('$'))) {
      return unknown(what);
    }
    const isAllowed = allow.size === 0 || [command, ...words].some((word) => allow.has(word));
    return isAllowed
      ? undefined
      : forbidden(`${what} is not on the allow list`, allowHint(`${command}:${name}`));
  }

  #refuseByDatabases(findings: CommandFindings, database: string): ServiceError | undefined {
    const refused = findMongoDatabaseRefusal(findings, database, this.#rules);
    return refused && forbidden(refused.what, refused.hint);
  }

  #refuseByAccess(findings: CommandFindings, database: string): ServiceError | undefined {
    const { access } = this.#rules;
    const refused =
      access === 'read-only' ? findMongoReadOnlyRefusal(findings, database) : undefined;
    return refused === undefined
      ? undefined
      : new ServiceError(
          SQLSTATE.readOnlyTransaction,
          `${refused} is refused, as access is read-only`,
          { detail: NOTHING_SENT, hint: READ_ONLY_HINT },
        );
  }

  #refuseJavaScript({ scripts }: CommandFindings): ServiceError | undefined {
    const [script] = scripts;
    if (script === undefined || this.#rules.isJavaScriptAllowed) {
      return undefined;
    }
    const { name, command } = script;
    const what = name === command ? `Command ${name}` : `${name} in ${command}`;
    return forbidden(
      `${what} is server-side JavaScript, which is not enabled`,
      'Set by WIRE_MONGODB_JAVASCRIPT or javascript of the listener',
    );
  }
}

function denyHint(word: string): string {
  return `WIRE_MONGODB_DENY or deny of the listener names ${word}`;
}

function allowHint(word: string): string {
  return `WIRE_MONGODB_ALLOW or allow of the listener would have to name ${word}`;
}

function unknown(what: string): ServiceError {
  return forbidden(
    `${what} is not known to the policy`,
    'With a list, only the commands and stages that lists can name are admitted',
  );
}

function forbidden(message: string, hint: string): ServiceError {
  return new ServiceError(SQLSTATE.insufficientPrivilege, message, { detail: NOTHING_SENT, hint });
}

/** A command that could not be judged is refused, whatever the reason. */
function explainFailure(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) {
    return thrown;
  }
  return new ServiceError(SQLSTATE.internalError, 'Command could not be judged by the policy', {
    detail: NOTHING_SENT,
    cause: thrown,
  });
}
