// BEGIN, COMMIT and ROLLBACK: a state that clients keep, and that MongoDB does not know.
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Notice } from '../backend.ts';
import { SQL_STATE, warning } from './sql-answer.ts';
import type { SqlAnswer } from './sql-answer.ts';
import type { SqlSession } from './sql-session.ts';
import type { SqlTokens } from './sql-tokens.ts';

const NO_TRANSACTION = warning(
  SQL_STATE.noActiveTransaction,
  'there is no transaction in progress',
);

const ISOLATION_IGNORED = warning(
  SQLSTATE.warning,
  'The isolation level has no effect on this port',
  'Statements for MongoDB are not part of a transaction',
);

const NOT_ROLLED_BACK = warning(
  SQLSTATE.warning,
  'Nothing was rolled back on this port',
  'Statements for MongoDB are not part of a transaction; each took effect when it ran',
);

/** BEGIN and START TRANSACTION, the first word being taken. */
export function beginTransaction(tokens: SqlTokens, session: SqlSession, tag: string): SqlAnswer {
  if (tag === 'BEGIN') {
    tokens.acceptAny('work', 'transaction');
  } else if (!tokens.accept('transaction')) {
    throw tokens.refusal();
  }
  const notices = [...acceptModes(tokens)];
  if (session.transactionStatus === 'T') {
    const message = 'there is already a transaction in progress';
    return { commandTag: tag, notices: [warning(SQL_STATE.activeTransaction, message)] };
  }
  session.transactionStatus = 'T';
  session.settings.begin();
  return { commandTag: tag, notices };
}

/** COMMIT and END. */
export function commitTransaction(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  acceptEnding(tokens);
  const isOpen = session.transactionStatus === 'T';
  session.transactionStatus = 'I';
  session.settings.commit();
  return { commandTag: 'COMMIT', notices: isOpen ? [] : [NO_TRANSACTION] };
}

/** ROLLBACK and ABORT: only settings go back to what they were. */
export function rollBackTransaction(tokens: SqlTokens, session: SqlSession): SqlAnswer {
  acceptEnding(tokens);
  const isOpen = session.transactionStatus === 'T';
  session.transactionStatus = 'I';
  session.settings.rollback();
  return { commandTag: 'ROLLBACK', notices: [isOpen ? NOT_ROLLED_BACK : NO_TRANSACTION] };
}

function acceptEnding(tokens: SqlTokens): void {
  tokens.acceptAny('work', 'transaction');
  tokens.accept('and', 'no', 'chain');
  tokens.expectEnd();
}

/**
 * Takes transaction modes up to the statement's end. READ ONLY is refused: it would promise what
 * nothing here keeps.
 *
 * @returns warnings of those that have no effect
 * @throws ServiceError 0A000 READ ONLY, 42601 no mode
 */
export function acceptModes(tokens: SqlTokens): readonly Notice[] {
  const notices: Notice[] = [];
  while (!tokens.isAtEnd) {
    if (tokens.accept('isolation', 'level')) {
      acceptIsolationLevel(tokens);
      notices.push(ISOLATION_IGNORED);
    } else if (tokens.accept('read', 'only')) {
      throw readOnlyRefusal();
    } else if (!acceptPlainMode(tokens)) {
      throw tokens.refusal();
    }
    tokens.accept(',');
  }
  return notices.slice(0, 1);
}

function acceptPlainMode(tokens: SqlTokens): boolean {
  return (
    tokens.accept('read', 'write') ||
    tokens.accept('deferrable') ||
    tokens.accept('not', 'deferrable')
  );
}

function acceptIsolationLevel(tokens: SqlTokens): void {
  const isLevel =
    tokens.accept('serializable') ||
    tokens.accept('repeatable', 'read') ||
    tokens.accept('read', 'committed') ||
    tokens.accept('read', 'uncommitted');
  if (!isLevel) {
    throw tokens.refusal();
  }
}

function readOnlyRefusal(): ServiceError {
  return new ServiceError(
    SQLSTATE.featureNotSupported,
    'Read-only transactions are not supported on this port',
    { hint: 'A listener with access=read-only admits nothing that writes' },
  );
}
