// Methods of a database and of `rs`, by their names in the shell.
import { BSON } from 'mongodb';
import { draftAggregate } from './cursor-methods.ts';
import type { CursorDraft } from './cursor-methods.ts';
import { documentsIn } from './plan.ts';
import type { Command, Plan, Reply } from './plan.ts';
import { sameNames } from './shell-arguments.ts';
import type { Arguments } from './shell-arguments.ts';
import type { ShellDocument } from './shell-values.ts';

interface DatabaseCall {
  readonly database: string;
  readonly args: Arguments;
}

interface Method {
  readonly min?: number;
  readonly max: number;
  readonly plan: (call: DatabaseCall) => Plan;
}

function reply(database: string, command: Command): Plan {
  return { operations: [{ database, command }], answer: { kind: 'reply' }, path: [] };
}

/** The plan for one field of the reply. */
function field(database: string, command: Command, name: string): Plan {
  return {
    operations: [{ database, command }],
    answer: { kind: 'value', from: ([answer]) => answer?.[name] },
    path: [],
  };
}

/** Commands that take nothing, or a document with more fields. */
function simple(name: string, { isAdmin = false } = {}): Method {
  return {
    max: 1,
    plan: ({ database, args }) =>
      reply(isAdmin ? 'admin' : database, { [name]: 1, ...Object.fromEntries(args.document(0)) }),
  };
}

/** Commands whose answer is a cursor. */
const CURSOR_COMMANDS = new Set(['find', 'aggregate', 'listCollections', 'listIndexes']);

/** Runs a command document as it was typed. */
export function commandPlan(database: string, command: ShellDocument): Plan {
  const fields = Object.fromEntries(command);
  const [name = ''] = command.keys();
  const isCursor = CURSOR_COMMANDS.has(name) && command.get('explain') !== true;
  return {
    operations: [{ database, command: fields }],
    answer: { kind: isCursor ? 'documents' : 'reply' },
    path: [],
  };
}

function runCommand(database: string, args: Arguments): Plan {
  const asked = args.any(0);
  const command = typeof asked === 'string' ? new Map([[asked, 1]]) : args.document(0);
  return commandPlan(database, new Map<string, unknown>([...command, ...args.document(1)]));
}

/** Names in the first batch: a listing of names is far smaller than a batch. */
function namesIn(answer: Reply | undefined): string[] {
  const cursor = answer?.['cursor'];
  const read = cursor instanceof Uint8Array ? BSON.deserialize(cursor) : {};
  const batch: unknown = read['firstBatch'];
  const documents: readonly unknown[] = Array.isArray(batch) ? batch : [];
  return documentsIn(documents)
    .map(({ name }) => String(name))
    .sort();
}

const LIST_NAMES = { listCollections: 1, nameOnly: true, authorizedCollections: true } as const;

/** More collections than any database should have; the server gives them in one batch. */
const NAMES_MAX = 100_000;

const LISTING: Command = { ...LIST_NAMES, cursor: { batchSize: NAMES_MAX } };

function collectionNames({ database }: DatabaseCall): Plan {
  return {
    operations: [{ database, command: LISTING }],
    answer: { kind: 'values', from: ([answer]) => namesIn(answer) },
    path: [],
  };
}

/** `show collections`. */
export function showCollections(database: string): Plan {
  return {
    operations: [{ database, command: LISTING }],
    answer: { kind: 'lines', column: 'name', from: ([answer]) => namesIn(answer) },
    path: [],
  };
}

/** `show dbs`, `show users` and the like: one field of each element of the reply's list. */
export function showList(
  database: string,
  command: Command,
  { list, name, column }: { readonly list: string; readonly name: string; readonly column: string },
): Plan {
  return {
    operations: [{ database, command }],
    answer: {
      kind: 'lines',
      column,
      from: ([answer]) => documentsIn(answer?.[list]).map((element) => String(element[name])),
    },
    path: [],
  };
}

/** `show profile`: the five last operations that took long. */
export function showProfile(database: string): Plan {
  return {
    operations: [
      {
        database,
        command: { find: 'system.profile', filter: {}, sort: { $natural: -1 }, limit: 5 },
      },
    ],
    answer: { kind: 'documents' },
    path: [],
  };
}

