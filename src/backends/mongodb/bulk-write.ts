// bulkWrite(): writes of several kinds in one call.
import { sameNames, pickOptions } from './shell-arguments.ts';
import type { Arguments } from './shell-arguments.ts';
import type { Plan, Reply } from './plan.ts';
import type { ShellDocument } from './shell-values.ts';
import {
  asDocument,
  INSERT_OPTIONS,
  operation,
  replacementOf,
  sum,
  tagOf,
  UPDATE_FIELDS,
  updateOf,
  upsertedOf,
  withId,
} from './write-methods.ts';
import type { CollectionCall } from './write-methods.ts';

/** One part of a bulk write as the server takes it, and where it stood. */
interface BulkPart {
  readonly command: 'insert' | 'update' | 'delete';
  readonly statement: unknown;
  readonly index: number;
}

const LISTS = { insert: 'documents', update: 'updates', delete: 'deletes' } as const;

const BULK_STATEMENTS: ReadonlyMap<
  string,
  (fields: ShellDocument, args: Arguments) => Omit<BulkPart, 'index'>
> = new Map([
  [
    'insertOne',
    (fields, args) => ({
      command: 'insert',
      statement: withId(asDocument(fields.get('document'), args)),
    }),
  ],
  ['updateOne', (fields, args) => bulkUpdate(fields, args, updateOf, false)],
  ['updateMany', (fields, args) => bulkUpdate(fields, args, updateOf, true)],
  ['replaceOne', (fields, args) => bulkUpdate(fields, args, replacementOf, false)],
  ['deleteOne', (fields, args) => bulkDelete(fields, args, 1)],
  ['deleteMany', (fields, args) => bulkDelete(fields, args, 0)],
]);

const BULK_UPDATE_OPTIONS = sameNames(`filter update replacement ${UPDATE_FIELDS.join(' ')}`);

function bulkUpdate(
  fields: ShellDocument,
  args: Arguments,
  read: typeof updateOf,
  isMulti: boolean,
): Omit<BulkPart, 'index'> {
  const { filter, update, replacement, ...rest } = pickOptions(fields, BULK_UPDATE_OPTIONS, args);
  const u = read(update ?? replacement, args);
  return {
    command: 'update',
    statement: { q: asDocument(filter, args), u, multi: isMulti, ...rest },
  };
}

function bulkDelete(fields: ShellDocument, args: Arguments, limit: 0 | 1): Omit<BulkPart, 'index'> {
  const { filter, ...rest } = pickOptions(fields, sameNames('filter collation hint'), args);
  return { command: 'delete', statement: { q: asDocument(filter, args), limit, ...rest } };
}

/** Each run of one kind is one command; runs keep their order. */
export function bulkWrite(call: CollectionCall): Plan {
  const options = call.args.options(1, INSERT_OPTIONS);
  const parts = call.args.array(0).map((value, index) => readBulkPart(value, index, call.args));
  const groups: BulkPart[][] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last?.[0]?.command === part.command) {
      last.push(part);
    } else {
      groups.push([part]);
    }
  }
  return {
    operations: groups.map((group) => {
      const command = group[0]?.command ?? 'insert';
      const statements = group.map(({ statement }) => statement);
      const fields = { [command]: call.collection, [LISTS[command]]: statements, ...options };
      return { ...operation(call, fields), isBulk: true };
    }),
    answer: { kind: 'value', from: (replies) => bulkResult(groups, replies) },
    tag: tagOf('UPDATE', 'n'),
    path: [],
  };
}

function readBulkPart(value: unknown, index: number, args: Arguments): BulkPart {
  const [[name, fields] = ['', undefined]] = asDocument(value, args);
  const read = BULK_STATEMENTS.get(name);
  if (read === undefined) {
    throw args.wrong(0, `an array of ${[...BULK_STATEMENTS.keys()].join(', ')}`);
  }
  return { ...read(asDocument(fields, args), args), index };
}

function bulkResult(groups: readonly (readonly BulkPart[])[], replies: readonly Reply[]): unknown {
  const only = (command: BulkPart['command']): Reply[] =>
    replies.filter((_, index) => groups[index]?.[0]?.command === command);
  const inserts = groups.flat().filter(({ command }) => command === 'insert');
  const upserts = replies.flatMap((reply, group) =>
    upsertedOf(reply).map(({ index, _id }): readonly [string, unknown] => [
      `${groups[group]?.[index]?.index ?? index}`,
      _id,
    ]),
  );
  return {
    acknowledged: true,
    insertedCount: sum(only('insert'), 'n'),
    insertedIds: Object.fromEntries(
      inserts.map(({ index, statement }) => [`${index}`, idOf(statement)]),
    ),
    matchedCount: sum(only('update'), 'n') - upserts.length,
    modifiedCount: sum(only('update'), 'nModified'),
    deletedCount: sum(only('delete'), 'n'),
    upsertedCount: upserts.length,
    upsertedIds: new Map(upserts),
  };
}

function idOf(document: unknown): unknown {
  return document instanceof Map ? new Map<unknown, unknown>(document).get('_id') : null;
}
