// Methods of a collection that write documents.
import { BSON, ObjectId } from 'mongodb';
import { createDriverError } from './server-errors.ts';
import type { Operation, Plan, Reply, Tag } from './plan.ts';
import { numberOf } from './plan.ts';
import { sameNames } from './shell-arguments.ts';
import type { Arguments } from './shell-arguments.ts';
import type { ShellDocument } from './shell-values.ts';

/** What a collection method is given. */
export interface CollectionCall {
  readonly database: string;
  readonly collection: string;
  readonly args: Arguments;
}

const COMMAND_OPTIONS = 'writeConcern comment maxTimeMS let bypassDocumentValidation';
export const INSERT_OPTIONS = sameNames(`ordered ${COMMAND_OPTIONS}`);
export const UPDATE_FIELDS = ['upsert', 'arrayFilters', 'collation', 'hint', 'sort'];
const UPDATE_OPTIONS = sameNames(`${UPDATE_FIELDS.join(' ')} ${COMMAND_OPTIONS}`);
const DELETE_FIELDS = ['collation', 'hint'];
const DELETE_OPTIONS = sameNames(`${DELETE_FIELDS.join(' ')} ${COMMAND_OPTIONS}`);

type Fields = Readonly<Record<string, unknown>>;

/** Splits options into those of the one statement and those of the whole command. */
function split(options: Fields, names: readonly string[]): readonly [Fields, Fields] {
  const entries = Object.entries(options);
  return [
    Object.fromEntries(entries.filter(([name]) => names.includes(name))),
    Object.fromEntries(entries.filter(([name]) => !names.includes(name))),
  ];
}

export function operation({ database }: CollectionCall, command: Fields): Operation {
  return { database, command };
}

export function sum(replies: readonly Reply[], field: string): number {
  return replies.reduce((total, reply) => total + numberOf(reply[field]), 0);
}

export const tagOf = (word: Tag['word'], field: string): Tag => ({
  word,
  count: (replies) => sum(replies, field),
});

/** As the driver does: a document without `_id` gets an ObjectId, in the first place. */
export function withId(document: ShellDocument): ShellDocument {
  return document.has('_id') ? document : new Map([['_id', new ObjectId()], ...document]);
}

export function insertOne(call: CollectionCall): Plan {
  const document = withId(call.args.document(0));
  const options = call.args.options(1, INSERT_OPTIONS);
  return {
    operations: [operation(call, { insert: call.collection, documents: [document], ...options })],
    answer: {
      kind: 'value',
      from: () => ({ acknowledged: true, insertedId: document.get('_id') }),
    },
    tag: tagOf('INSERT 0', 'n'),
    path: [],
  };
}

export function insertMany(call: CollectionCall): Plan {
  const documents = call.args.array(0).map((document) => withId(asDocument(document, call.args)));
  const options = call.args.options(1, INSERT_OPTIONS);
  return {
    operations: [
      { ...operation(call, { insert: call.collection, documents, ...options }), isBulk: true },
    ],
    answer: {
      kind: 'value',
      from: () => ({
        acknowledged: true,
        insertedIds: Object.fromEntries(
          documents.map((document, index) => [`${index}`, document.get('_id')]),
        ),
      }),
    },
    tag: tagOf('INSERT 0', 'n'),
    path: [],
  };
}

export function asDocument(value: unknown, args: Arguments): ShellDocument {
  if (!(value instanceof Map)) {
    throw args.wrong(0, 'an array of documents');
  }
  return new Map<string, unknown>(value);
}

/** An update has operators; a replacement has none. A pipeline is an array. */
export function updateOf(value: unknown, args: Arguments): unknown {
  if (Array.isArray(value)) {
    return value;
  }
  const update = asUpdate(value, args);
  if (![...update.keys()].every((name) => name.startsWith('$')) || update.size === 0) {
    throw createDriverError('Update document requires atomic operators');
  }
  return update;
}

export function replacementOf(value: unknown, args: Arguments): unknown {
  const replacement = asUpdate(value, args);
  if ([...replacement.keys()].some((name) => name.startsWith('$'))) {
    throw createDriverError('Replacement document must not contain atomic operators');
  }
  return replacement;
}

function asUpdate(value: unknown, args: Arguments): ShellDocument {
  if (!(value instanceof Map)) {
    throw args.wrong(1, 'a document');
  }
  return new Map<string, unknown>(value);
}

interface Upserted {
  readonly index: number;
  readonly _id: unknown;
}

