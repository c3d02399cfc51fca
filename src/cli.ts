import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import * as z from 'zod';
import { createApiToken, isTokenName, TOKEN_NAME_FORM, TOKEN_SCOPES } from './api-tokens.ts';
import { addAccountCommands, addMigrate } from './cli-accounts.ts';
import type { AccountSurroundings } from './cli-account-commands.ts';
import { addFlags, CONNECTORS_FLAGS, PROXY_FLAGS, SERVE_FLAGS } from './cli-flags.ts';
import { readSecret } from './cli-secret.ts';
import { ConfigError, echo } from './config-problems.ts';
import { describeConfig } from './config-report.ts';
import type { ConfigInputs, SystemInputs } from './config-sources.ts';
import { loadConfig, readSystemInputs } from './config.ts';
import type { Config } from './config.ts';
import { ServiceError } from './errors.ts';

/** What the command line touches beside its arguments; a test brings its own. */
export interface Surroundings {
  readonly system: SystemInputs;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Rejects when a listener could not be built. */
  readonly verifyListeners: (config: Config) => Promise<void>;
  /** What the connectors of the configuration come to; rejects as verifyListeners does. */
  readonly reportConnectors: (config: Config) => Promise<ConnectorsReport>;
  /** Runs until the service has stopped; gives the exit code. */
  readonly runService: RunService;
  /** The same for connectors alone. */
  readonly runConnectors: RunService;
  readonly accounts: AccountSurroundings;
}

type RunService = (config: Config, options: { version: string }) => Promise<number>;

