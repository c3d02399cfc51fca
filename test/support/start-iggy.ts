// A real Iggy for the tests that need one: the server program that IGGY_SERVER names, started for
// them on free ports, or the one that TEST_IGGY_URL leads to.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import type { IggyCredentials } from '../../src/connectors/iggy-session.ts';
import { untilFound } from './facts.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

export const IGGY_MISSING =
  'IGGY_SERVER names no server program and TEST_IGGY_URL no server: ' +
  'docker run -p 3000:3000 apache/iggy:0.8.0, then TEST_IGGY_URL=http://iggy:iggy@127.0.0.1:3000';

/** Another program may take a port between our look and the server's start. */
const STARTS_MAX = 3;

export interface TestIggy {
  /** Of its HTTP API. */
  readonly address: string;
  readonly credentials: IggyCredentials;
  /** Ends it at once, as a power cut would, and removes its data; nothing for a foreign one. */
  stop(): Promise<void>;
}

/** A name of its own for a stream: a foreign server keeps those of earlier runs. */
export function newStreamName(): string {
  return `gatepost-test-${randomBytes(6).toString('hex')}`;
}

/** The server of this run; the caller stops it. */
export async function startTestIggy(): Promise<TestIggy> {
  const url = process.env['TEST_IGGY_URL'] ?? '';
  if (url !== '') {
    return foreignIggy(new URL(url));
  }
  const program = process.env['IGGY_SERVER'] ?? '';
  if (program === '') {
    throw new Error(IGGY_MISSING);
  }
  for (let start = 1; ; start += 1) {
    const iggy = await startProgram(path.resolve(program));
    if (iggy !== undefined) {
      return iggy;
    }
    if (start === STARTS_MAX) {
      throw new Error(`The Iggy server that IGGY_SERVER names ended ${STARTS_MAX} times at once`);
    }
  }
}

function foreignIggy(url: URL): TestIggy {
  return {
    address: url.origin,
    credentials: {
      kind: 'password',
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    },
    stop: async () => await Promise.resolve(),
  };
}

/** Undefined when it ends before it answers. */
async function startProgram(program: string): Promise<TestIggy | undefined> {
  const directory = await createTemporaryDirectory();
  const [http, tcp] = await freePorts();
  const credentials = {
    kind: 'password',
    username: 'iggy',
    password: randomBytes(12).toString('hex'),
  } as const;
  const server = spawn(program, [], {
    cwd: directory.path,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      IGGY_SYSTEM_PATH: path.join(directory.path, 'iggy'),
      IGGY_HTTP_ADDRESS: `127.0.0.1:${http}`,
      IGGY_TCP_ADDRESS: `127.0.0.1:${tcp}`,
      IGGY_QUIC_ENABLED: 'false',
      IGGY_WEBSOCKET_ENABLED: 'false',
      IGGY_ROOT_USERNAME: credentials.username,
      IGGY_ROOT_PASSWORD: credentials.password,
    },
  });
  // A program that is not there has no process, which is looked at below.
  server.on('error', () => undefined);
  const address = `http://127.0.0.1:${http}`;
  const stop = async (): Promise<void> => {
    await kill(server);
    await directory.remove();
  };
  try {
    const isUp = await untilFound(async () => await stateOf(server, address), 'a started Iggy');
    if (isUp) {
      return { address, credentials, stop };
    }
  } catch (error) {
    await stop();
    throw error;
  }
  await stop();
  return undefined;
}

/** Whether it answers or has ended; undefined while neither is known. */
async function stateOf(server: ChildProcess, address: string): Promise<boolean | undefined> {
  if (hasEnded(server)) {
    return false;
  }
  return (await isAnswered(address)) ? true : undefined;
}

async function isAnswered(address: string): Promise<boolean> {
  const asked = get(`${address}/ping`, { agent: false });
  try {
    await once(asked, 'response');
    return true;
  } catch {
    return false;
  } finally {
    asked.destroy();
  }
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function kill(server: ChildProcess): Promise<void> {
  if (hasEnded(server)) {
    return;
  }
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}

/** Two ports that nobody listens on. Iggy does not take 0. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return [ports[0] ?? 0, ports[1] ?? 0];
}
