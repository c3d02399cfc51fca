// Durations as the connectors of Iggy write them: `5ms`, `10s`, `1m 30s`, `2 hours`.

/** What is accepted, as errors say it. */
export const HUMANTIME_ACCEPTED = 'a duration such as 5ms, 10s or 1m 30s, at most 24d';

const NANOSECONDS: ReadonlyMap<string, number> = new Map(
  [
    { words: 'ns nsec nanos nanosecond nanoseconds', nanoseconds: 1 },
    { words: 'us µs usec micros microsecond microseconds', nanoseconds: 1e3 },
    { words: 'ms msec millis millisecond milliseconds', nanoseconds: 1e6 },
    { words: 's sec secs second seconds', nanoseconds: 1e9 },
    { words: 'm min mins minute minutes', nanoseconds: 60e9 },
    { words: 'h hr hrs hour hours', nanoseconds: 3600e9 },
    { words: 'd day days', nanoseconds: 86_400e9 },
  ].flatMap(({ words, nanoseconds }) => words.split(' ').map((word) => [word, nanoseconds])),
);

const TEXT_CHARACTERS_MAX = 100;

/** Node's timers end at 2^31 - 1 ms, which is 24.8 days; beyond it they would fire at once. */
const DURATION_MAX_MS = 24 * 86_400_000;

const NANOSECONDS_PER_MS = 1e6;

/**
 * The milliseconds of a duration, whole: a part of one counts as one, so that only 0 is 0.
 * Undefined when the text is no duration, lacks a unit, or is longer than timers can wait.
 */
export function parseHumantimeMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') {
    return 0;
  }
  if (trimmed.length > TEXT_CHARACTERS_MAX || !/^(\d+ *[a-zµ]+ *)+$/.test(trimmed)) {
    return undefined;
  }
  let nanoseconds = 0;
  for (const [, digits, unit = ''] of trimmed.matchAll(/(\d+) *([a-zµ]+)/g)) {
    nanoseconds += Number(digits) * (NANOSECONDS.get(unit) ?? NaN);
  }
  const durationMs = Math.ceil(nanoseconds / NANOSECONDS_PER_MS);
  return durationMs <= DURATION_MAX_MS ? durationMs : undefined;
}
