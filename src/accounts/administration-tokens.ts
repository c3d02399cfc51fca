// The tokens of accounts: shown once, kept as hashes.
import { randomUUID } from 'node:crypto';
import type { Account } from '../account.ts';
import type { NewToken, ShownToken } from '../accounts.ts';
import { createApiToken } from '../api-tokens.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { assertNewToken } from './account-checks.ts';
import { readShownToken, TOKEN_COLUMNS } from './account-rows.ts';
import type { AccountsDatabase, Query } from './accounts-database.ts';
import { requireAccount } from './require-account.ts';

/** What a token is recognised by; the rest of it has far more bits than anybody can guess. */
const PREFIX_LENGTH = 8;

/** More of them are forgotten rather than used. */
const TOKENS_MAX = 1000;

type Database = Pick<AccountsDatabase, 'read' | 'write'>;

export async function listTokens(database: Database, name: string): Promise<readonly ShownToken[]> {
  const query: Query = async (text, values) => await database.read(text, values);
  const { id } = await requireAccount(query, name);
  const rows = await query(
    `SELECT ${TOKEN_COLUMNS} FROM gatepost.api_tokens t WHERE t.account_id = $1
       ORDER BY t.created_at, t.id`,
    [id],
  );
  return rows.map(readShownToken);
}

export interface MadeToken {
  readonly token: string;
  readonly shown: ShownToken;
  readonly account: Account;
}

export async function createToken(
  database: Database,
  name: string,
  token: NewToken,
): Promise<MadeToken> {
  return await database.write(async (query) => {
    // Locked: its scope must not be lowered meanwhile, nor the account deleted.
    const account = await requireAccount(query, name, 'FOR UPDATE');
    assertNewToken(token, account);
    await assertRoom(query, account);
    const { token: text, sha256 } = createApiToken();
    const [row] = await query(
      `INSERT INTO gatepost.api_tokens AS t (id, account_id, name, sha256, prefix, scope,
             expires_at)
         SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::timestamptz
           WHERE $7::timestamptz IS NULL OR $7::timestamptz > now()
         RETURNING ${TOKEN_COLUMNS}`,
      [
        ...[randomUUID(), account.id, token.name, sha256, text.slice(0, PREFIX_LENGTH)],
        ...[token.scope, token.expiresAt?.toISOString() ?? null],
      ],
    );
    if (row === undefined) {
      throw new ServiceError(
        SQLSTATE.invalidParameterValue,
        'The token would have expired before it is made: choose a time to come',
      );
    }
    return { token: text, shown: readShownToken(row), account };
  });
}

async function assertRoom(query: Query, { id, name }: Account): Promise<void> {
  const rows = await query('SELECT 1 FROM gatepost.api_tokens t WHERE t.account_id = $1 LIMIT $2', [
    id,
    TOKENS_MAX,
  ]);
  if (rows.length >= TOKENS_MAX) {
    throw new ServiceError(
      SQLSTATE.programLimitExceeded,
      `Account "${name}" has ${TOKENS_MAX} tokens: revoke those that are not used`,
    );
  }
}

/** What was revoked, and whose; undefined where the account has no such token. */
export async function revokeToken(
  database: Database,
  name: string,
  id: string,
): Promise<{ readonly account: Account; readonly tokenName: string } | undefined> {
  return await database.write(async (query) => {
    const account = await requireAccount(query, name);
    const [row] = await query(
      `DELETE FROM gatepost.api_tokens AS t WHERE t.account_id = $1 AND t.id::text = $2
         RETURNING ${TOKEN_COLUMNS}`,
      [account.id, id.includes('\0') ? '' : id.toLowerCase()],
    );
    return row === undefined ? undefined : { account, tokenName: readShownToken(row).name };
  });
}
