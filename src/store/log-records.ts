// Lines of the log as they are kept: they are masked already, where they were made.
import type { LogLine } from '../logger.ts';
import { createRecordId } from './record-ids.ts';
import type { StoredRecord } from './record-insert.ts';

/**
 * What tells of this store itself stays out of it: each such line would be lost in its turn, and
 * make another one.
 */
const UNRECORDED_EVENTS: ReadonlySet<string> = new Set(['activity-lost']);

/** What a line holds in memory besides its texts, about. */
const LINE_BYTES = 600;

/** A line that waits to become a record. */
export interface WaitingLine {
  readonly line: LogLine;
  readonly heldBytes: number;
}

/** Undefined for a line that is not kept. */
export function toWaitingLine(line: LogLine): WaitingLine | undefined {
  const { event, message, fields } = line;
  if (UNRECORDED_EVENTS.has(event)) {
    return undefined;
  }
  const texts = Object.values(fields).filter((value) => typeof value === 'string');
  const length = texts.reduce((sum, text) => sum + text.length, message.length);
  return { line, heldBytes: LINE_BYTES + 2 * length };
}

export function toLogRecord({ line }: WaitingLine): StoredRecord {
  const { at, level, event, message, fields, owner = null } = line;
  return { _id: createRecordId(), at, meta: { owner, level }, event, message, fields };
}
