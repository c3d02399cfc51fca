// The commands that make, list and change accounts.
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { BACKEND_NAMES } from './account.ts';
import type { AccountAdministration, NewAccount, NewSecret } from './accounts.ts';
import { TOKEN_NAME_FORM } from './api-tokens.ts';
import type { TokenScope } from './api-tokens.ts';
import {
  AccountCommands,
  addConfigFlags,
  explained,
  scopeOption,
  typed,
} from './cli-account-commands.ts';
import type { AccountsWorld, Finish, SecretOptions } from './cli-account-commands.ts';
import { describeAccounts } from './cli-account-tables.ts';
import { addTokens } from './cli-account-tokens.ts';
import * as values from './config-values.ts';

/** More than any database delivers; what is no limit is left out. */
const LIMIT_MAX = Number.MAX_SAFE_INTEGER;

/** Adds `migrate`. */
export function addMigrate(program: Command, world: AccountsWorld, finish: Finish): void {
  const command = program
    .command('migrate')
    .description('bring the schema of the accounts up to date, and do nothing else');
  const load = addConfigFlags(command, world);
  command.action(async () => {
    await explained(world, finish, async () => {
      const { newest, applied } = await world.accounts.migrate(load());
      world.writeOut(`Schema gatepost is at ${newest} (${applied} applied)\n`);
    });
  });
}

/** Adds `account` and its commands. */
export function addAccountCommands(program: Command, world: AccountsWorld, finish: Finish): void {
  const account = program
    .command('account')
    .description('make, list and change the accounts of people and programs');
  const commands = new AccountCommands(account, world, finish);
  addCreate(commands);
  addList(commands);
  addSwitches(commands);
  addPassword(commands);
  addTokens(commands);
}

const verifierOption = (): Option =>
  new Option(
    '--verifier-stdin',
    "take PostgreSQL's SCRAM-SHA-256 verifier instead of a password, as pg_authid has it",
  );

interface CreateOptions extends SecretOptions {
  readonly scope: TokenScope;
  readonly maxRows?: number;
  readonly maxBytes?: number;
  readonly queryTimeout?: number;
  readonly maxConnections?: number;
  readonly backends?: NewAccount['backends'];
  readonly databases?: readonly string[];
}

const NAME_HELP = `the name takes ${TOKEN_NAME_FORM}`;

function addCreate(commands: AccountCommands): void {
  const options = [
    scopeOption('what the account may do; write includes read, admin both'),
    typed('--max-rows <count>', 'rows that one query may deliver', values.count(LIMIT_MAX)),
    typed('--max-bytes <size>', 'bytes of rows that one query may deliver', values.size),
    typed('--query-timeout <duration>', 'how long a query may run', values.duration),
    typed('--max-connections <count>', 'sessions and requests at a time', values.count(LIMIT_MAX)),
    new Option(
      '--backends <names>',
      'backends that it may use, such as postgres,mongodb',
    ).argParser((text) => splitList(text).map(toBackend)),
    new Option('--databases <names>', 'databases that it may use, by name').argParser(splitList),
    verifierOption(),
  ];
  commands.add(
    {
      usage: 'create <name>',
      description:
        'make an account; its password is asked for, or read from standard input; ' + NAME_HELP,
      options,
    },
    async (command) => {
      const [name = ''] = command.args;
      const given = command.opts<CreateOptions>();
      const secret = await commands.readSecret(name, given);
      return async (administration) => {
        const created = await administration.create(toNewAccount(name, secret, given));
        await adviseAdministrator(commands.world, administration);
        return `Account ${created.name} is created with scope ${created.scope}`;
      };
    },
  );
}

function toNewAccount(name: string, secret: NewSecret, given: CreateOptions): NewAccount {
  return {
    name,
    secret,
    scope: given.scope,
    limits: {
      rowsMax: given.maxRows,
      bytesMax: given.maxBytes,
      queryTimeoutMs: given.queryTimeout,
      connectionsMax: given.maxConnections,
    },
    backends: given.backends,
    databases: given.databases,
  };
}

async function adviseAdministrator(
  { writeError }: AccountsWorld,
  administration: AccountAdministration,
): Promise<void> {
  const accounts = await administration.list();
  if (!accounts.some(({ scope, isDisabled }) => scope === 'admin' && !isDisabled)) {
    writeError(
      'Nobody can manage accounts over HTTP yet: gatepost account create NAME --scope admin ' +
        'makes an administrator\n',
    );
  }
}

function addList(commands: AccountCommands): void {
  commands.add(
    {
      usage: 'list',
      description: 'list the accounts',
      options: [new Option('--json', 'as JSON')],
    },
    (given) => async (administration) => {
      const { json } = given.opts<{ readonly json?: boolean }>();
      const accounts = await administration.list();
      return json === true ? JSON.stringify(accounts, null, 2) : describeAccounts(accounts);
    },
  );
}

function addSwitches(commands: AccountCommands): void {
  commands.add(
    {
      usage: 'disable <name>',
      description: 'let an account in no longer; its sessions and tokens end within 5 s',
    },
    ({ args: [given = ''] }) =>
      async (administration) => {
        const { name } = await administration.change(given, { isDisabled: true });
        return `Account ${name} is disabled; its sessions and tokens end within 5 s`;
      },
  );
  commands.add(
    { usage: 'enable <name>', description: 'let a disabled account in again' },
    ({ args: [given = ''] }) =>
      async (administration) => {
        const { name } = await administration.change(given, { isDisabled: false });
        return `Account ${name} is enabled`;
      },
  );
  commands.add(
    { usage: 'delete <name>', description: 'remove an account, its sessions and its tokens' },
    ({ args: [name = ''] }) =>
      async (administration) => {
        await administration.remove(name);
        return `Account ${name} is deleted; its sessions and tokens end within 5 s`;
      },
  );
}

function addPassword(commands: AccountCommands): void {
  commands.add(
    {
      usage: 'password <name>',
      description: 'set a new password, asked for or read from standard input; tokens stay',
      options: [verifierOption()],
    },
    async (command) => {
      const [given = ''] = command.args;
      const secret = await commands.readSecret(given, command.opts<SecretOptions>());
      return async (administration) => {
        const { name } = await administration.setSecret(given, secret);
        return `Account ${name} has a new password; its sessions end within 5 s, its tokens stay`;
      };
    },
  );
}

function splitList(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function toBackend(name: string): (typeof BACKEND_NAMES)[number] {
  const backend = BACKEND_NAMES.find((one) => one === name);
  if (backend === undefined) {
    throw new InvalidArgumentError(`Allowed are ${BACKEND_NAMES.join(', ')}`);
  }
  return backend;
}
