// The commands for the tokens of accounts.
import { Option } from 'commander';
import type { AccountAdministration } from './accounts.ts';
import type { TokenScope } from './api-tokens.ts';
import { scopeOption, typed } from './cli-account-commands.ts';
import type { AccountCommands, Given } from './cli-account-commands.ts';
import { describeTokens } from './cli-account-tables.ts';
import * as values from './config-values.ts';
import { ServiceError, SQLSTATE } from './errors.ts';

interface TokenOptions {
  readonly name: string;
  readonly scope: TokenScope;
  readonly expires?: number;
}

/** Adds the commands that make, list and end tokens of accounts. */
export function addTokens(commands: AccountCommands): void {
  const name = new Option('--name <name>', 'what the token is listed as').default('token');
  const expires = typed('--expires <duration>', 'how long it is good for', values.period);
  commands.add(
    {
      usage: 'token <account>',
      description: 'make a token for the REST API, which is shown this once',
      options: [name, scopeOption("what it may do, at most the account's scope"), expires],
    },
    (given) => async (administration) => {
      const { token, advice } = await createToken(administration, given);
      commands.world.writeError(`${advice}\n`);
      return token;
    },
  );
  commands.add(
    { usage: 'tokens <account>', description: 'list the tokens of an account' },
    ({ args: [account = ''] }) =>
      async (administration) =>
        describeTokens(await administration.listTokens(account)),
  );
  commands.add(
    { usage: 'revoke <account> <id>', description: 'end a token, by its id in the list' },
    ({ args: [account = '', id = ''] }) =>
      async (administration) => {
        if (!(await administration.revokeToken(account, id))) {
          throw new ServiceError(
            SQLSTATE.undefinedObject,
            `Account ${account} has no token of that id`,
            { hint: `gatepost account tokens ${account} lists them` },
          );
        }
        return 'The token is revoked; it is refused within 5 s';
      },
  );
}

/** The token alone is for standard output: a script takes it from there. */
async function createToken(
  administration: AccountAdministration,
  given: Given,
): Promise<{ readonly token: string; readonly advice: string }> {
  const [account = ''] = given.args;
  const { name, scope, expires } = given.opts<TokenOptions>();
  const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires);
  const { token, shown } = await administration.createToken(account, { name, scope, expiresAt });
  const end = expiresAt === undefined ? 'does not expire' : `expires at ${expiresAt.toISOString()}`;
  const advice = [
    'The token, shown this once; clients send it as "Authorization: Bearer ...".',
    `It has scope ${shown.scope} and ${end}. To end it:`,
    `gatepost account revoke ${account} ${shown.id}`,
  ].join('\n');
  return { token, advice };
}
