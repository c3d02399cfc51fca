import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { toErrorCode } from './error-code.ts';

/** How long `ps` may take where there is no /proc. */
const PS_TIMEOUT_MS = 5_000;

/** Whether a process of that id exists and has not ended; a zombie has. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM says that it is there and belongs to somebody else.
    return toErrorCode(error) === 'EPERM';
  }
  const stat = await readStat(pid);
  return stat?.state !== 'Z';
}

/**
 * When a process started, in the kernel's own units: tells a process from a later one that was
 * given the same id, as happens at every restart of a container. Undefined where there is no /proc.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid);
  return stat?.startTime;
}

/** The words of a process's command line; none when it cannot be read. */
export async function commandLineOf(pid: number): Promise<readonly string[]> {
  if (process.platform === 'linux') {
    const words = await readText(`/proc/${pid}/cmdline`);
    return words?.split('\0') ?? [];
  }
  const ps = promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)], {
    timeout: PS_TIMEOUT_MS,
  });
  const { stdout } = await ps.catch(() => ({ stdout: '' }));
  return stdout.trim().split(/\s+/);
}

async function readStat(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  const text = await readText(`/proc/${pid}/stat`);
  if (text === undefined) {
    return undefined;
  }
  // The second column is the program's name in parentheses and may itself hold spaces; the state
  // is column 3 and the start time column 22 of proc(5).
  const columns = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: columns[0] ?? '', startTime: columns[19] ?? '' };
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // No such process, or no /proc on this system.
    return undefined;
  }
}
