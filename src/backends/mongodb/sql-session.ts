// What SQL statements know and change of a client's session.
import { RelationOids } from './psql-relations.ts';
import type { SessionSettings } from './sql-settings.ts';

export class SqlSession {
  readonly settings: SessionSettings;
  /** As CancelRequest names the session; SELECT pg_backend_pid() shows it. */
  readonly processId: number;
  readonly relations = new RelationOids();
  /** Of what BEGIN and COMMIT say; MongoDB knows nothing of it. */
  transactionStatus: 'I' | 'T' = 'I';

  constructor(settings: SessionSettings, processId: number) {
    this.settings = settings;
    this.processId = processId;
  }
}
