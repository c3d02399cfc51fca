// Activity as the service keeps it, in a database of its own on a real MongoDB.
import { createActivityStore } from '../../src/store/activity.ts';
import type { ActivityStore } from '../../src/store/activity.ts';
import { StoreClient } from '../../src/store/store-client.ts';
import type { StatementFinished } from '../../src/observation.ts';
import { createRecorder, createSession, createStatement } from './observations.ts';

const DAY_MS = 86_400_000;
const STOP_TIMEOUT_MS = 20_000;

export interface ActivityStageOptions {
  readonly uri: string;
  readonly database: string;
  readonly activityRetentionMs?: number;
  readonly logRetentionMs?: number;
}

export interface ActivityStage extends ActivityStore {
  readonly client: StoreClient;
  /** What was told of lost records. */
  losses(): readonly { readonly records: number; readonly reason: string }[];
  /** A statement with this text; what matters to a test is given. */
  note(text: string, changes?: Partial<StatementFinished>): void;
  /** Writes what waits, and ends. */
  close(): Promise<void>;
}

export function createActivityStage({
  uri,
  database,
  activityRetentionMs = 30 * DAY_MS,
  logRetentionMs = 7 * DAY_MS,
}: ActivityStageOptions): ActivityStage {
  const recorder = createRecorder();
  const client = new StoreClient(() => uri, { database });
  const config = { activityRetentionMs, logRetentionMs };
  const store = createActivityStore({ client, config, observer: recorder });
  return {
    ...store,
    client,
    losses: () =>
      recorder.observations.filter((observation) => observation.kind === 'activity-lost'),
    note: (text, changes = {}) => {
      store.observer.observe(createStatement({ text, ...changes }));
    },
    close: async () => {
      await store.stop(AbortSignal.timeout(STOP_TIMEOUT_MS));
      await client.close();
    },
  };
}

/** Statements of one account. */
export function statementOf(
  account: string,
  changes: Partial<StatementFinished> = {},
): Partial<StatementFinished> {
  const session = createSession({ user: account, owner: `account:${account}` });
  return { session, ...changes };
}
