// What is compared: the same PostgreSQL, reached directly and through each proxy.
import { chown, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { OsAccount } from '../../src/embedded/command.ts';
import type { Login } from './programs.ts';
import { findFreePort, startProxy } from './proxy-process.ts';
import type { ProxyCommand, ProxyProcess } from './proxy-process.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');

/** More than any measure opens; PostgreSQL itself takes 300. */
const CLIENTS_MAX = 250;

export const DIRECT = 'direct';
export const PGBOUNCER = 'PgBouncer';
export const BARE_PIPE = 'bare Node pipe';
export const GATEPOST = 'Gatepost';
export const GATEPOST_DENY = 'Gatepost with deny list';

/** Where everything of one bench lies. */
export interface BenchPlace {
  readonly directory: string;
  readonly postgresPort: number;
  readonly login: Login;
  /** A user that PostgreSQL asks for no password. */
  readonly reader: { readonly user: string; readonly database: string };
  /** Who programs run as that refuse to be root; undefined when we are not root. */
  readonly account: OsAccount | undefined;
}

/** One way to PostgreSQL, running. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  /** Undefined for the direct way. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** One way to PostgreSQL that can be started any number of times. */
export interface SubjectKind {
  readonly name: string;
  start(place: BenchPlace): Promise<Subject>;
}

/** In the order in which each round measures them. */
export function subjectKinds({ hasPgBouncer }: { readonly hasPgBouncer: boolean }): SubjectKind[] {
  return [
    { name: DIRECT, start: async (place) => await Promise.resolve(directSubject(place)) },
    ...(hasPgBouncer ? [{ name: PGBOUNCER, start: startPgBouncer }] : []),
    { name: BARE_PIPE, start: startBarePipe },
    { name: GATEPOST, start: async (place) => await startGatepost(place, GATEPOST, {}) },
    {
      name: GATEPOST_DENY,
      start: async (place) =>
        await startGatepost(place, GATEPOST_DENY, { WIRE_DENY: 'DROP,TRUNCATE,GRANT' }),
    },
  ];
}

/** Programs are looked for there too: Debian's daemons are on no ordinary user's PATH. */
function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
}

function directSubject({ postgresPort: port }: BenchPlace): Subject {
  return { name: DIRECT, port, pid: undefined, stop: async () => await Promise.resolve() };
}

async function startBarePipe(place: BenchPlace): Promise<Subject> {
  const port = await findFreePort();
  const script = path.join(import.meta.dirname, 'bare-pipe.js');
  return await startSubject(place, BARE_PIPE, {
    file: process.execPath,
    args: [script, `${port}`, `${place.postgresPort}`],
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    port,
  });
}

/** Every guardrail on, its bounds so wide that the results pass; with these settings besides. */
export async function startGatepost(
  place: BenchPlace,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<Subject> {
  const port = await findFreePort();
  const { user, password, database } = place.login;
  const upstream = `127.0.0.1:${place.postgresPort}/${database}?sslmode=disable`;
  return await startSubject(place, name, {
    file: process.execPath,
    args: [path.join(PROJECT, 'dist/src/main.js'), 'serve'],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      PORT: '0',
      WIRE_POSTGRES_PORT: `${port}`,
      WIRE_MONGODB_PORT: 'off',
      WIRE_UPSTREAM_DSN: `postgresql://${user}:${password}@${upstream}`,
      AUDIT_FILE: path.join(place.directory, `audit-${port}.jsonl`),
      WIRE_MAX_CONNECTIONS: `${CLIENTS_MAX}`,
      WIRE_MAX_ROWS: '1000000000',
      WIRE_MAX_BYTES: '1TB',
      WIRE_QUERY_TIMEOUT: '1h',
      ...settings,
    },
    port,
  });
}

async function startPgBouncer(place: BenchPlace): Promise<Subject> {
  const port = await findFreePort();
  const configFile = path.join(place.directory, `pgbouncer-${port}.ini`);
  const usersFile = path.join(place.directory, `pgbouncer-${port}.txt`);
  const users = [place.login.user, place.reader.user].map((user) => `"${user}" ""\n`);
  await writeOwned(usersFile, users.join(''), place);
  await writeOwned(configFile, pgBouncerConfig(place, { port, usersFile }), place);
  return await startSubject(place, PGBOUNCER, {
    file: 'pgbouncer',
    args: ['-q', configFile],
    env: { PATH: searchPath() },
    port,
    account: place.account,
  });
}

function pgBouncerConfig(
  { postgresPort, login }: BenchPlace,
  { port, usersFile }: { readonly port: number; readonly usersFile: string },
): string {
  const { user, password, database } = login;
  const upstream = `host=127.0.0.1 port=${postgresPort} user=${user} password=${password}`;
  return `[databases]
${database} = ${upstream} dbname=${database}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${usersFile}
pool_mode = session
max_client_conn = ${CLIENTS_MAX}
default_pool_size = ${CLIENTS_MAX}
ignore_startup_parameters = extra_float_digits
`;
}

async function writeOwned(file: string, text: string, { account }: BenchPlace): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  if (account !== undefined) {
    await chown(file, account.uid, account.gid);
  }
}

async function startSubject(
  { directory }: BenchPlace,
  name: string,
  command: Omit<ProxyCommand, 'logFile'>,
): Promise<Subject> {
  const logFile = path.join(directory, `${name.replaceAll(' ', '-')}-${command.port}.log`);
  const proxy: ProxyProcess = await startProxy({ ...command, logFile });
  return { name, port: command.port, ...proxy };
}
