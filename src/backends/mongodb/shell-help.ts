// What `help` says: the tables of methods themselves.
import { CURSOR_SOURCES, COLLECTION_METHODS } from './collection-methods.ts';
import { CURSOR_METHODS } from './cursor-methods.ts';
import { DATABASE_METHODS, REPLICA_SET_METHODS } from './database-methods.ts';

/** Names a line of help lists at most. */
const NAMES_A_LINE = 6;

function listed(prefix: string, names: Iterable<string>): string[] {
  const sorted = [...names].sort();
  const lines: string[] = [];
  for (let start = 0; start < sorted.length; start += NAMES_A_LINE) {
    const part = sorted.slice(start, start + NAMES_A_LINE);
    lines.push(`  ${part.map((name) => `${prefix}${name}()`).join('  ')}`);
  }
  return lines;
}

export function generalHelp(): readonly string[] {
  return [
    'This port speaks MongoDB in the language of mongosh. Nothing is run as JavaScript.',
    '  show dbs                          databases',
    '  show collections                  collections of this database',
    '  show users | roles | profile',
    '  use <database>                    go on in another database',
    '  db.<collection>.find({ ... })     documents, one JSON row each',
    '  db.runCommand({ ... })            any command; a bare { command document } does the same',
    '  db.help()                         methods of the database',
    '  db.<collection>.help()            methods of a collection',
    "  SET gatepost.ejson = 'lossless' | 'relaxed' | 'canonical'",
  ];
}

export function databaseHelp(): readonly string[] {
  return [
    'Methods of a database:',
    ...listed('db.', DATABASE_METHODS.keys()),
    'Of the replica set:',
    ...listed('rs.', REPLICA_SET_METHODS.keys()),
  ];
}

export function collectionHelp(): readonly string[] {
  return [
    'Methods of a collection:',
    ...listed('.', [...CURSOR_SOURCES.keys(), ...COLLECTION_METHODS.keys(), 'explain']),
    'Of the cursor behind find() and aggregate():',
    ...listed('.', CURSOR_METHODS.keys()),
  ];
}
