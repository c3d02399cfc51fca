import { runCommandLine } from '../../src/cli.ts';
import type { AccountSurroundings } from '../../src/cli-account-commands.ts';
import type { ConnectorsReport, Surroundings } from '../../src/cli.ts';
import type { Config } from '../../src/config.ts';
import { createSystem } from './load-config.ts';
import type { ConfigWorld } from './load-config.ts';

/** None that the command line gives by itself. */
export const SERVICE_EXIT_CODE = 7;

/** What a command line gave, printed and started. */
export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly errors: string;
  /** What the service was started with; undefined when it was not. */
  readonly started: Config | undefined;
  /** The same of connectors that run alone. */
  readonly connectors: Config | undefined;
  readonly version: string | undefined;
}

/** Where a command line has no business with accounts. */
export const NO_ACCOUNTS: AccountSurroundings = {
  withAccounts: () => Promise.reject(new Error('No accounts are expected')),
  migrate: () => Promise.reject(new Error('No migration is expected')),
  readSecret: () => Promise.reject(new Error('No secret is expected')),
};

/** Runs a command line in a world with a service that stops at once. */
export async function run(
  argv: readonly string[],
  world: ConfigWorld = {},
  report: ConnectorsReport = { lines: [], problems: [] },
  accounts: AccountSurroundings = NO_ACCOUNTS,
): Promise<Outcome> {
  let out = '';
  let errors = '';
  const started: { config: Config; version: string }[] = [];
  const connectors: Config[] = [];
  const surroundings: Surroundings = {
    system: createSystem(world),
    writeOut: (text) => (out += text),
    writeError: (text) => (errors += text),
    verifyListeners: () => Promise.resolve(),
    runService: (config, { version }) => {
      started.push({ config, version });
      return Promise.resolve(SERVICE_EXIT_CODE);
    },
    reportConnectors: () => Promise.resolve(report),
    runConnectors: (config) => {
      connectors.push(config);
      return Promise.resolve(SERVICE_EXIT_CODE);
    },
    accounts,
  };
  const exitCode = await runCommandLine(argv, surroundings);
  return {
    ...{ exitCode, out, errors },
    ...{ started: started[0]?.config, version: started[0]?.version, connectors: connectors[0] },
  };
}
