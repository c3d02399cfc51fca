// A collection of records in memory that fails as MongoDB does on bad days.
import { MongoServerError } from 'mongodb';
import type { Db } from 'mongodb';
import { ServiceError, SQLSTATE } from '../../src/errors.ts';
import type { RecordWriterOptions } from '../../src/store/record-writer.ts';
import type { StoredRecord } from '../../src/store/record-insert.ts';

/** What becomes of one insert. */
export type InsertFault =
  | 'pass'
  /** Nothing was sent. */
  | 'away'
  /** Sent, not carried out, not answered. */
  | 'broken before'
  /** Carried out, not answered. */
  | 'broken after'
  /** Half of it was carried out. */
  | 'broken within'
  /** Answered with an error each time. */
  | 'refused'
  /** Every other record is not taken. */
  | 'half refused'
  | 'silent';

type RecordInsert = RecordWriterOptions<never>['insert'];

export interface MemoryRecords extends RecordInsert {
  /** What comes of the next inserts; the last one stays. */
  faults: InsertFault[];
  readonly stored: readonly StoredRecord[];
  /** Sizes of the inserts so far. */
  readonly batches: readonly number[];
  /** Most inserts at a time. */
  readonly concurrencyMax: number;
}

// It is only handed from one to the other here.
const NO_DATABASE = {} as unknown as Db;

export function createMemoryRecords(): MemoryRecords {
  const stored: StoredRecord[] = [];
  const batches: number[] = [];
  let faults: InsertFault[] = [];
  let running = 0;
  let concurrencyMax = 0;
  const takeFault = (): InsertFault =>
    (faults.length > 1 ? faults.shift() : faults.at(0)) ?? 'pass';
  const carryOut = (fault: InsertFault, records: readonly StoredRecord[]): number => {
    switch (fault) {
      case 'broken before':
        throw createBreak();
      case 'broken after':
        stored.push(...records);
        throw createBreak();
      case 'broken within':
        stored.push(...records.slice(0, records.length / 2));
        throw createBreak();
      case 'refused':
        throw new MongoServerError({ message: 'not allowed', code: 13, codeName: 'Unauthorized' });
      case 'half refused':
        stored.push(...records.filter((_record, index) => index % 2 === 0));
        return Math.floor(records.length / 2);
      default:
        stored.push(...records);
        return 0;
    }
  };
  return {
    stored,
    batches,
    get faults() {
      return faults;
    },
    set faults(value) {
      faults = value;
    },
    get concurrencyMax() {
      return concurrencyMax;
    },
    open: async () => {
      await Promise.resolve();
      if (faults.at(0) === 'away') {
        takeFault();
        throw new ServiceError(SQLSTATE.connectionFailure, 'Cannot reach MongoDB');
      }
      return NO_DATABASE;
    },
    insert: async (_db, records) => {
      running += 1;
      concurrencyMax = Math.max(concurrencyMax, running);
      batches.push(records.length);
      const fault = takeFault();
      try {
        await Promise.resolve();
        if (fault === 'silent') {
          await new Promise(() => undefined);
        }
        return carryOut(fault, records);
      } finally {
        running -= 1;
      }
    },
    findMissing: async (_db, records) => {
      await Promise.resolve();
      const ids = new Set(stored.map(({ _id }) => _id));
      return records.filter(({ _id }) => !ids.has(_id));
    },
  };
}

/** As node tells of a socket that was reset. */
function createBreak(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}
