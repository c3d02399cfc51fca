// Methods of a collection, by their names in the shell.
import { BSON, Long } from 'mongodb';
import { bulkWrite } from './bulk-write.ts';
import { draftAggregate, draftFind } from './cursor-methods.ts';
import type { CursorDraft } from './cursor-methods.ts';
import { numberOf } from './plan.ts';
import type { Command, Plan, Reply } from './plan.ts';
import { sameNames } from './shell-arguments.ts';
import type { CollectionCall } from './write-methods.ts';
import * as writes from './write-methods.ts';

interface Method {
  readonly min?: number;
  readonly max: number;
}

/** Gives a cursor that further methods may change. */
interface CursorMethod extends Method {
  readonly draft: (call: CollectionCall) => CursorDraft;
}

interface PlainMethod extends Method {
  readonly plan: (call: CollectionCall) => Plan;
}

/** Server error: the collection does not exist. */
const NAMESPACE_NOT_FOUND = 26;

const AGGREGATE_ARGUMENTS_MAX = 1000;

/** Gives cursors. */
export const CURSOR_SOURCES: ReadonlyMap<string, CursorMethod> = new Map<string, CursorMethod>([
  [
    'find',
    { max: 3, draft: ({ database, collection, args }) => draftFind(database, collection, args) },
  ],
  [
    'aggregate',
    {
      max: AGGREGATE_ARGUMENTS_MAX,
      draft: ({ database, collection, args }) => draftAggregate(database, collection, args),
    },
  ],
]);

function command(
  { database }: CollectionCall,
  fields: Command,
  from: (replies: readonly Reply[]) => unknown,
): Plan {
  return {
    operations: [{ database, command: fields }],
    answer: { kind: 'value', from },
    path: [],
  };
}

function reply({ database }: { readonly database: string }, fields: Command): Plan {
  return { operations: [{ database, command: fields }], answer: { kind: 'reply' }, path: [] };
}

function findOne({ database, collection, args }: CollectionCall): Plan {
  const draft = draftFind(database, collection, args);
  return {
    operations: [{ database, command: { ...draft.command, limit: 1 } }],
    answer: { kind: 'first' },
    path: [],
  };
}

const COUNT_OPTIONS = sameNames('limit skip hint collation maxTimeMS comment readConcern');

function countDocuments(call: CollectionCall): Plan {
  const { limit, skip, ...options } = call.args.options(1, COUNT_OPTIONS);
  const pipeline = [
    { $match: call.args.document(0) },
    ...(skip === undefined ? [] : [{ $skip: skip }]),
    ...(limit === undefined ? [] : [{ $limit: limit }]),
    { $group: { _id: 1, n: { $sum: 1 } } },
  ];
  const fields = { aggregate: call.collection, pipeline, cursor: {}, ...options };
  return command(call, fields, ([reply]) => numberOf(firstOf(reply)?.['n']));
}

/** The first document of the cursor that a reply holds. */
function firstOf(reply: Reply | undefined): BSON.Document | undefined {
  const cursor = reply?.['cursor'];
  const read = cursor instanceof Uint8Array ? BSON.deserialize(cursor) : {};
  const batch: unknown = read['firstBatch'];
  const first: unknown = Array.isArray(batch) ? batch[0] : undefined;
  return typeof first === 'object' && first !== null ? { ...first } : undefined;
}

function count(call: CollectionCall): Plan {
  const query = call.args.document(0);
  const options = call.args.options(1, COUNT_OPTIONS);
  return command(call, { count: call.collection, query, ...options }, ([reply]) =>
    numberOf(reply?.['n']),
  );
}

function estimatedDocumentCount(call: CollectionCall): Plan {
  const options = call.args.options(0, sameNames('maxTimeMS comment'));
  return command(call, { count: call.collection, ...options }, ([reply]) => numberOf(reply?.['n']));
}