function collectionInfos({ database, args }: DatabaseCall): Plan {
  const command = {
    listCollections: 1,
    filter: args.document(0),
    nameOnly: args.boolean(1, false),
    cursor: {},
  };
  return { operations: [{ database, command }], answer: { kind: 'documents' }, path: [] };
}

const okAnswer: Plan['answer'] = { kind: 'value', from: () => ({ ok: 1 }) };

function createCollection({ database, args }: DatabaseCall): Plan {
  const command = { create: args.string(0), ...Object.fromEntries(args.document(1)) };
  return { operations: [{ database, command }], answer: okAnswer, path: [] };
}

function createView({ database, args }: DatabaseCall): Plan {
  const pipeline = args.any(2) instanceof Map ? [args.document(2)] : args.array(2);
  const options = args.options(3, sameNames('collation'));
  const command = { create: args.string(0), viewOn: args.string(1), pipeline, ...options };
  return { operations: [{ database, command }], answer: okAnswer, path: [] };
}

function currentOp({ args }: DatabaseCall): Plan {
  const filter = args.any(0) === true ? { $all: true } : Object.fromEntries(args.document(0));
  return reply('admin', { currentOp: 1, ...filter });
}

function setProfilingLevel({ database, args }: DatabaseCall): Plan {
  const options =
    typeof args.any(1) === 'number'
      ? { slowms: args.number(1) }
      : Object.fromEntries(args.document(1));
  return reply(database, { profile: args.number(0), ...options });
}

const usersPlan =
  (name: string) =>
  ({ database, args }: DatabaseCall): Plan =>
    reply(database, { [name]: 1, ...Object.fromEntries(args.document(0)) });

export const DATABASE_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['runCommand', { min: 1, max: 2, plan: ({ database, args }) => runCommand(database, args) }],
  ['adminCommand', { min: 1, max: 2, plan: ({ args }) => runCommand('admin', args) }],
  ['getCollectionNames', { max: 0, plan: collectionNames }],
  ['getCollectionInfos', { max: 2, plan: collectionInfos }],
  ['createCollection', { min: 1, max: 2, plan: createCollection }],
  ['createView', { min: 3, max: 4, plan: createView }],
  ['dropDatabase', { max: 1, plan: ({ database }) => reply(database, { dropDatabase: 1 }) }],
  [
    'stats',
    {
      max: 1,
      plan: ({ database, args }) =>
        reply(database, {
          dbStats: 1,
          ...(typeof args.any(0) === 'number'
            ? { scale: args.number(0) }
            : Object.fromEntries(args.document(0))),
        }),
    },
  ],
  ['serverStatus', simple('serverStatus')],
  ['version', { max: 0, plan: ({ database }) => field(database, { buildInfo: 1 }, 'version') }],
  ['hello', simple('hello')],
  ['isMaster', simple('hello')],
  ['hostInfo', simple('hostInfo', { isAdmin: true })],
  ['currentOp', { max: 1, plan: currentOp }],
  [
    'killOp',
    { min: 1, max: 1, plan: ({ args }) => reply('admin', { killOp: 1, op: args.any(0) }) },
  ],
  ['getUsers', { max: 1, plan: usersPlan('usersInfo') }],
  ['getRoles', { max: 1, plan: usersPlan('rolesInfo') }],
  ['getProfilingStatus', { max: 0, plan: ({ database }) => reply(database, { profile: -1 }) }],
  ['setProfilingLevel', { min: 1, max: 2, plan: setProfilingLevel }],
  [
    'listCommands',
    { max: 0, plan: ({ database }) => field(database, { listCommands: 1 }, 'commands') },
  ],
  [
    'getName',
    {
      max: 0,
      plan: ({ database }) => ({
        operations: [],
        answer: { kind: 'value', from: () => database },
        path: [],
      }),
    },
  ],
]);

/** `db.aggregate([...])`: stages that need no collection. */
export function databaseCursor(database: string, args: Arguments): CursorDraft {
  return draftAggregate(database, 1, args);
}

export const REPLICA_SET_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['status', { max: 0, plan: () => reply('admin', { replSetGetStatus: 1 }) }],
  ['conf', { max: 0, plan: () => field('admin', { replSetGetConfig: 1 }, 'config') }],
  ['config', { max: 0, plan: () => field('admin', { replSetGetConfig: 1 }, 'config') }],
  ['hello', { max: 0, plan: () => reply('admin', { hello: 1 }) }],
]);
