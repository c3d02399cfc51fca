// Single figures of the report's tables.
import type { Sample } from './rounds.ts';
import { median, ratioOf } from './statistics.ts';

/** The median ratio and, of several rounds, the least and the most: `0.91 (0.89–0.93)`. */
export function describeRatio(own: readonly Sample[], others: readonly Sample[]): string {
  const ratio = ratioOf(
    own.map(({ perSecond }) => perSecond),
    others.map(({ perSecond }) => perSecond),
  );
  const range = `${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)}`;
  return `${ratio.median.toFixed(2)}${own.length > 1 ? ` (${range})` : ''}`;
}

/** Microseconds a query, row or connection: `31.2 µs (20.1 + 11.1)`. */
export function cpuPerUnit(samples: readonly Sample[]): string {
  const costs = samples.flatMap(({ cpu, count }) =>
    cpu === undefined ? [] : [{ user: cpu.userUs / count, system: cpu.systemUs / count }],
  );
  if (costs.length === 0) {
    return '–';
  }
  const user = median(costs.map((cost) => cost.user));
  const system = median(costs.map((cost) => cost.system));
  const digits = user + system < 1 ? 3 : 1;
  const split = `${user.toFixed(digits)} + ${system.toFixed(digits)}`;
  return `${(user + system).toFixed(digits)} µs (${split})`;
}
