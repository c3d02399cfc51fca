import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { createLogger } from '../../src/logger.ts';
import type { LogLine } from '../../src/logger.ts';
import type { LogLevel } from '../../src/log-entry.ts';
import type { Observation } from '../../src/observation.ts';
import { createSession, createStatement } from '../support/observations.ts';

/** The lines that a sink is given of these. */
function linesOf(level: LogLevel, ...observations: readonly Observation[]): LogLine[] {
  const lines: LogLine[] = [];
  const logger = createLogger({ level, stream: new PassThrough().resume() });
  logger.attach({ append: (line) => lines.push(line) });
  for (const observation of observations) {
    logger.observe(observation);
  }
  return lines;
}

const session = createSession({ owner: 'account:7' });

describe('the second way of the log', () => {
  it('has the lines of the first one', () => {
    const [line] = linesOf('info', { kind: 'service-stopping', reason: 'SIGTERM' });
    expect(line).toEqual({
      at: expect.any(Date),
      level: 'info',
      event: 'service-stopping',
      message: 'Service stopping',
      fields: { reason: 'SIGTERM' },
      owner: undefined,
    });
  });

  it('has the same levels', () => {
    const observations: readonly Observation[] = [
      { kind: 'session-opened', session },
      createStatement({ session }),
      { kind: 'audit-lost', lines: 1, reason: 'ENOSPC' },
    ];
    const events = (level: LogLevel): string[] =>
      linesOf(level, ...observations).map(({ event }) => event);
    expect(events('debug')).toEqual(['session-opened', 'statement-finished', 'audit-lost']);
    expect(events('info')).toEqual(['session-opened', 'audit-lost']);
    expect(events('error')).toEqual(['audit-lost']);
  });

  it('says whose session or request a line tells of', () => {
    const request: Observation = {
      ...{ kind: 'request-finished', requestId: 'r', caller: 'ada', owner: 'account:8' },
      ...{ address: '', method: 'GET', path: '/', status: 503, durationMs: 1, isComplete: true },
    };
    const lines = linesOf('info', { kind: 'session-opened', session }, request);
    expect(lines.map(({ owner }) => owner)).toEqual(['account:7', 'account:8']);
  });

  it('has no passwords in its lines', () => {
    const message = 'It is at postgres://u:Zq9kTv7w@h/d';
    const lines = linesOf('info', { kind: 'risk-noticed', component: 'x', message });
    expect(JSON.stringify(lines)).not.toContain('Zq9kTv7w');
  });

  it('is not held up by a reader of the first one that takes nothing', () => {
    const lines: LogLine[] = [];
    const logger = createLogger({ level: 'info', stream: new PassThrough() });
    logger.attach({ append: (line) => lines.push(line) });
    const reason = 'x'.repeat(1000);
    for (let count = 0; count < 3000; count += 1) {
      logger.observe({ kind: 'service-stopping', reason });
    }
    expect(lines).toHaveLength(3000);
  });
});
