// Methods of a cursor: they change the command before it is sent, or say what becomes of it.
import type { ReadPreferenceMode } from 'mongodb';
import { pickOptions, sameNames } from './shell-arguments.ts';
import type { Arguments } from './shell-arguments.ts';
import type { Answer, Command } from './plan.ts';
import { numberOf } from './plan.ts';

/** A find or aggregate that is still being put together. */
export interface CursorDraft {
  readonly database: string;
  readonly command: Command;
  readonly readPreference?: ReadPreferenceMode;
  readonly batchSize?: number;
  readonly answer: Answer;
}

interface CursorMethod {
  readonly min?: number;
  readonly max: number;
  /** Whether it is a method of find and aggregate both. */
  readonly isShared?: boolean;
  readonly apply: (draft: CursorDraft, args: Arguments) => CursorDraft;
}

/** Sets one field of the command to the first argument. */
function sets(field: string, read: (args: Arguments) => unknown, isShared = false): CursorMethod {
  return {
    min: 1,
    max: 1,
    isShared,
    apply: (draft, args) => withFields(draft, { [field]: read(args) }),
  };
}

function flag(field: string): CursorMethod {
  return {
    max: 1,
    apply: (draft, args) => withFields(draft, { [field]: args.boolean(0, true) }),
  };
}

function withFields(draft: CursorDraft, fields: Command): CursorDraft {
  return { ...draft, command: { ...draft.command, ...fields } };
}

const document = (args: Arguments): unknown => args.document(0);
const any = (args: Arguments): unknown => args.any(0);

/** The value itself, since limit(-1) and the like are the server's to judge. */
const number = (args: Arguments): number => args.number(0);

const same = (draft: CursorDraft): CursorDraft => draft;

/** A negative limit is the server's "one batch": this shell gives as many documents. */
function limit(draft: CursorDraft, args: Arguments): CursorDraft {
  return withFields(draft, { limit: Math.abs(args.number(0)) });
}

function stage(name: string, read: (args: Arguments) => unknown): CursorMethod['apply'] {
  return (draft, args) => {
    const { pipeline } = draft.command;
    const stages: readonly unknown[] = Array.isArray(pipeline) ? pipeline : [];
    return withFields(draft, { pipeline: [...stages, new Map([[name, read(args)]])] });
  };
}

function batchSize(draft: CursorDraft, args: Arguments): CursorDraft {
  const size = args.number(0);
  const fields =
    'aggregate' in draft.command ? { cursor: { batchSize: size } } : { batchSize: size };
  return { ...withFields(draft, fields), batchSize: size };
}

const MODES: readonly ReadPreferenceMode[] = [
  'primary',
  'primaryPreferred',
  'secondary',
  'secondaryPreferred',
  'nearest',
];

function readPref(draft: CursorDraft, args: Arguments): CursorDraft {
  const mode = MODES.find((known) => known === args.any(0));
  if (mode === undefined) {
    throw args.wrong(0, `one of ${MODES.join(', ')}`);
  }
  return { ...draft, readPreference: mode };
}

/** Fields of a find that a count of the same documents has too. */
const COUNT_FIELDS = ['hint', 'collation', 'maxTimeMS', 'comment', 'readConcern'];

/** The count command for the same documents; `size` heeds skip and limit, and so does `count`. */
function count(draft: CursorDraft): CursorDraft {
  const { command } = draft;
  const names = [...COUNT_FIELDS, 'skip', 'limit'].filter((name) => Object.hasOwn(command, name));
  return {
    ...draft,
    command: {
      count: command['find'],
      query: command['filter'],
      ...Object.fromEntries(names.map((name) => [name, command[name]])),
    },
    answer: { kind: 'value', from: ([reply]) => numberOf(reply?.['n']) },
  };
}

/** What explain is asked for, in the shell's words. */
export function verbosityOf(args: Arguments): string {
  const asked = args.any(0) ?? 'queryPlanner';
  const verbosity = asked === true ? 'allPlansExecution' : asked === false ? 'queryPlanner' : asked;
  if (typeof verbosity !== 'string') {
    throw args.wrong(0, 'queryPlanner, executionStats or allPlansExecution');
  }
  return verbosity;
}

/** The command that explains this one. */
export function explained(command: Command, verbosity: string): Command {
  return { explain: command, verbosity };
}

