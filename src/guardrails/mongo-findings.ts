import { ServiceError, SQLSTATE } from '../errors.ts';
import { commandNamed, JAVASCRIPT_COMMANDS } from './mongo-commands.ts';
import { elementsOf, entriesOf, fieldOf, isBytes, isJavaScript } from './mongo-documents.ts';
import type { Entry } from './mongo-documents.ts';
import { impliedCommands } from './mongo-implied.ts';
import type { CommandOptions } from './mongo-implied.ts';
import { databasesOfCommand, databasesOfStage } from './mongo-namespaces.ts';
import { javaScriptOperatorNamed, stageNamed, writingStageNamed } from './mongo-stages.ts';

export interface FoundCommand {
  /** In the manual's spelling; as it was written, quoted and cut, when it is not known. */
  readonly name: string;
  readonly isKnown: boolean;
  readonly options: CommandOptions;
  /** Other commands whose work it does. */
  readonly implied: readonly string[];
}

/** A stage of a pipeline, or something that runs JavaScript, and the command that it is in. */
export interface FoundPart {
  readonly name: string;
  readonly isKnown: boolean;
  readonly command: string;
}

/** Everything in a command that the policy decides on. */
export interface CommandFindings {
  /** The command, and those inside of it. */
  readonly commands: FoundCommand[];
  readonly stages: FoundPart[];
  readonly scripts: FoundPart[];
  /** Collections of the server's own that a text names. */
  readonly systemCollections: Set<string>;
  /** Databases that are named beside the one that the command is sent to. */
  readonly databases: Set<string>;
  /** Whether a command names its collection by its UUID. */
  hasUuidTarget: boolean;
}

/** The server itself takes documents of up to 180 levels. */
export const DEPTH_MAX = 200;

/** Several times what a text of 256 KiB can hold; it also ends a walk in circles. */
export const VALUES_MAX = 1_000_000;

/** Entries of an oplog that are no command: what has any other `op` may be one. */
const OPLOG_WRITES: ReadonlySet<unknown> = new Set(['i', 'u', 'd', 'n']);

const NAME_CHARACTERS_MAX = 64;

/** Fields whose array is a pipeline, wherever they are: no other field's stages begin with `$`. */
const PIPELINE_FIELDS: ReadonlySet<string> = new Set([
  ...['pipeline', 'whenMatched', 'u', 'update', 'updateMods'],
]);

/** Fields whose document holds pipelines under names of the user's. */
const NAMED_PIPELINES_FIELDS: ReadonlySet<string> = new Set(['$facet', 'pipelines']);

/**
 * The commands, stages and scripts in a command's document, to any depth. What cannot be told
 * from data counts as found: `$out`, `$merge` and the operators of JavaScript do wherever they are
 * a key, but in documents to insert, which the server only stores.
 *
 * @throws ServiceError 54001 for a document that is nested too deeply or too large
 */
export function findInCommand(command: unknown): CommandFindings {
  const walk = new CommandWalk();
  walk.visitCommand(entriesOf(command) ?? [], 1);
  return walk.findings;
}

/** A command that is being walked. */
interface Place {
  readonly command: string;
  /** Whether documents to insert are only stored: the server acts on those of `system.`. */
  readonly isInsertOnly: boolean;
}

class CommandWalk {
  readonly findings: CommandFindings = {
    commands: [],
    stages: [],
    scripts: [],
    systemCollections: new Set(),
    databases: new Set(),
    hasUuidTarget: false,
  };
  #valueCount = 0;

  visitCommand(entries: readonly Entry[], depth: number): void {
    const [written, target] = entries[0] ?? ['', undefined];
    const known = commandNamed(written);
    const name = known ?? JSON.stringify(written.slice(0, NAME_CHARACTERS_MAX));
    const options: CommandOptions = new Map(entries);
    const implied = impliedCommands(name, options);
    this.findings.commands.push({ name, isKnown: known !== undefined, options, implied });
    this.findings.hasUuidTarget ||= isBytes(target);
    this.#addDatabases(databasesOfCommand(name, new Map([[name, target], ...options])));
    if (JAVASCRIPT_COMMANDS.has(name)) {
      this.#addScript(name, name);
    }
    if (name === 'mapReduce') {
      this.#addOutput(name, options.get('out'));
    }
    const place = { command: name, isInsertOnly: !namesSystemCollection(name, options, target) };
    for (const [index, [key, value]] of entries.entries()) {
      this.#visitOption([index === 0 ? name : key, value], place, depth);
    }
  }

