import { describe, expect, test } from '@jest/globals';
import { PassThrough, Writable } from 'node:stream';
import { createLogger, LOG_BUFFER_BYTES_MAX } from '../../src/logger.ts';
import { createSession, createStatement, parseJsonLines } from '../support/observations.ts';
import type { LogLevel } from '../../src/log-entry.ts';
import type { Observation } from '../../src/observation.ts';

/** One observation per level, in the order error, warn, info, debug. */
const ONE_OF_EACH: readonly Observation[] = [
  { kind: 'fault', component: 'relay', error: new Error('x') },
  { kind: 'risk-noticed', component: 'wire', message: 'No TLS' },
  { kind: 'service-stopping', reason: 'SIGTERM' },
  createStatement(),
];

/** The lines that a logger writes for the observations. */
async function log(
  level: LogLevel,
  observations: readonly Observation[],
): Promise<Record<string, unknown>[]> {
  const stream = new PassThrough();
  const logger = createLogger({ level, stream });
  for (const observation of observations) {
    logger.observe(observation);
  }
  await logger.close();
  stream.end();
  return parseJsonLines(Buffer.concat(await stream.toArray()).toString());
}

function probed(isUp: boolean, backend = 'postgres'): Observation {
  const failure = isUp ? undefined : 'ECONNREFUSED';
  return { kind: 'backend-probed', backend, isUp, durationMs: 1, failure };
}

describe('createLogger', () => {
  test('writes JSON lines: time, level, event and message come first', async () => {
    const [line] = await log('info', [{ kind: 'service-stopping', reason: 'SIGTERM' }]);
    expect(Object.keys(line ?? {})).toEqual(['ts', 'level', 'event', 'message', 'reason']);
    expect(line).toMatchObject({
      level: 'info',
      event: 'service-stopping',
      message: 'Service stopping',
      reason: 'SIGTERM',
    });
    expect(line?.['ts']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test.each([
    ['error', ['fault']],
    ['warn', ['fault', 'risk-noticed']],
    ['info', ['fault', 'risk-noticed', 'service-stopping']],
    ['debug', ['fault', 'risk-noticed', 'service-stopping', 'statement-finished']],
  ] as const)('at level %s writes %j', async (level, events) => {
    const lines = await log(level, ONE_OF_EACH);
    expect(lines.map((line) => line['event'])).toEqual(events);
  });

  test.each(['info', 'debug'] as const)('at level %s leaves or writes batches', async (level) => {
    const counts = { consumed: 1, produced: 0, delivered: 1, replayed: 0 };
    const failures = { deadLettered: 0, skipped: 0, errors: 0 };
    const batch = { kind: 'connector-batch', type: 'sink', key: 'a', stages: [] } as const;
    const lines = await log(level, [{ ...batch, ...counts, ...failures }]);
    expect(lines).toHaveLength(level === 'debug' ? 1 : 0);
  });

  test('writes a backend only when its state changes', async () => {
    const states = [true, true, false, false, true, true];
    const lines = await log(
      'info',
      states.map((isUp) => probed(isUp)),
    );
    expect(lines.map(({ level, failure }) => [level, failure])).toEqual([
      ['info', undefined],
      ['warn', 'ECONNREFUSED'],
      ['info', undefined],
    ]);
  });

  test('keeps the states of two backends apart', async () => {
    const lines = await log('info', [probed(true), probed(true, 'mongodb'), probed(true)]);
    expect(lines.map((line) => line['backend'])).toEqual(['postgres', 'mongodb']);
  });

  test('keeps a line one line, whatever a client calls itself', async () => {
    const session = createSession({ applicationName: 'a\nb\u001b[2J\u009b2J', user: 'eve\r' });
    const [line, ...others] = await log('info', [{ kind: 'session-opened', session }]);
    expect(others).toEqual([]);
    expect(line).toMatchObject({ application_name: 'a\nb\u001b[2J\u009b2J', user: 'eve\r' });
  });

  test('hands over a burst of one turn whole and in order', async () => {
    const lines = await log(
      'info',
      Array.from({ length: 5000 }, (_, index) => ({
        kind: 'service-stopping',
        reason: String(index),
      })),
    );
    expect(lines.map((line) => Number(line['reason']))).toEqual([...Array(5000).keys()]);
  });

  test('takes no more observations once it is closed, and closes twice alike', async () => {
    const stream = new PassThrough();
    const logger = createLogger({ level: 'info', stream });
    await logger.close();
    logger.observe({ kind: 'service-stopping', reason: 'late' });
    await logger.close();
    expect(stream.readableLength).toBe(0);
  });
});

describe('createLogger on a stream that fails its reader', () => {
  test('bounds what waits for a slow reader and says how many lines that cost', async () => {
    const taken: string[] = [];
    let release = (): void => undefined;
    const stream = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, callback) {
        taken.push(chunk);
        release = callback;
      },
    });
    const logger = createLogger({ level: 'info', stream });
    const line: Observation = {
      kind: 'component-reported',
      component: 'test',
      message: 'x'.repeat(2000),
    };
    // A turn of the event loop each: only then does a line reach the stream.
    for (let sent = 0; sent < 1000; sent += 1) {
      logger.observe(line);
      await new Promise(setImmediate);
    }
    expect(stream.writableLength).toBeGreaterThan(LOG_BUFFER_BYTES_MAX);
    expect(stream.writableLength).toBeLessThan(LOG_BUFFER_BYTES_MAX + 4096);

    while (stream.writableLength > 0) {
      release();
      await new Promise(setImmediate);
    }
    const written = taken.length;
    logger.observe(line);
    await new Promise(setImmediate);
    expect(JSON.parse(taken[written] ?? '')).toMatchObject({
      level: 'warn',
      event: 'log-lost',
      lines: 1000 - written,
    });
    stream.destroy();
    await logger.close();
  });

  test('survives a reader that has gone away', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, callback) {
        callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const logger = createLogger({ level: 'info', stream });
    logger.observe({ kind: 'service-stopping', reason: 'one' });
    await new Promise(setImmediate);
    logger.observe({ kind: 'service-stopping', reason: 'two' });
    await logger.close();
    expect(stream.destroyed).toBe(true);
  });

  test('ends its close after a second when the reader takes nothing', async () => {
    const stream = new Writable({ write: () => undefined });
    const logger = createLogger({ level: 'info', stream });
    logger.observe({ kind: 'service-stopping', reason: 'stuck' });
    await expect(logger.close()).resolves.toBeUndefined();
    stream.destroy();
  });
});
