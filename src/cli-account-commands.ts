// What the commands of accounts have in common: where they lead, and how they end.
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { AccountAdministration, NewSecret } from './accounts.ts';
import { TOKEN_SCOPES } from './api-tokens.ts';
import { ACCOUNTS_FLAGS, addFlags } from './cli-flags.ts';
import type { ConfigInputs, SystemInputs } from './config-sources.ts';
import type { TextType } from './config-values.ts';
import { ConfigError } from './config-problems.ts';
import { loadConfig } from './config.ts';
import type { Config } from './config.ts';
import { ServiceError, SQLSTATE } from './errors.ts';

/** What the commands of accounts touch. */
export interface AccountSurroundings {
  /** Opens the accounts, starting the embedded database for it where it does not run. */
  readonly withAccounts: (
    config: Config,
    work: (administration: AccountAdministration) => Promise<void>,
  ) => Promise<void>;
  /** Brings their schema up to date. */
  readonly migrate: (
    config: Config,
  ) => Promise<{ readonly newest: string; readonly applied: number }>;
  readonly readSecret: (prompt: string) => Promise<string>;
}

/** Of the command line's surroundings, what is needed here. */
export interface AccountsWorld {
  readonly system: SystemInputs;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly accounts: AccountSurroundings;
}

export type Finish = (exitCode: number) => void;

/** The exit code of a command that was understood, and failed. */
const EXIT_FAILURE = 1;

/** What the commands have in common: flags of the configuration, opened accounts, exit codes. */
export class AccountCommands {
  readonly world: AccountsWorld;
  readonly #parent: Command;
  readonly #finish: Finish;

  constructor(parent: Command, world: AccountsWorld, finish: Finish) {
    this.#parent = parent;
    this.world = world;
    this.#finish = finish;
  }

  /**
   * Adds a command.
   *
   * @param prepare is given the arguments and options, and gives what is done with the accounts;
   *   whatever has to be asked for is asked for before they are opened
   */
  add(
    { usage, description, options = [] }: CommandText,
    prepare: (given: Given) => Promise<AccountWork> | AccountWork,
  ): void {
    const command = this.#parent.command(usage).description(description);
    for (const option of options) {
      command.addOption(option);
    }
    const load = addConfigFlags(command, this.world);
    command.action(async () => {
      await explained(this.world, this.#finish, async () => {
        const config = load();
        const work = await prepare(command);
        await this.world.accounts.withAccounts(config, async (administration) => {
          this.world.writeOut(`${await work(administration)}\n`);
        });
      });
    });
  }

  /** A new secret, asked for or from standard input. */
  async readSecret(name: string, { verifierStdin }: SecretOptions): Promise<NewSecret> {
    const { readSecret } = this.world.accounts;
    return verifierStdin === true
      ? { verifier: await readSecret(`Verifier of account ${name}`) }
      : { password: await readSecret(`Password of account ${name}`) };
  }
}

/** A command that has been parsed: its arguments, and its options by `opts`. */
export type Given = Pick<Command, 'args' | 'opts'>;

interface CommandText {
  readonly usage: string;
  readonly description: string;
  readonly options?: readonly Option[];
}

/** Does something with the accounts; gives what is printed. */
type AccountWork = (administration: AccountAdministration) => Promise<string>;

export function addConfigFlags(command: Command, { system }: AccountsWorld): () => Config {
  const readFlags = addFlags(command, ACCOUNTS_FLAGS);
  return () => {
    const inputs: ConfigInputs = { ...system, command: 'serve', argvSettings: readFlags() };
    const config = loadConfig(inputs);
    if (config.accounts === undefined) {
      throw new ConfigError([
        'ACCOUNTS is off, so that there are none: set ACCOUNTS=on, and ACCOUNTS_DATABASE_URL ' +
          'where they are to be in another PostgreSQL than the one that is queried',
      ]);
    }
    return config;
  };
}

/** What fails is said on standard error; what is no failure of ours to explain goes on up. */
export async function explained(
  { writeError }: AccountsWorld,
  finish: Finish,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ServiceError)) {
      throw error;
    }
    writeError(`${describeError(error)}\n`);
    finish(EXIT_FAILURE);
  }
}

function describeError({ message, hint, sqlState, cause }: ServiceError): string {
  // Whoever runs this is the operator: he may read why, and there is no log to look into.
  const isAway = sqlState === SQLSTATE.connectionFailure && cause instanceof Error;
  const why = isAway ? `: ${cause.message}` : hint === undefined ? '' : `. ${hint}`;
  return `${message}${why}`;
}

export interface SecretOptions {
  readonly verifierStdin?: boolean;
}

export function scopeOption(description: string): Option {
  return new Option('--scope <scope>', description).choices(TOKEN_SCOPES).default('read');
}

/** An option whose value is written as the setting of that type is. */
export function typed<T>(flags: string, description: string, type: TextType<T>): Option {
  return new Option(flags, `${description} (${type.accepted})`).argParser((text): T => {
    const { data, success, error } = type.schema.safeParse(text);
    if (!success) {
      throw new InvalidArgumentError(error.issues[0]?.message ?? '');
    }
    return data;
  });
}
