// SELECT of constants and of what a session is: no FROM, no expressions.
import { rowsAnswer, SQL_STATE, TYPE_OID } from './sql-answer.ts';
import type { SqlAnswer, SqlColumn } from './sql-answer.ts';
import { ServiceError } from '../../errors.ts';
import type { CatalogSource } from './catalog-source.ts';
import type { SqlSession } from './sql-session.ts';
import { POSTGRES_VERSION } from './sql-setting-table.ts';
import type { SqlTokens } from './sql-tokens.ts';

/** What a value is looked up in. */
export interface SelectContext {
  readonly session: SqlSession;
  readonly catalog: CatalogSource;
  readonly signal: AbortSignal;
}

interface Item {
  readonly column: SqlColumn;
  readonly value: string | null | ((context: SelectContext) => Promise<string> | string | null);
}

/** Whether a SELECT without FROM may call it. */
export function isSelectFunction(name: string): boolean {
  return FUNCTIONS.has(name) || name === 'current_setting';
}

/** Values of one row; more are no client's own question. */
const ITEMS_MAX = 100;

/**
 * The answer to a SELECT without FROM, its first word being taken.
 *
 * @throws ServiceError 42601 for any other SELECT, 42704 for an unknown current_setting
 */
export async function answerSelect(tokens: SqlTokens, context: SelectContext): Promise<SqlAnswer> {
  const items: Item[] = [];
  do {
    items.push(withAlias(takeItem(tokens), tokens));
  } while (items.length < ITEMS_MAX && tokens.accept(','));
  tokens.expectEnd();
  const row: (string | null)[] = [];
  for (const { value } of items) {
    row.push(typeof value === 'function' ? await value(context) : value);
  }
  return rowsAnswer(
    items.map(({ column }) => column),
    [row],
  );
}

function withAlias(item: Item, tokens: SqlTokens): Item {
  const isAnnounced = tokens.accept('as');
  if (tokens.next.kind === 'word' || tokens.next.kind === 'quoted') {
    return { ...item, column: { ...item.column, name: tokens.take().value } };
  }
  if (isAnnounced) {
    throw tokens.refusal();
  }
  return item;
}

function takeItem(tokens: SqlTokens): Item {
  if (tokens.next.kind === 'string') {
    return literal(tokens.take().value, TYPE_OID.text);
  }
  if (tokens.next.kind === 'number' || tokens.next.value === '-') {
    return takeInteger(tokens);
  }
  return takeConstant(tokens) ?? takeFunction(tokens);
}

function literal(value: string | null, typeOid: number, name = '?column?'): Item {
  return { column: { name, typeOid }, value };
}

const INTEGER_MAX = 2n ** 31n - 1n;
const BIGINT_MAX = 2n ** 63n - 1n;

function takeInteger(tokens: SqlTokens): Item {
  const sign = tokens.accept('-') ? '-' : '';
  const { kind, value } = tokens.next;
  if (kind !== 'number' || !/^\d{1,19}$/.test(value) || BigInt(value) > BIGINT_MAX) {
    throw tokens.refusal();
  }
  tokens.take();
  const number = BigInt(value);
  const typeOid = number > INTEGER_MAX ? TYPE_OID.bigint : TYPE_OID.integer;
  return literal(`${number === 0n ? '' : sign}${number}`, typeOid);
}

function takeConstant(tokens: SqlTokens): Item | undefined {
  switch (tokens.acceptAny('null', 'true', 'false')) {
    case 'null':
      return literal(null, TYPE_OID.text);
    case 'true':
      return literal('t', TYPE_OID.boolean, 'bool');
    case 'false':
      return literal('f', TYPE_OID.boolean, 'bool');
    default:
      return undefined;
  }
}

interface SqlFunction {
  readonly typeOid: number;
  /** Whether it is written without parentheses, with them, or either way. */
  readonly call: 'bare' | 'call' | 'either';
  readonly value: (context: SelectContext) => Promise<string> | string;
}

const currentUser = ({ catalog }: SelectContext): string => catalog.user;
const currentDatabase = ({ catalog }: SelectContext): string => catalog.currentDatabase;

/** By name; a schema is a database here. */
const FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map([
  ['current_catalog', { typeOid: TYPE_OID.name, call: 'bare', value: currentDatabase }],
  ['current_database', { typeOid: TYPE_OID.name, call: 'call', value: currentDatabase }],
  ['current_role', { typeOid: TYPE_OID.name, call: 'bare', value: currentUser }],
  ['current_schema', { typeOid: TYPE_OID.name, call: 'either', value: currentDatabase }],
  ['current_user', { typeOid: TYPE_OID.name, call: 'bare', value: currentUser }],
  ['session_user', { typeOid: TYPE_OID.name, call: 'bare', value: currentUser }],
  ['user', { typeOid: TYPE_OID.name, call: 'bare', value: currentUser }],
  [
    'pg_backend_pid',
    { typeOid: TYPE_OID.integer, call: 'call', value: ({ session }) => `${session.processId}` },
  ],
  ['pg_is_in_recovery', { typeOid: TYPE_OID.boolean, call: 'call', value: inRecovery }],
  ['version', { typeOid: TYPE_OID.text, call: 'call', value: version }],
] satisfies readonly (readonly [string, SqlFunction])[]);

async function inRecovery({ catalog, signal }: SelectContext): Promise<string> {
  return (await catalog.isWritablePrimary(signal)) ? 'f' : 't';
}

// Drivers look for "PostgreSQL" and a number behind it; people read what there is.
function version({ session }: SelectContext): string {
  const mongodb = /MongoDB [^)]*/.exec(session.settings.entry('server_version').value)?.[0];
  return `${mongodb ?? 'MongoDB'} through Gatepost, for clients of PostgreSQL ${POSTGRES_VERSION}`;
}

function takeFunction(tokens: SqlTokens): Item {
  const refusal = tokens.refusal();
  tokens.accept('pg_catalog', '.');
  if (tokens.accept('current_setting', '(')) {
    return takeCurrentSetting(tokens);
  }
  const { kind, value: name } = tokens.take();
  const found = kind === 'word' ? FUNCTIONS.get(name) : undefined;
  if (found === undefined || !isCalled(tokens, found.call)) {
    throw refusal;
  }
  return { column: { name, typeOid: found.typeOid }, value: found.value };
}

function isCalled(tokens: SqlTokens, call: SqlFunction['call']): boolean {
  const hasParentheses = tokens.accept('(', ')');
  return call === 'either' || hasParentheses === (call === 'call');
}

/** `current_setting('x')`, or with `true` behind it for NULL where there is no such setting. */
function takeCurrentSetting(tokens: SqlTokens): Item {
  const { kind, value: name } = tokens.take();
  const isMissingOk = tokens.accept(',', 'true');
  if (kind !== 'string' || !tokens.accept(')')) {
    throw tokens.refusal();
  }
  const column = { name: 'current_setting', typeOid: TYPE_OID.text };
  return { column, value: ({ session }) => settingValue(session, name, isMissingOk) };
}

function settingValue(session: SqlSession, name: string, isMissingOk: boolean): string | null {
  try {
    return session.settings.entry(name).value;
  } catch (thrown) {
    const isUnknown =
      thrown instanceof ServiceError && thrown.sqlState === SQL_STATE.undefinedObject;
    if (isMissingOk && isUnknown) {
      return null;
    }
    throw thrown;
  }
}
