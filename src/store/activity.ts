// Activity and the log into MongoDB: who did what, off the path of those who do it.
import type { StoreConfig } from '../config-accounts.ts';
import type { Component } from '../lifecycle.ts';
import type { LogSink } from '../logger.ts';
import type { Observer } from '../observation.ts';
import { createActivityReader } from './activity-reader.ts';
import type { ActivityReader } from './activity-reader.ts';
import { toActivityEntry, toActivityRecord } from './activity-records.ts';
import type { ActivityEntry } from './activity-records.ts';
import { TextKeeper } from './kept-text.ts';
import { toWaitingLine, toLogRecord } from './log-records.ts';
import type { WaitingLine } from './log-records.ts';
import { activityCollection, ensureCollection, logCollection } from './record-collections.ts';
import type { RecordCollection } from './record-collections.ts';
import { RecordInsert } from './record-insert.ts';
import { RecordWriter } from './record-writer.ts';
import type { RecordCounts } from './record-writer.ts';
import type { StoreClient } from './store-client.ts';

export interface ActivityStoreOptions {
  /** Opened when there is something to write or to read; closed by whoever has made it. */
  readonly client: StoreClient;
  readonly config: Pick<StoreConfig, 'activityRetentionMs' | 'logRetentionMs'>;
  /** Told of what is lost. */
  readonly observer: Observer;
}

/** Its stop writes what waits: it has to come after that of everything that is observed. */
export interface ActivityStore extends Component {
  readonly observer: Observer;
  readonly logSink: LogSink;
  readonly reader: ActivityReader;
  /** What has become of the records so far. */
  counts(): { readonly activity: RecordCounts; readonly logs: RecordCounts };
}

export function createActivityStore({
  client,
  config,
  observer,
}: ActivityStoreOptions): ActivityStore {
  const texts = new TextKeeper();
  const insertInto = (collection: RecordCollection): RecordInsert =>
    new RecordInsert({
      client,
      collection: collection.name,
      prepare: async (db) => await ensureCollection(db, collection),
    });
  const report: Observer['observe'] = (loss) => observer.observe(loss);
  const activity = new RecordWriter<ActivityEntry>({
    stream: 'activity',
    insert: insertInto(activityCollection(config.activityRetentionMs)),
    encode: (entry) => toActivityRecord(entry, texts),
    report,
  });
  const logs = new RecordWriter<WaitingLine>({
    stream: 'logs',
    insert: insertInto(logCollection(config.logRetentionMs)),
    encode: toLogRecord,
    report,
  });
  let isStopped = false;
  return {
    name: 'activity',
    observer: {
      observe: (observation) => {
        const entry = toActivityEntry(observation, texts);
        if (entry !== undefined) {
          activity.append(entry);
        }
      },
    },
    logSink: {
      append: (line) => {
        const entry = toWaitingLine(line);
        // The last lines of a process tell of its end, which comes after that of this store.
        if (entry !== undefined && !isStopped) {
          logs.append(entry);
        }
      },
    },
    reader: createActivityReader({ client, retentionMs: config.activityRetentionMs }),
    counts: () => ({ activity: activity.counts, logs: logs.counts }),
    start: async () => {
      // Nothing has to be there for it: what is observed waits for MongoDB.
      await Promise.resolve();
    },
    stop: async (deadline) => {
      isStopped = true;
      await Promise.all([activity.close(deadline), logs.close(deadline)]);
    },
  };
}