/** For whoever reads what would run, and a line for each connector that would not. */
export interface ConnectorsReport {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

/** The exit code of a command line or configuration that is not accepted. */
const EXIT_USAGE = 2;

/**
 * Runs the command that the arguments name, `serve` when they name none, and gives the exit code.
 * Problems of arguments and configuration are told on standard error, one a line.
 *
 * @param argv without the runtime and the script
 */
export async function runCommandLine(
  argv: readonly string[],
  surroundings: Surroundings = processSurroundings(),
): Promise<number> {
  const program = createProgram(surroundings);
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  addServe(program, surroundings, finish);
  addProxy(program, surroundings, finish);
  addConnectors(program, surroundings, finish);
  addCheck(program, surroundings, finish);
  addToken(program, surroundings);
  addAccountCommands(program, surroundings, finish);
  addMigrate(program, surroundings, finish);
  try {
    await program.parseAsync(normalizeArguments(argv), { from: 'user' });
  } catch (error) {
    return explainFailure(error, surroundings);
  }
  return exitCode;
}

function processSurroundings(): Surroundings {
  return {
    system: readSystemInputs(),
    writeOut: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    verifyListeners: async (config) => {
      const { verifyListeners } = await import('./service.ts');
      await verifyListeners(config);
    },
    reportConnectors: async ({ connectors }) => {
      const { reportConnectors } = await import('./service-connectors.ts');
      return connectors === undefined ? { lines: [], problems: [] } : reportConnectors(connectors);
    },
    runService: async (config, options) => {
      // Loaded only here: --help needs none of what the service is built from.
      const { runService } = await import('./service.ts');
      return await runService(config, options);
    },
    runConnectors: async (config, options) => {
      const { runConnectors } = await import('./service-connectors.ts');
      return await runConnectors(config, options);
    },
    accounts: {
      withAccounts: async (config, work) => {
        const { withAccounts } = await import('./service-accounts.ts');
        await withAccounts(config, work);
      },
      migrate: async (config) => {
        const { migrateAccounts } = await import('./service-accounts.ts');
        return await migrateAccounts(config);
      },
      readSecret: async (prompt) =>
        await readSecret(prompt, { input: process.stdin, output: process.stderr }),
    },
  };
}

/**
 * The configuration of a command, checked as far as it can be without starting anything.
 *
 * @throws ConfigError
 */
async function loadVerified(
  { system, verifyListeners }: Surroundings,
  command: ConfigInputs['command'],
  argvSettings: ConfigInputs['argvSettings'],
): Promise<Config> {
  const config = loadConfig({ ...system, command, argvSettings });
  try {
    await verifyListeners(config);
  } catch (error) {
    if (error instanceof ConfigError) {
      throw error;
    }
    const sentence = error instanceof Error ? error.message : String(error);
    const hint = error instanceof ServiceError ? error.hint : undefined;
    throw new ConfigError([hint === undefined ? sentence : `${sentence}. ${hint}`]);
  }
  return config;
}

function createProgram({ writeOut, writeError }: Surroundings): Command {
  return new Command('gatepost')
    .description(
      'A guarded gate to PostgreSQL and MongoDB: psql in, with limits, cancel, metrics, audit',
    )
    .usage('[command] [options]')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print what can be given')
    .addHelpText('after', '\nWithout a command: serve. What it takes: gatepost serve --help')
    .showHelpAfterError('(--help lists what can be given)')
    .exitOverride()
    .configureOutput({
      writeOut,
      writeErr: writeError,
      outputError: (text, write) => write(maskArguments(text)),
    });
}

/** What psql's habits put in a wrong place: a connection string, or a password after one letter. */
function maskArguments(text: string): string {
  return text.replace(/[^\s']*:\/\/[^\s']*/g, '***').replace(/'(-\w)[^']*'/g, "'$1***'");
}

function addServe(program: Command, around: Surroundings, finish: (code: number) => void): void {
  const command = program.command('serve').description('serve HTTP and the listeners');
  const readFlags = addFlags(command, SERVE_FLAGS);
  command.action(async () => {
    const config = await loadVerified(around, 'serve', readFlags());
    finish(await around.runService(config, { version: readVersion() }));
  });
}

function addProxy(program: Command, around: Surroundings, finish: (code: number) => void): void {
  const command = program
    .command('pgwire-proxy')
    .description('serve one listener in front of one PostgreSQL, without HTTP');
  const readFlags = addFlags(command, PROXY_FLAGS);
  command.action(async () => {
    const config = await loadVerified(around, 'pgwire-proxy', readFlags());
    finish(await around.runService(config, { version: readVersion() }));
  });
}

function addConnectors(
  program: Command,
  around: Surroundings,
  finish: (code: number) => void,
): void {
  const command = program
    .command('connectors')
    .description('run the connectors for Apache Iggy, without listeners and without the REST API');
  const readFlags = addFlags(command, CONNECTORS_FLAGS);
  command.action(async () => {
    const config = await loadVerified(around, 'connectors', readFlags());
    finish(await around.runConnectors(config, { version: readVersion() }));
  });
}

function addCheck(program: Command, around: Surroundings, finish: (code: number) => void): void {
  const command = program
    .command('check')
    .description('print the configuration that serve would run with, secrets masked');
  const readFlags = addFlags(command, SERVE_FLAGS);
  command.action(async () => {
    const config = await loadVerified(around, 'serve', readFlags());
    const { lines, problems } = await around.reportConnectors(config);
    const all = [...describeConfig(config), ...(lines.length > 0 ? ['', ...lines] : [])];
    around.writeOut(`${all.join('\n')}\n`);
    around.writeError(problems.map((problem) => `${problem}\n`).join(''));
    finish(problems.length > 0 ? EXIT_USAGE : 0);
  });
}

function addToken(program: Command, { writeOut }: Surroundings): void {
  const scope = new Option(
    '--scope <scope>',
    'what its bearer may do; write includes read, admin both',
  )
    .choices(TOKEN_SCOPES)
    .default('read');
  program
    .command('token')
    .description('make a token for the REST API, and the entry of API_TOKENS that accepts it')
    .argument('<name>', `what the audit calls its bearer: ${TOKEN_NAME_FORM}`)
    .addOption(scope)
    .action((name: string, options: { readonly scope: string }) => {
      if (!isTokenName(name)) {
        throw new ConfigError([`The name ${echo(name)} is refused: it takes ${TOKEN_NAME_FORM}`]);
      }
      const { token, sha256 } = createApiToken();
      const lines = [
        'The token, shown this once; clients send it as "Authorization: Bearer ...":',
        token,
        'The entry for API_TOKENS, or for a line of API_TOKENS_FILE:',
        `${name}:${options.scope}:${sha256}`,
      ];
      writeOut(`${lines.join('\n')}\n`);
    });
}

const PROGRAM_FLAGS = ['-h', '--help', '-V', '--version'];

/**
 * The arguments with the command in front, and with `--flag=value` in two: an error then names a
 * misspelt flag without the value, which may be a password.
 */
function normalizeArguments(argv: readonly string[]): string[] {
  const [first] = argv;
  const isCommandGiven = first !== undefined && !first.startsWith('-');
  const isForProgram = first !== undefined && PROGRAM_FLAGS.includes(first);
  const parts = argv.flatMap((argument) => {
    const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(argument) ?? [];
    return flag === undefined || value === undefined ? [argument] : [flag, value];
  });
  return isCommandGiven || isForProgram ? parts : ['serve', ...parts];
}

/** What is ours to explain becomes an exit code; anything else is a fault and goes on up. */
function explainFailure(error: unknown, { writeError }: Surroundings): number {
  if (error instanceof CommanderError) {
    // Commander has written the message; 0 is --help and --version.
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    writeError(`${error.message}\n`);
    return EXIT_USAGE;
  }
  throw error;
}

const packageSchema = z.object({ name: z.literal('gatepost'), version: z.string() });

/** From our package.json, which is one folder up from the sources and two from the build. */
function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    const parsed = packageSchema.safeParse(readJson(new URL(place, import.meta.url)));
    if (parsed.success) {
      return parsed.data.version;
    }
  }
  throw new Error('The package.json of gatepost is missing');
}

function readJson(url: URL): unknown {
  try {
    return JSON.parse(readFileSync(url, 'utf8'));
  } catch {
    // Not there: the caller looks in the other place.
    return undefined;
  }
}
