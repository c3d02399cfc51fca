// Where the numbers come from: they mean nothing without it.
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type as osType } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { runDirectly } from '../support/databases.ts';
import { versionOf } from './programs.ts';

/** Long enough to see a test run of a neighbour, short enough to wait for. */
const WATCH_MS = 3000;

/** What it is and what runs on it. */
export async function describeMachine(
  url: string,
): Promise<readonly (readonly [name: string, value: string])[]> {
  const cores = cpus();
  const [row] = await runDirectly(url, 'show server_version');
  return [
    ['CPU', `${cores.length} cores, ${cores[0]?.model.trim() ?? 'unknown'}`],
    ['memory', `${(totalmem() / 1024 ** 3).toFixed(1)} GiB`],
    ['system', `${await distribution()}, ${osType()} ${release()}`],
    ['Node', process.versions.node],
    ['PostgreSQL', String(row?.['server_version'])],
    ['PgBouncer', (await versionOf('pgbouncer')) ?? 'not installed'],
    ['pgbench', (await versionOf('pgbench')) ?? 'not installed'],
    ['psql', (await versionOf('psql')) ?? 'not installed'],
  ];
}

/** What runs besides the bench: the load average, and the cores in use while nothing of ours is. */
export async function describeLoad(): Promise<string> {
  const before = busyMs();
  await pause(WATCH_MS);
  const busyCores = (busyMs() - before) / WATCH_MS;
  const averages = loadavg().map((average) => average.toFixed(2));
  return `load average ${averages.join(' ')}, ${busyCores.toFixed(2)} cores busy with other work`;
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys, 0);
}

async function distribution(): Promise<string> {
  try {
    const text = await readFile('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}
