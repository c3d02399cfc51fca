// Rows of the accounts' tables, read strictly: what is not as the schema says lets nobody in.
import * as z from 'zod';
import { BACKEND_NAMES } from '../account.ts';
import type { Account } from '../account.ts';
import type { ShownAccount, ShownToken } from '../accounts.ts';
import { TOKEN_SCOPES } from '../api-tokens.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { parseScramVerifier } from '../scram-verifier.ts';
import type { ScramVerifier } from '../scram-verifier.ts';

/** What an account is read from, as `a`. Times as milliseconds, whatever the server's DateStyle. */
export const ACCOUNT_COLUMNS = `
  a.id, a.name, a.scope, a.is_disabled, a.rows_max, a.bytes_max, a.query_timeout_ms,
  a.connections_max, a.backends, a.databases, a.revision, a.secret_revision`;

/** The same, and what is only shown. */
export const SHOWN_ACCOUNT_COLUMNS = `${ACCOUNT_COLUMNS},
  ${milliseconds('a.created_at')} AS created_ms, ${milliseconds('a.last_seen_at')} AS last_seen_ms`;

/** What a presented token is read from, as `t`, beside its account. */
export const STORED_TOKEN_COLUMNS = `${ACCOUNT_COLUMNS}, t.sha256, t.id AS token_id,
  t.name AS token_name, t.scope AS token_scope,
  ${milliseconds('t.expires_at')} AS token_expires_ms`;

/** What a listed token is read from, as `t`. */
export const TOKEN_COLUMNS = `
  t.id, t.name, t.prefix, t.scope, ${milliseconds('t.created_at')} AS created_ms,
  ${milliseconds('t.expires_at')} AS expires_ms, ${milliseconds('t.last_used_at')} AS used_ms`;

function milliseconds(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

/** `pg` gives a bigint as text. */
const wholeNumber = z.string().transform(Number).pipe(z.int());

const limit = wholeNumber.nullable().transform((value) => value ?? undefined);

const time = wholeNumber.transform((ms) => new Date(ms));

const optionalTime = time.nullable().transform((value) => value ?? undefined);

const scope = z.enum(TOKEN_SCOPES);

const accountRow = z.object({
  id: z.string(),
  name: z.string(),
  scope,
  is_disabled: z.boolean(),
  rows_max: limit,
  bytes_max: limit,
  query_timeout_ms: limit,
  connections_max: limit,
  backends: z.array(z.enum(BACKEND_NAMES)).nullable(),
  databases: z.array(z.string()).nullable(),
  revision: wholeNumber,
  secret_revision: wholeNumber,
});

const shownAccountRow = accountRow.extend({ created_ms: time, last_seen_ms: optionalTime });

const verifierRow = accountRow.extend({ verifier: z.string() });

const tokenRow = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scope,
  created_ms: time,
  expires_ms: optionalTime,
  used_ms: optionalTime,
});

const tokenAccountRow = accountRow.extend({
  sha256: z.string(),
  token_id: z.string(),
  token_name: z.string(),
  token_scope: scope,
  token_expires_ms: optionalTime,
});

/** What an unreadable account is told of by. */
const identityRow = z.object({ id: z.string(), name: z.string() });

const shownIdentityRow = identityRow.extend({ created_ms: time, last_seen_ms: optionalTime });

/** A row that is not as this Gatepost knows them: a newer one's, or somebody's own work. */
export class UnreadableRowError extends ServiceError {
  constructor(row: unknown, columns: readonly string[]) {
    const identity = identityRow.safeParse(row).data;
    const title =
      identity === undefined ? 'An account' : `Account ${JSON.stringify(identity.name)}`;
    super(
      SQLSTATE.objectNotInState,
      `${title} cannot be read, and lets nobody in: this Gatepost does not understand ` +
        `${columns.join(', ')} of its row in schema gatepost`,
      { hint: 'Mend the row, run the version of Gatepost that wrote it, or remove the account' },
    );
  }
}

