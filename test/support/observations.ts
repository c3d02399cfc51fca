import { z } from 'zod';
import type {
  Observation,
  Observer,
  SessionIdentity,
  StatementFinished,
} from '../../src/observation.ts';

const SESSION: SessionIdentity = {
  sessionId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  listener: 'main',
  backend: 'postgres',
  user: 'alice',
  database: 'shop',
  address: '127.0.0.1',
  applicationName: 'psql',
  isEncrypted: false,
};

/** A session's identity; what matters to a test is given. */
export function createSession(changes: Partial<SessionIdentity> = {}): SessionIdentity {
  return { ...SESSION, ...changes };
}

/** A statement that ended well after 2 ms with one row; what matters to a test is given. */
export function createStatement(changes: Partial<StatementFinished> = {}): StatementFinished {
  return {
    kind: 'statement-finished',
    session: SESSION,
    text: 'select 1',
    commandTags: ['SELECT 1'],
    rows: 1,
    bytes: 12,
    receivedBytes: 14,
    sentBytes: 60,
    durationMs: 2,
    outcome: 'ok',
    sqlState: undefined,
    limit: undefined,
    ...changes,
  };
}

interface Recorder extends Observer {
  readonly observations: readonly Observation[];
}

/** An observer that keeps what it is given. */
export function createRecorder(): Recorder {
  const observations: Observation[] = [];
  return {
    observations,
    observe(observation) {
      observations.push(observation);
    },
  };
}

/** The objects of a text of JSON lines, each of which has to end with a line end. */
export function parseJsonLines(text: string): Record<string, unknown>[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') {
    throw new Error('The text ends within a line');
  }
  return lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
}
