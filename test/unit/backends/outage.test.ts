import { describe, expect, it } from '@jest/globals';
import { Outage } from '../../../src/backends/outage.ts';

function createClock(): { nowMs: number; now: () => number } {
  const clock = { nowMs: 1000, now: () => clock.nowMs };
  return clock;
}

/** An attempt that fails as long as it is told to, and counts how often it was made. */
function createServer(): { isDown: boolean; attempts: number; connect: () => Promise<string> } {
  const server = {
    isDown: true,
    attempts: 0,
    connect: () => {
      server.attempts += 1;
      return server.isDown
        ? Promise.reject(new Error(`down ${server.attempts}`))
        : Promise.resolve('connected');
    },
  };
  return server;
}

describe('An outage', () => {
  it('answers everybody with the failure until it is time for the next attempt', async () => {
    const clock = createClock();
    const server = createServer();
    const outage = new Outage(clock.now);
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 1');
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 1');
    expect(server.attempts).toBe(1);
    clock.nowMs += 100;
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 2');
    expect(server.attempts).toBe(2);
  });

  it('doubles the pause up to two seconds', async () => {
    const clock = createClock();
    const server = createServer();
    const outage = new Outage(clock.now);
    const pauses: number[] = [];
    let lastMs = clock.nowMs;
    for (let known = 0; pauses.length < 8; clock.nowMs += 10) {
      await outage.attempt(server.connect).catch(() => undefined);
      if (server.attempts > known) {
        pauses.push(clock.nowMs - lastMs);
        lastMs = clock.nowMs;
        known = server.attempts;
      }
    }
    expect(pauses).toEqual([0, 100, 200, 400, 800, 1600, 2000, 2000]);
  });

  it('is over with the first success', async () => {
    const clock = createClock();
    const server = createServer();
    const outage = new Outage(clock.now);
    await expect(outage.attempt(server.connect)).rejects.toThrow('down');
    server.isDown = false;
    clock.nowMs += 100;
    await expect(outage.attempt(server.connect)).resolves.toBe('connected');
    await expect(outage.attempt(server.connect)).resolves.toBe('connected');
    server.isDown = true;
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 4');
    clock.nowMs += 100;
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 5');
  });

  it('is tried by one at a time', async () => {
    const clock = createClock();
    const server = createServer();
    const outage = new Outage(clock.now);
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 1');
    clock.nowMs += 100;
    server.isDown = false;
    const first = outage.attempt(server.connect);
    await expect(outage.attempt(server.connect)).rejects.toThrow('down 1');
    await expect(first).resolves.toBe('connected');
  });
});