  #visitOption([key, value]: Entry, place: Place, depth: number): void {
    switch (`${place.command}.${key}`) {
      case 'explain.explain':
        return this.#visitInner(value, depth + 1);
      case 'applyOps.applyOps':
        return this.#visitOplog(value, place, depth + 1);
      case 'bulkWrite.ops':
        return this.#visitWrites(value, place, depth + 1);
      case 'insert.documents':
        return place.isInsertOnly ? undefined : this.#visitEntry([key, value], place, depth);
      default:
        return this.#visitEntry([key, value], place, depth);
    }
  }

  #visitInner(command: unknown, depth: number): void {
    this.#step(depth);
    this.visitCommand(entriesOf(command) ?? [], depth);
  }

  #visitOplog(operations: unknown, place: Place, depth: number): void {
    for (const operation of elementsOf(operations)) {
      if (!OPLOG_WRITES.has(fieldOf(operation, 'op'))) {
        this.#visitInner(fieldOf(operation, 'o'), depth + 1);
      }
    }
    this.#visitValue(operations, { ...place, isInsertOnly: false }, depth);
  }

  #visitWrites(operations: unknown, place: Place, depth: number): void {
    for (const operation of elementsOf(operations)) {
      const entries = entriesOf(operation) ?? [];
      const isStored = place.isInsertOnly && entries[0]?.[0] === 'insert';
      const acted = entries.filter(([key]) => !isStored || key !== 'document');
      this.#visitEntries(acted, place, depth + 1);
    }
  }

  #visitEntries(entries: readonly Entry[], place: Place, depth: number): void {
    for (const entry of entries) {
      this.#visitEntry(entry, place, depth);
    }
  }

  #visitEntry([key, value]: Entry, place: Place, depth: number): void {
    const script = javaScriptOperatorNamed(key);
    if (script !== undefined) {
      this.#addScript(script, place.command);
    }
    const stage = writingStageNamed(key);
    if (stage !== undefined) {
      this.findings.stages.push({ name: stage, isKnown: true, command: place.command });
    }
    this.#addDatabases(databasesOfStage(key, value));
    if (NAMED_PIPELINES_FIELDS.has(key)) {
      for (const [, pipeline] of entriesOf(value) ?? []) {
        this.#addStages(pipeline, place);
      }
    }
    if (PIPELINE_FIELDS.has(key)) {
      this.#addStages(value, place);
    }
    this.#visitValue(value, place, depth + 1);
  }

  #visitValue(value: unknown, place: Place, depth: number): void {
    this.#step(depth);
    if (typeof value === 'string' && value.startsWith('system.')) {
      this.findings.systemCollections.add(value);
    }
    if (isJavaScript(value)) {
      this.#addScript('Code', place.command);
    }
    for (const element of elementsOf(value)) {
      this.#visitValue(element, place, depth + 1);
    }
    this.#visitEntries(entriesOf(value) ?? [], place, depth);
  }

  // What writes is found as a key; what does not begin with `$` is no stage to the server either.
  #addStages(pipeline: unknown, { command }: Place): void {
    const keys = elementsOf(pipeline).flatMap((stage) =>
      (entriesOf(stage) ?? []).map(([key]) => key),
    );
    for (const key of keys) {
      if (key.startsWith('$') && writingStageNamed(key) === undefined) {
        const known = stageNamed(key);
        const name = known ?? JSON.stringify(key.slice(0, NAME_CHARACTERS_MAX));
        this.findings.stages.push({ name, isKnown: known !== undefined, command });
      }
    }
  }

  // mapReduce gives back what it made only when `inline` is all that is asked for.
  #addOutput(command: string, out: unknown): void {
    const actions = (entriesOf(out) ?? []).map(([key]) => key);
    if (actions.length !== 1 || actions[0] !== 'inline') {
      const isMerged = actions.includes('merge') || actions.includes('reduce');
      const name = isMerged ? '$merge' : '$out';
      this.findings.stages.push({ name, isKnown: true, command });
    }
  }

  #addDatabases(names: readonly string[]): void {
    for (const name of names) {
      this.findings.databases.add(name);
    }
  }

  #addScript(name: string, command: string): void {
    this.findings.scripts.push({ name, isKnown: true, command });
  }

  #step(depth: number): void {
    this.#valueCount += 1;
    if (depth > DEPTH_MAX) {
      throw tooComplex(
        `Command is nested deeper than the ${DEPTH_MAX} levels that the policy reads`,
      );
    }
    if (this.#valueCount > VALUES_MAX) {
      throw tooComplex(`Command has more than the ${VALUES_MAX} values that the policy reads`);
    }
  }
}

// Functions for JavaScript are stored in system.js, and other collections of that kind have a
// meaning too. A target that is no text could be any collection.
function namesSystemCollection(name: string, options: CommandOptions, target: unknown): boolean {
  const targets =
    name === 'bulkWrite'
      ? elementsOf(options.get('nsInfo')).map((space) => fieldOf(space, 'ns'))
      : [target];
  return targets.some((space) => typeof space !== 'string' || /(^|\.)system\./.test(space));
}

function tooComplex(message: string): ServiceError {
  return new ServiceError(SQLSTATE.statementTooComplex, message, {
    hint: 'Send the command in parts',
  });
}
