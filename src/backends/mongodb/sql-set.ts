// SET, RESET, SHOW and DISCARD: a session's run-time settings.
import { ServiceError } from '../../errors.ts';
import type { Notice, Setting } from '../backend.ts';
import { SQL_STATE, TYPE_OID, warning } from './sql-answer.ts';
import type { SqlAnswer } from './sql-answer.ts';
import type { SqlSession } from './sql-session.ts';
import type { SqlTokens } from './sql-tokens.ts';
import { acceptModes } from './sql-transactions.ts';

/** SET, its first word being taken. */
export function setSetting(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  if (tokens.accept('transaction')) {
    return { commandTag: 'SET', notices: acceptModes(tokens) };
  }
  const scope = tokens.acceptAny('session', 'local') === 'local' ? 'local' : 'session';
  if (tokens.accept('characteristics', 'as', 'transaction')) {
    return { commandTag: 'SET', notices: acceptModes(tokens) };
  }
  const { name, value } = parseAssignment(tokens);
  if (scope === 'local' && session.transactionStatus === 'I') {
    session.settings.entry(name);
    return { commandTag: 'SET', notices: [LOCAL_OUTSIDE] };
  }
  if (value === undefined) {
    session.settings.reset(name);
  } else {
    session.settings.set(name, value, scope);
  }
  return { commandTag: 'SET' };
}

const LOCAL_OUTSIDE: Notice = warning(
  SQL_STATE.noActiveTransaction,
  'SET LOCAL can only be used in transaction blocks',
);

interface Assignment {
  readonly name: string;
  /** Undefined for DEFAULT. */
  readonly value: string | undefined;
}

function parseAssignment(tokens: SqlTokens): Assignment {
  if (tokens.accept('time', 'zone')) {
    return { name: 'TimeZone', value: takeZone(tokens) };
  }
  if (tokens.accept('names')) {
    return { name: 'client_encoding', value: tokens.isAtEnd ? undefined : takeValue(tokens) };
  }
  const name = tokens.takeName();
  if (!tokens.accept('=') && !tokens.accept('to')) {
    throw tokens.refusal();
  }
  return { name, value: takeValue(tokens) };
}

/** LOCAL is the default, too. */
function takeZone(tokens: SqlTokens): string | undefined {
  if (tokens.accept('local')) {
    tokens.expectEnd();
    return undefined;
  }
  return takeValue(tokens);
}

/** Words, strings and numbers with commas between them; undefined for DEFAULT. */
function takeValue(tokens: SqlTokens): string | undefined {
  if (tokens.accept('default')) {
    tokens.expectEnd();
    return undefined;
  }
  const parts: string[] = [];
  do {
    const sign = tokens.accept('-') ? '-' : '';
    const token = tokens.next;
    if (token.kind === 'symbol' || token.kind === 'end') {
      throw tokens.refusal();
    }
    parts.push(sign + token.value);
    tokens.take();
  } while (tokens.accept(','));
  tokens.expectEnd();
  return parts.join(', ');
}

/** RESET, its first word being taken. */
export function resetSetting(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  if (tokens.accept('all')) {
    tokens.expectEnd();
    session.settings.resetAll();
    return { commandTag: 'RESET' };
  }
  const name = takeSettingName(tokens);
  session.settings.reset(name);
  return { commandTag: 'RESET' };
}

/** DISCARD ALL: the session as it was at its start. */
export function discardAll(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  if (!tokens.accept('all')) {
    throw tokens.refusal();
  }
  tokens.expectEnd();
  if (session.transactionStatus === 'T') {
    throw new ServiceError(
      SQL_STATE.activeTransaction,
      'DISCARD ALL cannot run inside a transaction block',
    );
  }
  session.settings.resetAll();
  return { commandTag: 'DISCARD ALL' };
}

/** SHOW, its first word being taken. */
export function showSetting(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  if (tokens.accept('all')) {
    tokens.expectEnd();
    return {
      columns: ['name', 'setting', 'description'].map(textColumn),
      rows: session.settings.entries.map((entry) => [entry.name, entry.value, entry.description]),
      commandTag: 'SHOW',
    };
  }
  const { name, value } = session.settings.entry(takeSettingName(tokens));
  return { columns: [textColumn(name)], rows: [[value]], commandTag: 'SHOW' };
}

function textColumn(name: string): { readonly name: string; readonly typeOid: number } {
  return { name, typeOid: TYPE_OID.text };
}

/** A name to the statement's end; three settings have a name of several words, too. */
function takeSettingName(tokens: SqlTokens): string {
  const name = takeSpokenName(tokens) ?? tokens.takeName();
  tokens.expectEnd();
  return name;
}

function takeSpokenName(tokens: SqlTokens): string | undefined {
  if (tokens.accept('time', 'zone')) {
    return 'TimeZone';
  }
  if (tokens.accept('transaction', 'isolation', 'level')) {
    return 'transaction_isolation';
  }
  return tokens.accept('session', 'authorization') ? 'session_authorization' : undefined;
}

/** The reported settings whose values are others than before. */
export function changedParameters(
  before: readonly Setting[],
  after: readonly Setting[],
): readonly Setting[] {
  const known = new Map(before);
  return after.filter(([name, value]) => known.get(name) !== value);
}
