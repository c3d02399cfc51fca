import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { commandLineOf, isRunning, startTimeOf } from '../../src/os-process.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

describe('A process', () => {
  test('runs when it is our own or our parent', async () => {
    expect(await isRunning(process.pid)).toBe(true);
    expect(await isRunning(process.ppid)).toBe(true);
  });

  test('runs until it has ended', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    expect(await isRunning(child.pid ?? 0)).toBe(true);
    child.kill();
    await once(child, 'exit');
    expect(await isRunning(child.pid ?? 0)).toBe(false);
  });

  onLinux('has ended when nobody has taken note of its end', async () => {
    // The child ends when `sleep` has taken the shell's place, and `sleep` never asks for it.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
    const zombie = Number(String(await once(createInterface(parent.stdout), 'line')));
    while (await isRunning(zombie)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(() => process.kill(zombie, 0)).not.toThrow();
    parent.kill();
    await once(parent, 'exit');
  });

  onLinux('has a start time of its own', async () => {
    const own = await startTimeOf(process.pid);
    expect(own).toMatch(/^\d+$/);
    expect(await startTimeOf(process.pid)).toBe(own);
    expect(await startTimeOf(1)).not.toBe(own);
  });

  test('is known by its command line', async () => {
    const child = spawn('sleep', ['61']);
    await once(child, 'spawn');
    expect(await commandLineOf(child.pid ?? 0)).toEqual(expect.arrayContaining(['sleep', '61']));
    child.kill();
    await once(child, 'exit');
    expect((await commandLineOf(child.pid ?? 0)).join('')).toBe('');
    expect(await startTimeOf(child.pid ?? 0)).toBeUndefined();
  });
});
