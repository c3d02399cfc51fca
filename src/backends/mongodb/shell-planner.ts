// A statement in, a plan out. Pure: what is sent to the server is decided here and nowhere else.
import { SQLSTATE } from '../../errors.ts';
import { nearestName } from '../../nearest-name.ts';
import { COLLECTION_METHODS, CURSOR_SOURCES } from './collection-methods.ts';
import { AGGREGATION_STAGES, CURSOR_METHODS, explained, verbosityOf } from './cursor-methods.ts';
import type { CursorDraft } from './cursor-methods.ts';
import {
  commandPlan,
  databaseCursor,
  DATABASE_METHODS,
  REPLICA_SET_METHODS,
  showCollections,
  showList,
  showProfile,
} from './database-methods.ts';
import { isDatabaseName } from './database-name.ts';
import { linesPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { Arguments } from './shell-arguments.ts';
import { ShellSyntaxError } from './shell-error.ts';
import { collectionHelp, databaseHelp, generalHelp } from './shell-help.ts';
import type { Link, Statement } from './shell-parser.ts';

type Call = Extract<Link, { kind: 'call' }>;
type ShellStatement = Exclude<Statement, { kind: 'sql' }>;

/** Names that a document of a cursor could only get from a program. */
const PROGRAM_METHODS = new Set(['forEach', 'map', 'mapReduce', 'filter', 'reduce', 'watch']);

/** Longest name of a database. */
/** What an error shows of a name. */
const SHOWN_NAME_MAX = 63;

/**
 * What a statement comes to in this database.
 *
 * @throws ShellSyntaxError for what is not known, at its place
 */
export function planStatement(statement: ShellStatement, database: string): Plan {
  switch (statement.kind) {
    case 'command':
      return commandPlan(database, statement.command);
    case 'words':
      return planWords(statement, database);
    case 'chain':
      return planChain(statement, database);
  }
}

function planWords(
  { words, offset }: Extract<Statement, { kind: 'words' }>,
  database: string,
): Plan {
  const [word = '', subject = ''] = words.map((part) => part.replace(/\(\s*\)$/, ''));
  switch (word.toLowerCase()) {
    case 'use':
      return planUse(words.slice(1).join(' '), offset);
    case 'show':
      return planShow(subject.toLowerCase(), database, offset);
    case 'it':
      return linesPlan('result', ['no cursor: every result is sent whole, up to the limits']);
    default:
      return linesPlan('help', generalHelp());
  }
}

function planUse(name: string, offset: number): Plan {
  const database = name.replace(/^(["'])(.*)\1$/, '$2');
  assertDatabaseName(database, offset);
  return linesPlan('result', [`switched to db ${database}`], database);
}

function assertDatabaseName(name: string, offset: number): void {
  if (!isDatabaseName(name)) {
    throw new ShellSyntaxError(`"${name.slice(0, SHOWN_NAME_MAX)}" is no database name`, offset, {
      hint: 'use takes a name without blanks, dots and slashes',
    });
  }
}

function planShow(subject: string, database: string, offset: number): Plan {
  switch (subject) {
    case 'dbs':
    case 'databases':
      return showList(
        'admin',
        { listDatabases: 1, nameOnly: true, authorizedDatabases: true },
        { list: 'databases', name: 'name', column: 'name' },
      );
    case 'collections':
    case 'tables':
      return showCollections(database);
    case 'users':
      return showList(database, { usersInfo: 1 }, { list: 'users', name: '_id', column: 'user' });
    case 'roles':
      return showList(
        database,
        { rolesInfo: 1, showBuiltinRoles: true },
        { list: 'roles', name: 'role', column: 'role' },
      );
    case 'profile':
      return showProfile(database);
    default:
      throw new ShellSyntaxError(`show ${subject} is not supported`, offset, {
        sqlState: SQLSTATE.featureNotSupported,
        hint: 'It is show dbs, collections, users, roles or profile',
      });
  }
}

/** Reads a chain from its root on. */
class ChainReader {
  readonly #links: readonly Link[];
  #next = 0;

  constructor(links: readonly Link[]) {
    this.#links = links;
  }

  get isDone(): boolean {
    return this.#next >= this.#links.length;
  }

  /** A name that is called: it and its call. */
  takeCall(): { readonly name: string; readonly call: Call; readonly offset: number } | undefined {
    const [name, call] = this.#links.slice(this.#next, this.#next + 2);
    if (name?.kind !== 'name' || call?.kind !== 'call') {
      return undefined;
    }
    this.#next += 2;
    return { name: name.name, call, offset: name.offset };
  }

  /** A name that is not called. */
  takeName(): string | undefined {
    const [name, call] = this.#links.slice(this.#next, this.#next + 2);
    if (name?.kind !== 'name' || call?.kind === 'call') {
      return undefined;
    }
    this.#next += 1;
    return name.name;
  }

  /** Everything that is left, as a path into the answer. */
  takePath(): (string | number)[] {
    const rest = this.#links.slice(this.#next);
    this.#next = this.#links.length;
    return rest.map((link, index) => {
      if (link.kind === 'call') {
        const name = rest[index - 1];
        const label = name?.kind === 'name' ? name.name : '';
        throw unknownMethod(label, link.offset, [...CURSOR_METHODS.keys()]);
      }
      return link.kind === 'name' ? link.name : link.index;
    });
  }
}

function planChain(
  { root, links, offset }: Extract<Statement, { kind: 'chain' }>,
  database: string,
): Plan {
  const chain = new ChainReader(links);
  if (root === 'rs') {
    return planMethod(chain, { database, methods: REPLICA_SET_METHODS, offset });
  }
  if (root !== 'db') {
    throw new ShellSyntaxError(`${root} is not known here`, offset, {
      ...(PROGRAM_ROOTS.has(root) ? { sqlState: SQLSTATE.featureNotSupported } : {}),
      hint: 'Statements begin with db, rs, show, use or help, for example db.people.find({})',
    });
  }
  return planDatabase(chain, database, offset);
}

/** What mongosh has and nothing here stands for. */
const PROGRAM_ROOTS = new Set(['sh', 'print', 'printjson', 'load', 'sleep', 'Mongo', 'EJSON']);

/** Everything behind `db`, or behind a getSiblingDB(). */
function planDatabase(chain: ChainReader, database: string, offset: number): Plan {
  const first = chain.takeName();
  if (first !== undefined) {
    return planCollection(chain, database, first);
  }
  if (chain.isDone) {
    return linesPlan('result', [database]);
  }
  const called = chain.takeCall();
  if (called === undefined) {
    throw new ShellSyntaxError('db is followed by a collection or a method', offset);
  }
  const { name, call } = called;
  const one = { min: 1, max: 1 };
  switch (name) {
    case 'getSiblingDB': {
      const sibling = new Arguments(name, call, one).string(0);
      assertDatabaseName(sibling, call.offset);
      return planDatabase(chain, sibling, call.offset);
    }
    case 'getCollection':
      return planCollection(chain, database, new Arguments(name, call, one).string(0));
    case 'help':
      return linesPlan('help', databaseHelp());
    case 'aggregate': {
      const args = new Arguments(name, call, { max: 1000 });
      return planCursor(chain, databaseCursor(database, args));
    }
    default:
      return planCalled(chain, called, { database, methods: DATABASE_METHODS });
  }
}

interface MethodTable {
  readonly database: string;
  readonly methods: ReadonlyMap<
    string,
    {
      readonly min?: number;
      readonly max: number;
      readonly plan: (call: { database: string; args: Arguments }) => Plan;
    }
  >;
}

function planMethod(chain: ChainReader, table: MethodTable & { readonly offset: number }): Plan {
  const called = chain.takeCall();
  if (called === undefined) {
    throw new ShellSyntaxError('A method is missing', table.offset, {
      hint: `It is one of ${[...table.methods.keys()].join(', ')}`,
    });
  }
  return planCalled(chain, called, table);
}

function planCalled(
  chain: ChainReader,
  { name, call, offset }: { readonly name: string; readonly call: Call; readonly offset: number },
  { database, methods }: MethodTable,
): Plan {
  const method = methods.get(name);
  if (method === undefined) {
    throw unknownMethod(name, offset, [...methods.keys()]);
  }
  const plan = method.plan({ database, args: new Arguments(name, call, method) });
  return { ...plan, path: chain.takePath() };
}

function planCollection(chain: ChainReader, database: string, first: string): Plan {
  let collection = first;
  for (let name = chain.takeName(); name !== undefined; name = chain.takeName()) {
    collection = `${collection}.${name}`;
  }
  const called = chain.takeCall();
  if (called === undefined) {
    if (chain.isDone) {
      return linesPlan('result', [`${database}.${collection}`]);
    }
    throw new ShellSyntaxError('A collection is followed by a method', 0, {
      hint: 'For example .find({}) or .findOne({})',
    });
  }
  const { name, call } = called;
  if (name === 'help') {
    return linesPlan('help', collectionHelp());
  }
  if (name === 'explain') {
    const verbosity = verbosityOf(new Arguments(name, call, { max: 1 }));
    return explainPlan(planCollection(chain, database, collection), verbosity);
  }
  const source = CURSOR_SOURCES.get(name);
  if (source !== undefined) {
    const args = new Arguments(name, call, source);
    return planCursor(chain, source.draft({ database, collection, args }));
  }
  const method = COLLECTION_METHODS.get(name);
  if (method === undefined) {
    throw unknownMethod(name, called.offset, [
      ...CURSOR_SOURCES.keys(),
      ...COLLECTION_METHODS.keys(),
    ]);
  }
  const args = new Arguments(name, call, method);
  return { ...method.plan({ database, collection, args }), path: chain.takePath() };
}

/** `db.c.explain().find()`: the command that would be sent, explained. */
function explainPlan(plan: Plan, verbosity: string): Plan {
  const [first] = plan.operations;
  return {
    operations:
      first === undefined ? [] : [{ ...first, command: explained(first.command, verbosity) }],
    answer: { kind: 'reply' },
    path: plan.path,
  };
}

function planCursor(chain: ChainReader, start: CursorDraft): Plan {
  let draft = start;
  for (let called = chain.takeCall(); called !== undefined; called = chain.takeCall()) {
    const { name, call, offset } = called;
    if (name === 'help') {
      return linesPlan('help', collectionHelp());
    }
    const method = cursorMethod(draft, name);
    if (method === undefined || draft.answer.kind !== 'documents') {
      throw unknownMethod(name, offset, [...CURSOR_METHODS.keys()]);
    }
    draft = method.apply(draft, new Arguments(name, call, method));
  }
  const { database, command, readPreference, batchSize, answer } = draft;
  return {
    operations: [{ database, command, readPreference, batchSize }],
    answer,
    path: chain.takePath(),
  };
}

function cursorMethod(draft: CursorDraft, name: string): ReturnType<typeof CURSOR_METHODS.get> {
  if (!('aggregate' in draft.command)) {
    return CURSOR_METHODS.get(name);
  }
  const method = CURSOR_METHODS.get(name);
  return AGGREGATION_STAGES.get(name) ?? (method?.isShared === true ? method : undefined);
}

function unknownMethod(name: string, offset: number, known: readonly string[]): ShellSyntaxError {
  const hint = PROGRAM_METHODS.has(name)
    ? 'It takes a function, and functions are not run here: use an aggregation pipeline'
    : `Did you mean ${nearestName(name, known) ?? ''}()?`;
  return new ShellSyntaxError(`${name}() is not supported here`, offset, {
    sqlState: SQLSTATE.featureNotSupported,
    hint,
  });
}
