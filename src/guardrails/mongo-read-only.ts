import { READ_ONLY_COMMANDS } from './mongo-commands.ts';
import { isOn, numberOf } from './mongo-documents.ts';
import type { CommandFindings, FoundCommand } from './mongo-findings.ts';
import type { CommandOptions } from './mongo-implied.ts';
import { READ_ONLY_STAGES } from './mongo-stages.ts';

/** Options that any command may have and that change nothing. */
const GENERAL_OPTIONS: ReadonlySet<string> = new Set([
  ...['comment', 'maxTimeMS', 'readConcern', 'writeConcern', 'lsid'],
  ...['apiVersion', 'apiStrict', 'apiDeprecationErrors'],
]);

/** Commands that read with these options and may change something with any other. */
const SAFE_OPTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['profile', []],
  ['features', []],
  ['validate', ['full', 'metadata', 'checkBSONConformance']],
]);

/** Options of commands that read: the first logs in, the second shows what passwords became. */
const REFUSED_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['hello', 'speculativeAuthenticate'],
  ['usersInfo', 'showCredentials'],
]);

/** Collections of admin that hold what passwords became, and the keys of the cluster. */
const SECRET_COLLECTIONS: readonly string[] = [
  ...['system.users', 'system.backup_users', 'system.new_users', 'system.keys'],
];

/** What read-only access admits, in alphabetical order, for the documentation. */
export interface MongoReadOnlyDescription {
  readonly commands: readonly string[];
  readonly stages: readonly string[];
}

/** The commands and stages that read-only access admits, some of them on conditions. */
export function describeMongoReadOnly(): MongoReadOnlyDescription {
  return {
    commands: [...READ_ONLY_COMMANDS].sort(compareFolded),
    stages: [...READ_ONLY_STAGES].sort(compareFolded),
  };
}

/**
 * The first thing in a command that read-only access refuses, in words. An explained command
 * counts as if it were run.
 */
export function findMongoReadOnlyRefusal(
  findings: CommandFindings,
  database: string,
): string | undefined {
  for (const command of findings.commands) {
    const refused = refusedIn(command);
    if (refused !== undefined) {
      return refused;
    }
  }
  const stage = findings.stages.find(({ name }) => !READ_ONLY_STAGES.has(name));
  if (stage !== undefined) {
    return `Stage ${stage.name} of ${stage.command}`;
  }
  return database === 'admin' ? refusedCollection(findings) : undefined;
}

function refusedIn({ name, options }: FoundCommand): string | undefined {
  if (!READ_ONLY_COMMANDS.has(name)) {
    return `Command ${name}`;
  }
  const option = REFUSED_OPTIONS.get(name);
  if (option !== undefined && isOn(options.get(option))) {
    return `Option ${option} of ${name}`;
  }
  if (name === 'profile' && numberOf([...options.values()][0]) !== -1) {
    return 'Command profile with another level than -1';
  }
  return refusedOption(name, options);
}

function refusedOption(name: string, options: CommandOptions): string | undefined {
  const safe = SAFE_OPTIONS.get(name);
  if (safe === undefined) {
    return undefined;
  }
  const refused = [...options]
    .slice(1)
    .find(([key, value]) => isOn(value) && !isGeneral(key) && !safe.includes(key));
  return refused === undefined ? undefined : `Option ${quote(refused[0])} of ${name}`;
}

function refusedCollection(findings: CommandFindings): string | undefined {
  const secret = SECRET_COLLECTIONS.find((name) => findings.systemCollections.has(name));
  if (secret !== undefined) {
    return `Collection ${secret} of admin`;
  }
  return findings.hasUuidTarget ? 'A collection of admin by its UUID' : undefined;
}

// Options that begin with `$` are of the protocol: the database, the read preference, the clock.
function isGeneral(key: string): boolean {
  return key.startsWith('$') || GENERAL_OPTIONS.has(key);
}

const KEY_CHARACTERS_MAX = 64;

function quote(key: string): string {
  return JSON.stringify(key.slice(0, KEY_CHARACTERS_MAX));
}

function compareFolded(one: string, other: string): number {
  return one.toLowerCase() < other.toLowerCase() ? -1 : 1;
}