/** Row by row: one that cannot be read is told and left out, and keeps nobody else out. */
export function readRows<Value>(
  rows: readonly unknown[],
  read: (row: unknown) => Value,
  onUnreadable: (error: UnreadableRowError) => void,
): readonly Value[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (!(error instanceof UnreadableRowError)) {
        throw error;
      }
      onUnreadable(error);
      return [];
    }
  });
}

/** Only names of columns are told: values may be secrets. */
function parseRow<Schema extends z.ZodType>(schema: Schema, row: unknown): z.output<Schema> {
  const parsed = schema.safeParse(row);
  if (parsed.success) {
    return parsed.data;
  }
  const columns = parsed.error.issues.map(({ path }) => String(path[0] ?? 'all'));
  throw new UnreadableRowError(row, [...new Set(columns)]);
}

/** @throws UnreadableRowError as every reader of a row here does */
export function readAccount(row: unknown): Account {
  return toAccount(parseRow(accountRow, row));
}

/** As `readAccount`; one that cannot be read may do nothing. */
export function readAccountOrNobody(row: unknown): Account {
  const parsed = accountRow.safeParse(row);
  return parsed.success ? toAccount(parsed.data) : toNobody(parseRow(identityRow, row));
}

/** As `readShownAccount`; one that cannot be read is shown so. */
export function readListedAccount(row: unknown): ShownAccount {
  if (shownAccountRow.safeParse(row).success) {
    return readShownAccount(row);
  }
  const { created_ms: createdAt, last_seen_ms, ...identity } = parseRow(shownIdentityRow, row);
  return { ...toNobody(identity), isUnreadable: true, createdAt, lastSeenAt: last_seen_ms };
}

export function readShownAccount(row: unknown): ShownAccount {
  const parsed = parseRow(shownAccountRow, row);
  return {
    ...toAccount(parsed),
    createdAt: parsed.created_ms,
    lastSeenAt: parsed.last_seen_ms,
  };
}

export interface AccountWithVerifier {
  readonly account: Account;
  readonly verifier: ScramVerifier;
}

/** Somebody may have written the verifier by hand. */
export function readAccountWithVerifier(row: unknown): AccountWithVerifier {
  const { verifier: text, ...parsed } = parseRow(verifierRow, row);
  const verifier = parseScramVerifier(text);
  if (verifier === undefined) {
    throw new UnreadableRowError(row, ['verifier']);
  }
  return { account: toAccount(parsed), verifier };
}

export function readShownToken(row: unknown): ShownToken {
  const { created_ms, expires_ms, used_ms, ...rest } = parseRow(tokenRow, row);
  return { ...rest, createdAt: created_ms, expiresAt: expires_ms, lastUsedAt: used_ms };
}

/** A token with its account. */
export interface StoredToken {
  readonly sha256: string;
  readonly id: string;
  readonly name: string;
  readonly scope: Account['scope'];
  readonly expiresAt: Date | undefined;
  readonly account: Account;
}

export function readStoredToken(row: unknown): StoredToken {
  const parsed = parseRow(tokenAccountRow, row);
  return {
    sha256: parsed.sha256,
    id: parsed.token_id,
    name: parsed.token_name,
    scope: parsed.token_scope,
    expiresAt: parsed.token_expires_ms,
    account: toAccount(parsed),
  };
}

function toAccount(row: z.output<typeof accountRow>): Account {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    isDisabled: row.is_disabled,
    limits: {
      rowsMax: row.rows_max,
      bytesMax: row.bytes_max,
      queryTimeoutMs: row.query_timeout_ms,
      connectionsMax: row.connections_max,
    },
    backends: row.backends ?? undefined,
    databases: row.databases ?? undefined,
    revision: row.revision,
    secretRevision: row.secret_revision,
  };
}

/** What an account is taken for that cannot be read. */
function toNobody({ id, name }: z.output<typeof identityRow>): Account {
  const none = undefined;
  return {
    ...{ id, name, scope: 'read', isDisabled: true, backends: [], databases: [] },
    limits: { rowsMax: none, bytesMax: none, queryTimeoutMs: none, connectionsMax: none },
    ...{ revision: 0, secretRevision: 0 },
  };
}
