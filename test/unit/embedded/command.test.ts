import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../src/embedded/command.ts';
import { isRunning } from '../../../src/os-process.ts';
import { createTemporaryDirectory } from '../../support/temporary-directory.ts';

const { signal } = new AbortController();

function shell(script: string): { file: string; args: string[]; account: undefined } {
  return { file: 'sh', args: ['-c', script], account: undefined };
}

describe('A command', () => {
  test.each([
    ['exit 0', true],
    ['exit 3', false],
    ['kill -9 $$', false],
  ])('ends with `%s`: success is %s', async (script, isSuccess) => {
    expect(await run(shell(script), signal)).toMatchObject({ isSuccess });
  });

  test('gives what it printed on both streams', async () => {
    const { output } = await run(shell('echo out; echo err >&2'), signal);
    expect(output.split('\n').sort()).toEqual(['err', 'out']);
  });

  test('keeps the end of a long output', async () => {
    const { output } = await run(shell('yes line | head -n 100000; echo last'), signal);
    expect(output.length).toBeLessThanOrEqual(16_384);
    expect(output).toMatch(/line\nlast$/);
  });

  test('reads its input', async () => {
    expect(await run(shell('cat'), signal, 'hello')).toEqual({ isSuccess: true, output: 'hello' });
  });

  test('may end without reading its input', async () => {
    const input = 'x'.repeat(1_000_000);
    expect(await run(shell('exit 0'), signal, input)).toEqual({ isSuccess: true, output: '' });
  });

  test('works away from our folder, in a session of its own', async () => {
    const { output } = await run(shell('pwd; ps -o sid= -p $$; echo $$'), signal);
    const [folder, session, own] = output.split('\n').map((line) => line.trim());
    expect(folder).toBe('/');
    expect(session).toBe(own);
  });

  test('has nothing of our environment', async () => {
    const { output } = await run(shell('env'), signal);
    const names = output.split('\n').map((line) => line.replace(/=.*/, ''));
    expect(names).toEqual(expect.arrayContaining(['PATH', 'LC_ALL']));
    expect(names).not.toContain('HOME');
  });

  test('has our environment when it needs the settings of the machine', async () => {
    const { output } = await run({ ...shell('env'), isEnvironmentInherited: true }, signal);
    expect(output).toContain(`HOME=${process.env['HOME'] ?? ''}`);
  });

  test('that is not there is named with its own advice', async () => {
    const missing = { file: '/nowhere/tool', args: [], account: undefined, advice: 'install it' };
    await expect(run(missing, signal)).rejects.toThrow(
      'Cannot run /nowhere/tool: check that it is there and may be executed, or install it',
    );
  });

  test('that is not there is named', async () => {
    const missing = { file: '/nowhere/postgres', args: [], account: undefined };
    await expect(run(missing, signal)).rejects.toThrow(
      'Cannot run /nowhere/postgres: check that it is there and may be executed, or set',
    );
  });

  test('is killed when the signal aborts while it is launched', async () => {
    const controller = new AbortController();
    const reason = new Error('Called off');
    const outcome = run(shell('sleep 61'), controller.signal);
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
  });

  test('is killed with what it has started when the signal aborts', async () => {
    const controller = new AbortController();
    const reason = new Error('Called off');
    const directory = await createTemporaryDirectory();
    const script = `cd ${directory.path}; sleep 61 & echo $! >pid; mv pid done; wait`;
    const outcome = run(shell(script), controller.signal);
    const file = path.join(directory.path, 'done');
    while (!existsSync(file)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const pid = Number(await readFile(file, 'utf8'));
    expect(await isRunning(pid)).toBe(true);
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(await isRunning(pid)).toBe(false);
    await directory.remove();
  });

  test('is not begun when the signal has aborted', async () => {
    const reason = new Error('Called off');
    const directory = await createTemporaryDirectory();
    const outcome = run(shell(`touch ${directory.path}/file`), AbortSignal.abort(reason));
    await expect(outcome).rejects.toBe(reason);
    expect(existsSync(path.join(directory.path, 'file'))).toBe(false);
    await directory.remove();
  });
});