/** What an update has inserted. */
export function upsertedOf(reply: Reply | undefined): readonly Upserted[] {
  const upserted: unknown = reply?.['upserted'];
  const elements: readonly unknown[] = Array.isArray(upserted) ? upserted : [];
  return elements.map((element) => {
    const bytes = element instanceof Uint8Array ? element : BSON.serialize(asFields(element));
    const read = BSON.deserialize(bytes, { promoteValues: false });
    const _id: unknown = read['_id'];
    return { index: numberOf(read['index']), _id };
  });
}

function asFields(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function updateResult([reply]: readonly Reply[]): unknown {
  const upserted = upsertedOf(reply);
  return {
    acknowledged: true,
    insertedId: upserted[0]?._id ?? null,
    matchedCount: numberOf(reply?.['n']) - upserted.length,
    modifiedCount: numberOf(reply?.['nModified']),
    upsertedCount: upserted.length,
  };
}

function updatePlan(call: CollectionCall, update: unknown, isMulti: boolean): Plan {
  const options = call.args.options(2, UPDATE_OPTIONS);
  const [fields, rest] = split(options, UPDATE_FIELDS);
  const statement = { q: call.args.document(0), u: update, multi: isMulti, ...fields };
  return {
    operations: [operation(call, { update: call.collection, updates: [statement], ...rest })],
    answer: { kind: 'value', from: updateResult },
    tag: tagOf('UPDATE', 'n'),
    path: [],
  };
}

export function updateOne(call: CollectionCall): Plan {
  return updatePlan(call, updateOf(call.args.any(1), call.args), false);
}

export function updateMany(call: CollectionCall): Plan {
  return updatePlan(call, updateOf(call.args.any(1), call.args), true);
}

export function replaceOne(call: CollectionCall): Plan {
  return updatePlan(call, replacementOf(call.args.any(1), call.args), false);
}

function deletePlan(call: CollectionCall, limit: 0 | 1): Plan {
  const [fields, rest] = split(call.args.options(1, DELETE_OPTIONS), DELETE_FIELDS);
  const statement = { q: call.args.document(0), limit, ...fields };
  return {
    operations: [operation(call, { delete: call.collection, deletes: [statement], ...rest })],
    answer: {
      kind: 'value',
      from: ([reply]) => ({ acknowledged: true, deletedCount: numberOf(reply?.['n']) }),
    },
    tag: tagOf('DELETE', 'n'),
    path: [],
  };
}

export function deleteOne(call: CollectionCall): Plan {
  return deletePlan(call, 1);
}

export function deleteMany(call: CollectionCall): Plan {
  return deletePlan(call, 0);
}

const FIND_AND_MODIFY_OPTIONS = {
  ...sameNames(
    `sort upsert arrayFilters collation hint returnDocument returnNewDocument ${COMMAND_OPTIONS}`,
  ),
  projection: 'fields',
};

function findAndModifyPlan(call: CollectionCall, change: Fields, optionsIndex: number): Plan {
  const {
    returnDocument,
    returnNewDocument: isNewAsked,
    ...options
  } = call.args.options(optionsIndex, FIND_AND_MODIFY_OPTIONS);
  const isNew = returnDocument === 'after' || isNewAsked === true;
  const command = {
    findAndModify: call.collection,
    query: call.args.document(0),
    ...change,
    ...(isNew ? { new: true } : {}),
    ...options,
  };
  return {
    operations: [operation(call, command)],
    answer: { kind: 'value', from: ([reply]) => reply?.['value'] ?? null },
    path: [],
  };
}

export function findOneAndUpdate(call: CollectionCall): Plan {
  return findAndModifyPlan(call, { update: updateOf(call.args.any(1), call.args) }, 2);
}

export function findOneAndReplace(call: CollectionCall): Plan {
  return findAndModifyPlan(call, { update: replacementOf(call.args.any(1), call.args) }, 2);
}

export function findOneAndDelete(call: CollectionCall): Plan {
  return findAndModifyPlan(call, { remove: true }, 1);
}

const FIND_AND_MODIFY_FIELDS = sameNames(
  `query update remove new sort fields upsert arrayFilters collation hint ${COMMAND_OPTIONS}`,
);

export function findAndModify(call: CollectionCall): Plan {
  const fields = call.args.options(0, FIND_AND_MODIFY_FIELDS);
  return {
    operations: [operation(call, { findAndModify: call.collection, ...fields })],
    answer: { kind: 'value', from: ([reply]) => reply?.['value'] ?? null },
    path: [],
  };
}
