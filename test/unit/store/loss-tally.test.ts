import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LossTally, LOSS_REPORT_INTERVAL_MS } from '../../../src/store/loss-tally.ts';
import type { LossReport } from '../../../src/store/loss-tally.ts';

let reports: LossReport[];
let tally: LossTally;

beforeEach(() => {
  jest.useFakeTimers();
  reports = [];
  tally = new LossTally('activity', (loss) => reports.push(loss));
});

afterEach(() => {
  jest.useRealTimers();
});

describe('LossTally', () => {
  it('reports once in a while, by reason', () => {
    tally.add(1, 'queue full');
    tally.add(2, 'queue full');
    tally.add(5, 'closed');
    expect(reports).toEqual([]);
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    const loss = { kind: 'activity-lost', stream: 'activity' };
    expect(reports).toEqual([
      { ...loss, records: 3, reason: 'queue full' },
      { ...loss, records: 5, reason: 'closed' },
    ]);
  });

  it('reports each record once', () => {
    tally.add(1, 'closed');
    tally.flush();
    jest.advanceTimersByTime(10 * LOSS_REPORT_INTERVAL_MS);
    expect(reports).toHaveLength(1);
    expect(tally.total).toBe(1);
  });

  it('says nothing of nothing', () => {
    tally.add(0, 'closed');
    tally.flush();
    expect(reports).toEqual([]);
  });

  it('takes what is lost by its own report', () => {
    const own = new LossTally('logs', (loss) => {
      reports.push(loss);
      if (reports.length === 1) {
        own.add(1, 'queue full');
      }
    });
    own.add(1, 'queue full');
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(reports).toHaveLength(1);
    jest.advanceTimersByTime(LOSS_REPORT_INTERVAL_MS);
    expect(reports).toHaveLength(2);
  });
});
