// The closed set of SQL that PostgreSQL's clients send by themselves, and that gets a true answer.
import type { CatalogSource } from './catalog-source.ts';
import { answerCatalogQuery } from './psql-catalog.ts';
import { sqlRefusal } from './sql-answer.ts';
import type { SqlAnswer } from './sql-answer.ts';
import { answerSelect, isSelectFunction } from './sql-select.ts';
import { changedParameters, discardAll, resetSetting, setSetting, showSetting } from './sql-set.ts';
import type { SqlSession } from './sql-session.ts';
import type { SqlToken } from './sql-lexer.ts';
import { SqlTokens } from './sql-tokens.ts';
import { beginTransaction, commitTransaction, rollBackTransaction } from './sql-transactions.ts';

/** Longest statement that is looked at, in characters; psql's longest question has 5 000. */
const STATEMENT_LENGTH_MAX = 32_768;

/**
 * Answers one statement of SQL, and changes the session as it says.
 *
 * @param signal aborts what it asks of the server
 * @throws ServiceError 42601 for what is not in the set, 0A000 for other catalog queries; and what
 *   the catalog source throws
 */
export async function answerSql(
  text: string,
  session: SqlSession,
  catalog: CatalogSource,
  signal: AbortSignal,
): Promise<SqlAnswer> {
  if (text.length > STATEMENT_LENGTH_MAX) {
    throw sqlRefusal(0);
  }
  const tokens = new SqlTokens(text);
  if (tokens.accept('select')) {
    const context = { session, catalog, relations: session.relations, signal };
    return asksCatalog(tokens.rest)
      ? await answerCatalogQuery(tokens.rest, context)
      : await answerSelect(tokens, context);
  }
  const before = session.settings.reported;
  const answer = answerSessionStatement(tokens, session);
  const parameters = changedParameters(before, session.settings.reported);
  return parameters.length === 0 ? answer : { ...answer, parameters };
}

/** Whether PostgreSQL's catalog is named other than for a function that a plain SELECT may call. */
function asksCatalog(tokens: readonly SqlToken[]): boolean {
  return tokens.some(({ kind, value }, index) => {
    if (kind !== 'word') {
      return false;
    }
    return value === 'pg_catalog' || value === 'information_schema'
      ? !isSelectFunction(tokens[index + 2]?.value ?? '')
      : value.startsWith('pg_') && !isSelectFunction(value);
  });
}

/** Statements that change or show only the session. */
function answerSessionStatement(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  const refusal = tokens.refusal();
  const { kind, value } = tokens.take();
  switch (kind === 'word' ? value : '') {
    case 'set':
      return setSetting(tokens, session);
    case 'reset':
      return resetSetting(tokens, session);
    case 'show':
      return showSetting(tokens, session);
    case 'discard':
      return discardAll(tokens, session);
    case 'begin':
      return beginTransaction(tokens, session, 'BEGIN');
    case 'start':
      return beginTransaction(tokens, session, 'START TRANSACTION');
    case 'commit':
    case 'end':
      return commitTransaction(tokens, session);
    case 'rollback':
    case 'abort':
      return rollBackTransaction(tokens, session);
    default:
      throw refusal;
  }
}
