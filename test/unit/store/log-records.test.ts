import { describe, expect, it } from '@jest/globals';
import type { LogLine } from '../../../src/logger.ts';
import { toWaitingLine, toLogRecord } from '../../../src/store/log-records.ts';

const LINE: LogLine = {
  at: new Date('2030-01-31T12:00:00Z'),
  level: 'warn',
  event: 'connection-rejected',
  message: 'Connection rejected',
  fields: { listener: 'main', reason: 'draining' },
  owner: undefined,
};

describe('a line of the log', () => {
  it('is kept as it is, with its level and owner where records are packed by', () => {
    const entry = toWaitingLine({ ...LINE, owner: 'account:7' });
    expect(entry && toLogRecord(entry)).toEqual({
      _id: expect.anything(),
      at: LINE.at,
      meta: { owner: 'account:7', level: 'warn' },
      event: 'connection-rejected',
      message: 'Connection rejected',
      fields: LINE.fields,
    });
  });

  it('is nobody’s where it tells of nobody', () => {
    const entry = toWaitingLine(LINE);
    expect(entry && toLogRecord(entry)['meta']).toEqual({ owner: null, level: 'warn' });
  });

  it('counts what it holds', () => {
    const long = toWaitingLine({ ...LINE, fields: { error: 'x'.repeat(8000), n: 1 } });
    expect(long?.heldBytes).toBeGreaterThan(16_000);
    expect(toWaitingLine(LINE)?.heldBytes).toBeLessThan(1000);
  });

  it('that tells of lost records is not kept: it would be lost too, and make the next one', () => {
    expect(toWaitingLine({ ...LINE, event: 'activity-lost' })).toBeUndefined();
  });
});