function explain(draft: CursorDraft, args: Arguments): CursorDraft {
  return {
    ...draft,
    command: explained(draft.command, verbosityOf(args)),
    answer: { kind: 'reply' },
  };
}

/** By the shell's names. */
export const CURSOR_METHODS: ReadonlyMap<string, CursorMethod> = new Map<string, CursorMethod>([
  ['sort', sets('sort', document)],
  ['limit', { min: 1, max: 1, apply: limit }],
  ['skip', sets('skip', number)],
  ['project', sets('projection', document)],
  ['projection', sets('projection', document)],
  ['hint', sets('hint', any, true)],
  ['collation', sets('collation', document, true)],
  ['comment', sets('comment', any, true)],
  ['maxTimeMS', sets('maxTimeMS', number, true)],
  ['batchSize', { min: 1, max: 1, isShared: true, apply: batchSize }],
  ['readPref', { min: 1, max: 2, isShared: true, apply: readPref }],
  [
    'readConcern',
    { ...sets('readConcern', (args) => ({ level: args.string(0) })), isShared: true },
  ],
  ['allowDiskUse', { ...flag('allowDiskUse'), isShared: true }],
  ['min', sets('min', document)],
  ['max', sets('max', document)],
  ['returnKey', flag('returnKey')],
  ['showRecordId', flag('showRecordId')],
  ['noCursorTimeout', flag('noCursorTimeout')],
  ['count', { max: 1, apply: count }],
  ['size', { max: 0, apply: count }],
  [
    'itcount',
    { max: 0, isShared: true, apply: (draft) => ({ ...draft, answer: { kind: 'count' } }) },
  ],
  ['explain', { max: 1, isShared: true, apply: explain }],
  ['toArray', { max: 0, isShared: true, apply: same }],
  ['pretty', { max: 1, isShared: true, apply: same }],
]);

/** On an aggregation these add a stage. */
export const AGGREGATION_STAGES: ReadonlyMap<string, CursorMethod> = new Map<string, CursorMethod>([
  ['sort', { min: 1, max: 1, apply: stage('$sort', document) }],
  ['limit', { min: 1, max: 1, apply: stage('$limit', number) }],
  ['skip', { min: 1, max: 1, apply: stage('$skip', number) }],
  ['project', { min: 1, max: 1, apply: stage('$project', document) }],
  ['projection', { min: 1, max: 1, apply: stage('$project', document) }],
]);

const FIND_OPTIONS = sameNames(
  'sort limit skip projection hint collation comment maxTimeMS batchSize allowDiskUse min max ' +
    'returnKey showRecordId noCursorTimeout readConcern let allowPartialResults',
);

/** `find(filter, projection, options)`. */
export function draftFind(database: string, collection: string, args: Arguments): CursorDraft {
  const projection = args.optionalDocument(1);
  return {
    database,
    command: {
      find: collection,
      filter: args.document(0),
      ...(projection === undefined ? {} : { projection }),
      ...args.options(2, FIND_OPTIONS),
    },
    answer: { kind: 'documents' },
  };
}

const AGGREGATE_OPTIONS = sameNames(
  'allowDiskUse collation comment hint let maxTimeMS readConcern writeConcern ' +
    'bypassDocumentValidation explain batchSize cursor',
);

/**
 * `aggregate([stages], options)`, or each stage as an argument of its own.
 *
 * @param target a collection's name, or 1 for stages of a database
 */
export function draftAggregate(database: string, target: string | 1, args: Arguments): CursorDraft {
  const isArray = Array.isArray(args.any(0));
  const pipeline = isArray ? args.array(0) : everyDocument(args);
  const {
    explain: isExplain,
    batchSize: size,
    ...options
  } = isArray ? pickOptions(args.document(1), AGGREGATE_OPTIONS, args) : {};
  const cursor = typeof size === 'number' ? { batchSize: size } : {};
  const command = { aggregate: target, pipeline, cursor, ...options };
  return isExplain === true
    ? { database, command: explained(command, 'queryPlanner'), answer: { kind: 'reply' } }
    : { database, command, answer: { kind: 'documents' } };
}

function everyDocument(args: Arguments): unknown[] {
  return Array.from({ length: args.length }, (_, index) => args.document(index));
}
