// Which databases a command names beside the one that it is sent to.
import { elementsOf, entriesOf, fieldOf, isOn } from './mongo-documents.ts';
import type { CommandOptions } from './mongo-implied.ts';

/** In place of a name: all of them. No database can be called so. */
export const EVERY_DATABASE = '$every';

/** In place of a name that is no text, such as the UUID of a collection. */
export const UNTOLD_DATABASE = '$untold';

/** Stages that read or write another collection, as keys in lower case. */
const COLLECTION_STAGES: ReadonlySet<string> = new Set([
  ...['$out', '$merge', '$lookup', '$graphlookup', '$unionwith'],
]);

/** Where the document of such a stage says its database. */
const PLACES: readonly string[] = ['into', 'from', 'coll'];

/** Databases that a stage names; none for a key that is no such stage. */
export function databasesOfStage(key: string, value: unknown): readonly string[] {
  const stage = key.toLowerCase();
  if (stage === '$changestream') {
    return isOn(fieldOf(value, 'allChangesForCluster')) ? [EVERY_DATABASE] : [];
  }
  if (!COLLECTION_STAGES.has(stage) && !/^\$_?internal/.test(stage)) {
    return [];
  }
  return [value, ...PLACES.map((place) => fieldOf(value, place))].flatMap((document) =>
    namesIn(fieldOf(document, 'db')),
  );
}

/**
 * Databases that the options of a command name.
 *
 * @param command its name, in the manual's spelling
 */
export function databasesOfCommand(command: string, options: CommandOptions): readonly string[] {
  return [...namesIn(options.get('$db')), ...list(command, options)];
}

function list(command: string, options: CommandOptions): readonly string[] {
  switch (command) {
    case 'renameCollection':
      return [options.get('renameCollection'), options.get('to')].map(databaseOf);
    case 'dataSize':
      return [databaseOf(options.get('dataSize'))];
    case 'bulkWrite':
      return elementsOf(options.get('nsInfo')).map((space) => databaseOf(fieldOf(space, 'ns')));
    case 'mapReduce':
      return namesIn(fieldOf(options.get('out'), 'db'));
    default:
      return [];
  }
}

function namesIn(name: unknown): readonly string[] {
  return name === undefined || name === null
    ? []
    : [typeof name === 'string' ? name : UNTOLD_DATABASE];
}

function databaseOf(namespace: unknown): string {
  const [database = ''] = typeof namespace === 'string' ? namespace.split('.', 1) : [];
  return database === '' ? UNTOLD_DATABASE : database;
}

/**
 * Whether a text of a document, at any depth, is one that is looked for. For a document that has
 * been walked already: its depth and its size are bounded.
 */
export function hasText(value: unknown, isMeant: (text: string) => boolean): boolean {
  if (typeof value === 'string') {
    return isMeant(value);
  }
  const inner = entriesOf(value)?.map(([, field]) => field) ?? elementsOf(value);
  return inner.some((one) => hasText(one, isMeant));
}
