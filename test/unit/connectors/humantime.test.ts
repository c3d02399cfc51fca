import { describe, expect, it } from '@jest/globals';
import { HUMANTIME_ACCEPTED, parseHumantimeMs } from '../../../src/connectors/humantime.ts';

describe('parseHumantimeMs', () => {
  it.each([
    ['5ms', 5],
    ['10s', 10_000],
    ['1m 30s', 90_000],
    ['1m30s', 90_000],
    ['2 hours', 7_200_000],
    ['1h 1min 1sec', 3_661_000],
    ['24d', 2_073_600_000],
    ['  1 day  ', 86_400_000],
    ['1500000ns', 2],
    ['1us', 1],
    ['1µs', 1],
    ['0', 0],
    ['0s', 0],
    ['2 secs 5 millis', 2005],
    ['3 minutes', 180_000],
  ])('given_the_duration_%j_should_be_%d_milliseconds', (text, milliseconds) => {
    expect(parseHumantimeMs(text)).toBe(milliseconds);
  });

  it.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['a bare number', '5'],
    ['a bare number at the end', '1m 30'],
    ['an unknown unit', '5 parsecs'],
    ['a unit without a number', 'ms'],
    ['a sign', '-5s'],
    ['a fraction', '1.5s'],
    ['a capital, which is a month to humantime', '1M'],
    ['a name every object has', '5constructor'],
    ['more than timers can wait', '25d'],
    ['a sum that is more than timers can wait', '24d 1ms'],
    ['a number beyond all numbers', `${'9'.repeat(90)}d`],
    ['a text that never ends', '1s '.repeat(100)],
  ])('given_%s_should_be_no_duration', (_what, text) => {
    expect(parseHumantimeMs(text)).toBeUndefined();
  });

  it('given_many_digits_without_a_unit_should_answer_at_once', () => {
    const start = performance.now();
    expect(parseHumantimeMs('1'.repeat(99))).toBeUndefined();
    expect(parseHumantimeMs('1a'.repeat(49))).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('HUMANTIME_ACCEPTED', () => {
  it('given_its_own_examples_should_accept_them', () => {
    for (const example of ['5ms', '10s', '1m 30s', '24d']) {
      expect(HUMANTIME_ACCEPTED).toContain(example);
      expect(parseHumantimeMs(example)).toBeDefined();
    }
  });
});
