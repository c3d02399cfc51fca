// Activity and log as they are read: by whoever may see them, in pages and in sums.
import { types } from 'node:util';
import { MongoError, MongoServerError } from 'mongodb';
import type { Db, Filter } from 'mongodb';
import { reasonOf } from '../backends/mongodb/server-errors.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { summarizeActivity } from './activity-summary.ts';
import type { ActivitySummary, SummaryOptions } from './activity-summary.ts';
import type { StoredRecord } from './record-insert.ts';
import { READ_TIMEOUT_MS, readRecordPage } from './record-page.ts';
import type { PageOptions, RecordPosition, ShownRecord } from './record-page.ts';
import type { StoreClient } from './store-client.ts';

/** What is looked for; what is undefined may be anything. */
export interface RecordQuery extends Omit<PageOptions, 'filter'> {
  /** Whose records; undefined for everybody's, which is for administrators. */
  readonly owner: string | undefined;
  /** By the names that the records are shown with. */
  readonly matches: Readonly<Record<string, string>>;
}

export interface ShownPage {
  readonly items: readonly ShownRecord[];
  readonly position: RecordPosition | undefined;
}

/**
 * @throws ServiceError 08006 while MongoDB is away, 57014 where it takes too long; the signal's
 *   reason
 */
export type ListRecords = (query: RecordQuery, signal: AbortSignal) => Promise<ShownPage>;

export interface ActivityReader {
  /** Nothing older is kept. */
  readonly retentionMs: number;
  readonly listActivity: ListRecords;
  readonly listLogs: ListRecords;
  /** @throws as ListRecords */
  summarize(options: SummaryOptions, signal: AbortSignal): Promise<ActivitySummary>;
}

/** Where what is shown at the top of a record is kept, if not there. */
const ACTIVITY_FIELDS = {
  backend: 'meta.backend',
  door: 'meta.door',
  outcome: 'meta.outcome',
} as const;

const LOG_FIELDS = {
  level: 'meta.level',
  account: 'fields.user',
  session: 'fields.session',
  backend: 'fields.backend',
  outcome: 'fields.outcome',
} as const;

const MAX_TIME_EXPIRED = 50;

export function createActivityReader({
  client,
  retentionMs,
}: {
  readonly client: Pick<StoreClient, 'open'>;
  readonly retentionMs: number;
}): ActivityReader {
  const read = async <T>(signal: AbortSignal, ask: (db: Db) => Promise<T>): Promise<T> => {
    try {
      return await ask(await client.open(signal));
    } catch (error) {
      throw explain(reasonOf(error, signal));
    }
  };
  const list = async (
    collection: string,
    fields: Readonly<Record<string, string>>,
    { owner, matches, ...page }: RecordQuery,
    signal: AbortSignal,
  ): Promise<{
    readonly records: readonly StoredRecord[];
    readonly position: ShownPage['position'];
  }> =>
    await read(signal, async (db) => {
      const filter = { ...toFilter(matches, fields), ...(owner && { 'meta.owner': owner }) };
      return await readRecordPage(db.collection(collection), { ...page, filter }, signal);
    });
  return {
    retentionMs,
    listActivity: async (query, signal) => {
      const { records, position } = await list('activity', ACTIVITY_FIELDS, query, signal);
      return { items: records.map(showActivity), position };
    },
    listLogs: async (query, signal) => {
      const { records, position } = await list('logs', LOG_FIELDS, query, signal);
      const isOwn = query.owner !== undefined;
      return { items: records.map((record) => showLine(record, isOwn)), position };
    },
    summarize: async (options, signal) =>
      await read(signal, async (db) => await summarizeActivity(db, options, signal)),
  };
}

/** Values are compared as they are: a text is never an operator. */
function toFilter(
  matches: RecordQuery['matches'],
  fields: Readonly<Record<string, string>>,
): Filter<StoredRecord> {
  return Object.fromEntries(
    Object.entries(matches).map(([name, value]) => [fields[name] ?? name, { $eq: value }]),
  );
}

/** In the order of who, where, what, and how it went; the server keeps no order. */
const SHOWN_FIELDS = [
  ...['kind', 'account', 'owner', 'session', 'request', 'address', 'door', 'backend', 'database'],
  ...['route', 'text', 'textSha256', 'textBytes', 'isHashOfBeginning'],
  ...['outcome', 'sqlState', 'status', 'repeated', 'rows', 'bytes', 'durationMs'],
];

function showActivity({ _id, at, meta, ...record }: StoredRecord): ShownRecord {
  const members: ShownRecord = { ...record, ...membersOf(meta) };
  const shown = SHOWN_FIELDS.flatMap((name) => {
    const value = members[name];
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return { id: _id, at: at.toISOString(), ...Object.fromEntries(shown) };
}

/** What the databases behind Gatepost said of themselves is for administrators. */
function showLine({ _id, at, meta, ...line }: StoredRecord, isOwn: boolean): ShownRecord {
  const { cause, ...fields } = membersOf(line['fields']);
  const shown = isOwn || cause === undefined ? fields : { ...fields, cause };
  const { level } = membersOf(meta);
  return { id: _id, at: at.toISOString(), level, ...line, fields: shown };
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What MongoDB says is of its own affairs, and not of the request: nothing of it is shown. */
function explain(error: unknown): unknown {
  if (error instanceof MongoServerError && error.code === MAX_TIME_EXPIRED) {
    return new ServiceError(
      SQLSTATE.queryCanceled,
      `Reading it takes longer than ${READ_TIMEOUT_MS / 1000} s, the time limit`,
      { hint: 'Narrow it down with from and to', cause: error },
    );
  }
  const isOfSocket = types.isNativeError(error) && 'syscall' in error;
  if (!(error instanceof MongoError) && !isOfSocket) {
    return error;
  }
  return new ServiceError(SQLSTATE.connectionFailure, 'Activity cannot be read in MongoDB', {
    hint:
      'See whether its server runs and lets Gatepost in (ACTIVITY_MONGODB_URI, else MONGODB_URI);' +
      ' then try again',
    cause: error,
  });
}
