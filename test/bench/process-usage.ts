// What a process has used, as Linux tells. Elsewhere nothing is known, and the report says so.
import { readFile } from 'node:fs/promises';

/** USER_HZ, in which /proc counts: 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

const MICROSECONDS_PER_TICK = 1_000_000 / TICKS_PER_SECOND;

export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** CPU time of the process with all its threads, so far; undefined where /proc is missing. */
export async function readCpuTime(pid: number): Promise<CpuTime | undefined> {
  const text = await readProc(pid, 'stat');
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined
    ? undefined
    : {
        userUs: Number(fields[11]) * MICROSECONDS_PER_TICK,
        systemUs: Number(fields[12]) * MICROSECONDS_PER_TICK,
      };
}

/** Resident memory in bytes; undefined where /proc is missing. */
export async function readResidentBytes(pid: number): Promise<number | undefined> {
  const text = await readProc(pid, 'status');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function readProc(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
