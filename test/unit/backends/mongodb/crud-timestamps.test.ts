import { describe, expect, it } from '@jest/globals';
import { Timestamp } from 'mongodb';
import {
  fillTimestamps,
  TimestampClock,
} from '../../../../src/backends/mongodb/crud-timestamps.ts';

const empty = (): Timestamp => new Timestamp({ t: 0, i: 0 });
const at = (t: number, i: number): Timestamp => new Timestamp({ t, i });

describe('TimestampClock', () => {
  it('gives no time twice, and none before another, whatever the clock of the machine does', () => {
    const times = [5999, 5999, 6000, 4000, 7000, 7001];
    const clock = new TimestampClock(() => times.shift() ?? 0);
    const given = Array.from({ length: 6 }, () => clock.next());
    expect(given).toEqual([at(5, 1), at(5, 2), at(6, 1), at(6, 2), at(7, 1), at(7, 2)]);
  });

  it('tells the time of this moment', () => {
    const { t, i } = new TimestampClock().next();
    expect(Math.abs(t - Date.now() / 1000)).toBeLessThan(5);
    expect(i).toBe(1);
  });
});

describe('fillTimestamps', () => {
  it('fills empty ones of the document itself, and keeps its names in their order', () => {
    const inner = new Map([['at', empty()]]);
    const document = new Map<string, unknown>([
      ['_id', empty()],
      ['a', empty()],
      ['b', [empty()]],
      ['c', inner],
      ['d', at(1, 0)],
      ['e', at(0, 1)],
      ['f', empty()],
    ]);
    const filled = fillTimestamps(document, new TimestampClock(() => 9000));
    expect([...filled]).toEqual([
      ['_id', empty()],
      ['a', at(9, 1)],
      ['b', [empty()]],
      ['c', inner],
      ['d', at(1, 0)],
      ['e', at(0, 1)],
      ['f', at(9, 2)],
    ]);
  });
});
