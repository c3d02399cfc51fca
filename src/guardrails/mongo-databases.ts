// Decides by databases: which ones a command may reach, and which one none may.
import { elementsOf, fieldOf, isBytes } from './mongo-documents.ts';
import type { CommandFindings, FoundCommand } from './mongo-findings.ts';
import { EVERY_DATABASE, hasText, UNTOLD_DATABASE } from './mongo-namespaces.ts';

export interface MongoDatabaseRules {
  /** The only databases that commands may reach; undefined is all. */
  readonly databases?: readonly string[] | undefined;
  /** The one that no command may reach. */
  readonly hiddenDatabase?: string | undefined;
}

/** What is refused, in words, and what can be done about it. */
export interface DatabaseRefusal {
  readonly what: string;
  readonly hint: string;
}

/** Commands about the server or the session that tell nothing of a database but its name. */
const ANYWHERE: ReadonlySet<string> = new Set([
  ...['hello', 'ping', 'buildInfo', 'connectionStatus', 'whatsmyuri', 'listCommands'],
  ...['listDatabases', 'startSession', 'refreshSessions'],
]);

/** Commands that stay in their database, but for what findings have of other ones. */
const WITHIN: ReadonlySet<string> = new Set([
  ...['find', 'aggregate', 'count', 'distinct', 'getMore', 'killCursors', 'mapReduce', 'explain'],
  ...['group', 'geoNear', 'geoSearch', 'parallelCollectionScan', 'filemd5'],
  ...['insert', 'update', 'delete', 'findAndModify'],
  ...['listCollections', 'listIndexes', 'collStats', 'dbStats', 'dbHash', 'validate'],
  ...['create', 'collMod', 'drop', 'dropDatabase', 'convertToCapped', 'cloneCollectionAsCapped'],
  ...['compact', 'createIndexes', 'dropIndexes', 'reIndex', 'setIndexCommitQuorum', 'touch'],
  ...['createSearchIndexes', 'updateSearchIndex', 'dropSearchIndex', 'listSearchIndexes'],
  ...['compactStructuredEncryptionData', 'cleanupStructuredEncryptionData'],
  ...['planCacheClear', 'planCacheClearFilters', 'planCacheSetFilter', 'planCacheListFilters'],
  ...['planCacheListPlans', 'planCacheListQueryShapes'],
]);

/** Commands that name all databases that they reach, whichever they are sent to. */
const NAMING: ReadonlySet<string> = new Set(['renameCollection', 'bulkWrite', 'dataSize']);

/** Whether two names mean one database; those that differ in capitals only cannot be two. */
export function isSameDatabase(name: string, other: string | undefined): boolean {
  return name.toLowerCase() === other?.toLowerCase();
}

/** What commands and pipelines would reach that is refused; undefined where there is nothing. */
export function findMongoDatabaseRefusal(
  findings: CommandFindings,
  database: string,
  { databases, hiddenDatabase }: MongoDatabaseRules,
): DatabaseRefusal | undefined {
  const hidden =
    hiddenDatabase === undefined ? undefined : refuseHidden(findings, database, hiddenDatabase);
  return hidden ?? (databases && refuseOthers(findings, database, databases));
}

function refuseHidden(
  findings: CommandFindings,
  database: string,
  hidden: string,
): DatabaseRefusal | undefined {
  const isHidden = [database, ...findings.databases].some((name) => isSameDatabase(name, hidden));
  const command = findings.commands.find((one) => mayReach(one, hidden));
  const isReached = command !== undefined || isLogOfAll(findings, database);
  if (!isHidden && !isReached && !findings.databases.has(EVERY_DATABASE)) {
    return undefined;
  }
  const name = command?.name ?? findings.commands[0]?.name ?? '';
  return {
    what: `Database ${hidden} is Gatepost's own, and command ${name} names it or may reach it`,
    hint: 'It holds what Gatepost keeps, which nobody reads or changes through Gatepost',
  };
}

/**
 * Whether a command of administration might reach it: they name databases in many places, so that
 * any text counts which is its name or that of one of its collections.
 */
function mayReach({ name, options }: FoundCommand, hidden: string): boolean {
  if (name === 'eval' || (name === 'applyOps' && hasUuid(options.get('applyOps')))) {
    return true;
  }
  return (
    !ANYWHERE.has(name) &&
    !WITHIN.has(name) &&
    name !== 'bulkWrite' &&
    hasText([...options.values()], (text) => {
      const [database = ''] = text.split('.', 1);
      return isSameDatabase(database, hidden);
    })
  );
}

function hasUuid(operations: unknown): boolean {
  return elementsOf(operations).some((operation) => fieldOf(operation, 'ui') !== undefined);
}

// The log of changes that replicas read has those of every database.
function isLogOfAll(
  { commands, databases, hasUuidTarget }: CommandFindings,
  database: string,
): boolean {
  if (database !== 'local') {
    return databases.has('local');
  }
  const isOfLog = (text: string): boolean => text.startsWith('oplog.');
  return hasUuidTarget || commands.some(({ options }) => hasText([...options.values()], isOfLog));
}

function refuseOthers(
  findings: CommandFindings,
  database: string,
  databases: readonly string[],
): DatabaseRefusal | undefined {
  const what =
    findings.commands
      .map((command) => refuseCommand(command, database, databases))
      .find((refused) => refused !== undefined) ??
    refuseStages(findings) ??
    refuseNamed(findings, databases);
  return what === undefined
    ? undefined
    : {
        what: `${what}, is not for this account`,
        hint: `Its databases are ${databases.join(', ')}`,
      };
}

function refuseNamed(
  { commands, databases: named }: CommandFindings,
  databases: readonly string[],
): string | undefined {
  const other = [...named].find((name) => !databases.includes(name));
  return other && `${describe(other)}, which command ${commands[0]?.name ?? ''} names`;
}

function refuseCommand(
  { name, options }: FoundCommand,
  database: string,
  databases: readonly string[],
): string | undefined {
  if (ANYWHERE.has(name) || NAMING.has(name)) {
    return undefined;
  }
  if (!WITHIN.has(name)) {
    return `Command ${name}, which reaches beyond one database`;
  }
  if (!databases.includes(database)) {
    return `${describe(database)}, which command ${name} is sent to`;
  }
  const [target] = options.values();
  const isOfServer = database === 'admin' && name === 'aggregate' && !isCollection(target);
  return isOfServer ? 'An aggregate of the whole server' : undefined;
}

function isCollection(target: unknown): boolean {
  return typeof target === 'string' || isBytes(target);
}

// A stage that is not known might be one that reads another database.
function refuseStages({ stages }: CommandFindings): string | undefined {
  const stage = stages.find(({ isKnown }) => !isKnown);
  return stage && `Stage ${stage.name} of ${stage.command}, which is not known to the policy`;
}

function describe(name: string): string {
  if (name === EVERY_DATABASE) {
    return 'All databases together';
  }
  return name === UNTOLD_DATABASE ? 'A database without its name' : `Database ${name}`;
}