function distinct({ database, collection, args }: CollectionCall): Plan {
  const query = args.document(1);
  const options = args.options(2, sameNames('collation maxTimeMS comment readConcern hint'));
  const fields = { distinct: collection, key: args.string(0), query, ...options };
  return {
    operations: [{ database, command: fields }],
    answer: { kind: 'values', from: ([reply]) => arrayOf(reply?.['values']) },
    path: [],
  };
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** As the shell names an index: fields and directions, joined. */
function nameOfIndex(keys: ReadonlyMap<string, unknown>): string {
  return [...keys].map(([field, kind]) => `${field}_${String(kind)}`).join('_');
}

function createIndex(call: CollectionCall): Plan {
  const keys = call.args.document(0);
  const options = Object.fromEntries(call.args.document(1));
  const index = { name: nameOfIndex(keys), key: keys, ...options };
  return command(call, { createIndexes: call.collection, indexes: [index] }, () => index.name);
}

function createIndexes(call: CollectionCall): Plan {
  const options = Object.fromEntries(call.args.document(1));
  const indexes = call.args.array(0).map((keys) => {
    if (!(keys instanceof Map)) {
      throw call.args.wrong(0, 'an array of documents');
    }
    const key = new Map<string, unknown>(keys);
    return { name: nameOfIndex(key), key, ...options };
  });
  return {
    operations: [{ database: call.database, command: { createIndexes: call.collection, indexes } }],
    answer: { kind: 'values', from: () => indexes.map(({ name }) => name) },
    path: [],
  };
}

function getIndexes({ database, collection }: CollectionCall): Plan {
  return {
    operations: [{ database, command: { listIndexes: collection, cursor: {} } }],
    answer: { kind: 'documents' },
    path: [],
  };
}

function drop({ database, collection }: CollectionCall): Plan {
  const fields = { drop: collection };
  return {
    operations: [{ database, command: fields, tolerated: [NAMESPACE_NOT_FOUND] }],
    answer: { kind: 'value', from: ([reply]) => numberOf(reply?.['ok']) === 1 },
    path: [],
  };
}

function renameCollection({ database, collection, args }: CollectionCall): Plan {
  const fields = {
    renameCollection: `${database}.${collection}`,
    to: `${database}.${args.string(0)}`,
    dropTarget: args.boolean(1, false),
  };
  return {
    operations: [{ database: 'admin', command: fields }],
    answer: { kind: 'value', from: () => ({ ok: 1 }) },
    path: [],
  };
}

function statistic(field: string): PlainMethod {
  return {
    max: 0,
    plan: (call) =>
      command(call, { collStats: call.collection }, ([reply]) => reply?.[field] ?? Long.ZERO),
  };
}

function isCapped(call: CollectionCall): Plan {
  const fields = {
    listCollections: 1,
    filter: { name: call.collection, 'options.capped': true },
    cursor: {},
  };
  return command(call, fields, ([reply]) => firstOf(reply) !== undefined);
}

function latencyStats({ database, collection, args }: CollectionCall): Plan {
  const options = args.optionalDocument(0) ?? new Map([['histograms', true]]);
  const pipeline = [{ $collStats: { latencyStats: options } }];
  return {
    operations: [{ database, command: { aggregate: collection, pipeline, cursor: {} } }],
    answer: { kind: 'documents' },
    path: [],
  };
}

function stats(call: CollectionCall): Plan {
  const scale = typeof call.args.any(0) === 'number' ? { scale: call.args.number(0) } : {};
  const options = call.args.any(0) instanceof Map ? call.args.options(0, sameNames('scale')) : {};
  return reply(call, { collStats: call.collection, ...scale, ...options });
}

function validate(call: CollectionCall): Plan {
  const isFull = call.args.any(0) === true;
  const options = isFull ? { full: true } : Object.fromEntries(call.args.document(0));
  return reply(call, { validate: call.collection, ...options });
}

function dropIndex(call: CollectionCall): Plan {
  return reply(call, { dropIndexes: call.collection, index: call.args.any(0) });
}

function dropIndexes(call: CollectionCall): Plan {
  return reply(call, { dropIndexes: call.collection, index: call.args.any(0) ?? '*' });
}

/** Everything but cursors. */
export const COLLECTION_METHODS: ReadonlyMap<string, PlainMethod> = new Map<string, PlainMethod>([
  ['findOne', { max: 3, plan: findOne }],
  ['countDocuments', { max: 2, plan: countDocuments }],
  ['estimatedDocumentCount', { max: 1, plan: estimatedDocumentCount }],
  ['count', { max: 2, plan: count }],
  ['distinct', { min: 1, max: 3, plan: distinct }],
  ['insertOne', { min: 1, max: 2, plan: writes.insertOne }],
  ['insertMany', { min: 1, max: 2, plan: writes.insertMany }],
  ['updateOne', { min: 2, max: 3, plan: writes.updateOne }],
  ['updateMany', { min: 2, max: 3, plan: writes.updateMany }],
  ['replaceOne', { min: 2, max: 3, plan: writes.replaceOne }],
  ['deleteOne', { min: 1, max: 2, plan: writes.deleteOne }],
  ['deleteMany', { min: 1, max: 2, plan: writes.deleteMany }],
  ['findOneAndUpdate', { min: 2, max: 3, plan: writes.findOneAndUpdate }],
  ['findOneAndReplace', { min: 2, max: 3, plan: writes.findOneAndReplace }],
  ['findOneAndDelete', { min: 1, max: 2, plan: writes.findOneAndDelete }],
  ['findAndModify', { min: 1, max: 1, plan: writes.findAndModify }],
  ['bulkWrite', { min: 1, max: 2, plan: bulkWrite }],
  ['createIndex', { min: 1, max: 2, plan: createIndex }],
  ['createIndexes', { min: 1, max: 2, plan: createIndexes }],
  ['dropIndex', { min: 1, max: 1, plan: dropIndex }],
  ['dropIndexes', { max: 1, plan: dropIndexes }],
  ['getIndexes', { max: 0, plan: getIndexes }],
  ['drop', { max: 1, plan: drop }],
  ['renameCollection', { min: 1, max: 2, plan: renameCollection }],
  ['stats', { max: 1, plan: stats }],
  ['dataSize', statistic('size')],
  ['storageSize', statistic('storageSize')],
  ['totalIndexSize', statistic('totalIndexSize')],
  ['isCapped', { max: 0, plan: isCapped }],
  ['latencyStats', { max: 1, plan: latencyStats }],
  ['validate', { max: 1, plan: validate }],
]);
