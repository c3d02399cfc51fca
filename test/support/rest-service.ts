// The whole service as a process, for tests that look at its REST API.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createApiToken } from '../../src/api-tokens.ts';
import { untilFound } from './facts.ts';
import { ask, askJson } from './http-client.ts';
import type { Answer, Question } from './http-client.ts';
import { parseJsonLines } from './observations.ts';
import { BUN, httpUrlOf, NODE, portOf, startService } from './start-service.ts';
import type { RunningService, Runtime } from './start-service.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

const FREE_PORTS = { PORT: '0', WIRE_POSTGRES_PORT: '0', WIRE_MONGODB_PORT: '0' };

/** What the service runs under here: Node, and Bun where there is one. */
export function findRuntimes(): readonly Runtime[] {
  const hasBun = spawnSync(BUN.command, ['--version']).status === 0;
  if (!hasBun) {
    process.stderr.write(
      'SKIPPED: the REST API under Bun, since there is no bun (or BUN_BINARY)\n',
    );
  }
  return hasBun ? [NODE, BUN] : [NODE];
}

/** A token of that name, and the entry of API_TOKENS that accepts it. */
export function createBearer(
  name: string,
  scope: 'read' | 'write' | 'admin',
): { readonly name: string; readonly token: string; readonly entry: string } {
  const { token, sha256 } = createApiToken();
  return { name, token, entry: `${name}:${scope}:${sha256}` };
}

export interface RestServiceOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly runtime?: Runtime;
}

export interface RestService extends RunningService {
  readonly url: string;
  readonly directory: string;
  /** Answers of the path. */
  ask(path: string, question?: Question): Promise<Answer>;
  askJson(path: string, question?: Question): Promise<readonly [status: number, body: unknown]>;
  /** The port of the listener of that backend. */
  portFor(backend: 'postgres' | 'mongodb'): number;
  /** The audit line of a statement of that text, once it is written. */
  audited(text: string): Promise<Readonly<Record<string, unknown>>>;
  /** Ends it, and removes its directory. */
  remove(): Promise<void>;
}

/** Starts the service in a directory of its own, with an audit file; resolves when it runs. */
export async function startRestService(options: RestServiceOptions): Promise<RestService> {
  const directory = await createTemporaryDirectory();
  const service = startService({
    directory: directory.path,
    environment: { ...FREE_PORTS, AUDIT_FILE: 'audit.jsonl', ...options.environment },
    ...(options.runtime && { runtime: options.runtime }),
  });
  const remove = async (): Promise<void> => {
    await service.stop();
    await directory.remove();
  };
  try {
    await service.logged('service-started');
  } catch (error) {
    await remove();
    throw error;
  }
  const url = httpUrlOf(service);
  return {
    ...service,
    url,
    directory: directory.path,
    ask: async (where, question) => await ask(`${url}${where}`, question),
    askJson: async (where, question) => await askJson(`${url}${where}`, question),
    portFor: (backend) =>
      portOf(
        service.log.find(
          (line) => line['event'] === 'listener-bound' && line['backend'] === backend,
        ) ?? {},
      ),
    audited: async (text) =>
      await untilFound(
        () =>
          parseJsonLines(readFileSync(path.join(directory.path, 'audit.jsonl'), 'utf8')).find(
            (line) => line['text'] === text,
          ),
        `the audit line of ${text}`,
      ),
    remove,
  };
}
