// A session that SQL is answered for, over recorded metadata.
import { answerSql } from '../../src/backends/mongodb/sql-statements.ts';
import type { SqlAnswer } from '../../src/backends/mongodb/sql-answer.ts';
import { SqlSession } from '../../src/backends/mongodb/sql-session.ts';
import { createSessionSettings } from '../../src/backends/mongodb/sql-settings.ts';
import type { SessionStart } from '../../src/backends/mongodb/sql-settings.ts';
import { createCatalogStage } from './catalog-server.ts';
import type { CatalogContents, CatalogStage } from './catalog-server.ts';

export const SESSION_START: SessionStart = {
  user: 'ann',
  mongodbVersion: '6.0.5',
  isReadOnly: false,
  applicationName: 'psql',
  settings: [],
};

export interface SqlStage extends CatalogStage {
  readonly session: SqlSession;
  answer(text: string, signal?: AbortSignal): Promise<SqlAnswer>;
}

export function createSqlStage(
  contents?: CatalogContents,
  start: Partial<SessionStart> = {},
): SqlStage {
  const stage = createCatalogStage(contents);
  const { settings } = createSessionSettings({ ...SESSION_START, ...start });
  const session = new SqlSession(settings, 4711);
  return {
    ...stage,
    session,
    answer: (text, signal = new AbortController().signal) =>
      answerSql(text, session, stage.catalog, signal),
  };
}

/** An answer's rows, each by the names of its columns. */
export function namedRows(answer: SqlAnswer): Record<string, string | null>[] {
  const names = (answer.columns ?? []).map(({ name }) => name);
  return (answer.rows ?? []).map((row) =>
    Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])),
  );
}
