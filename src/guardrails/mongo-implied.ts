import { elementsOf, entriesOf, fieldOf, isOn } from './mongo-documents.ts';

/** The options of a command, its own name included. */
export type CommandOptions = ReadonlyMap<string, unknown>;

/** What the operations of an oplog entry are; its commands are judged by themselves. */
const OPLOG_COMMANDS: ReadonlyMap<unknown, string> = new Map([
  ['i', 'insert'],
  ['u', 'update'],
  ['d', 'delete'],
]);

/**
 * Commands whose work another one does: a deny list that names them refuses it, an allow list
 * asks only for the one that is sent.
 */
export function impliedCommands(command: string, options: CommandOptions): readonly string[] {
  return [...new Set(list(command, options))];
}

function list(command: string, options: CommandOptions): readonly string[] {
  switch (command) {
    case 'update':
      return elementsOf(options.get('updates')).flatMap(upserting);
    case 'findAndModify':
      return ofFindAndModify(options);
    case 'bulkWrite':
      return elementsOf(options.get('ops')).flatMap((operation) => [
        ...(entriesOf(operation) ?? []).slice(0, 1).map(([name]) => name),
        ...upserting(operation),
      ]);
    case 'applyOps':
      return elementsOf(options.get('applyOps')).flatMap(ofOplogEntry);
    case 'renameCollection':
      return isOn(options.get('dropTarget')) ? ['drop'] : [];
    default:
      return [];
  }
}

function upserting(operation: unknown): readonly string[] {
  return isOn(fieldOf(operation, 'upsert')) ? ['insert'] : [];
}

function ofFindAndModify(options: CommandOptions): readonly string[] {
  return [
    ...(isOn(options.get('remove')) ? ['delete'] : []),
    ...(isOn(options.get('update')) ? ['update'] : []),
    ...(isOn(options.get('upsert')) ? ['insert'] : []),
  ];
}

function ofOplogEntry(entry: unknown): readonly string[] {
  const command = OPLOG_COMMANDS.get(fieldOf(entry, 'op'));
  return command === undefined ? [] : [command];
}
