// Accounts and tokens as tables for a terminal.
import type { AccountLimits } from './account.ts';
import type { ShownAccount, ShownToken } from './accounts.ts';

const NO_ACCOUNTS =
  'There are no accounts yet: gatepost account create NAME --scope admin makes the first';

const NO_TOKENS = 'It has no tokens: gatepost account token NAME makes one';

/** One line an account, below a line of titles. */
export function describeAccounts(accounts: readonly ShownAccount[]): string {
  const rows = accounts.map((account) => [
    account.name,
    account.scope,
    stateOf(account),
    listOf(account.backends),
    listOf(account.databases),
    describeLimits(account.limits),
    describeTime(account.createdAt),
    describeTime(account.lastSeenAt),
  ]);
  const titles = [
    ...['NAME', 'SCOPE', 'STATE', 'BACKENDS', 'DATABASES', 'LIMITS', 'CREATED', 'LAST SEEN'],
  ];
  return rows.length === 0 ? NO_ACCOUNTS : alignColumns([titles, ...rows]);
}

function stateOf({ isUnreadable, isDisabled }: ShownAccount): string {
  const state = isDisabled ? 'disabled' : 'enabled';
  return isUnreadable === true ? 'unreadable' : state;
}

/** One line a token. */
export function describeTokens(tokens: readonly ShownToken[]): string {
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    `${token.prefix}...`,
    token.scope,
    describeTime(token.createdAt),
    describeTime(token.expiresAt),
    describeTime(token.lastUsedAt),
  ]);
  const titles = ['ID', 'NAME', 'TOKEN', 'SCOPE', 'CREATED', 'EXPIRES', 'LAST USED'];
  return rows.length === 0 ? NO_TOKENS : alignColumns([titles, ...rows]);
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const [titles = []] = rows;
  const widths = titles.map((_title, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A name of a database may hold what a terminal would obey. */
function listOf(names: readonly string[] | undefined): string {
  const shown = names?.map((name) => (/\p{C}/u.test(name) ? JSON.stringify(name) : name));
  return shown?.join(',') ?? 'all';
}

function describeLimits(limits: AccountLimits): string {
  const parts: readonly (readonly [title: string, value: number | undefined, unit: string])[] = [
    ['rows', limits.rowsMax, ''],
    ['bytes', limits.bytesMax, ''],
    ['time', limits.queryTimeoutMs, 'ms'],
    ['connections', limits.connectionsMax, ''],
  ];
  const given = parts.filter(([, value]) => value !== undefined);
  return given.length === 0
    ? '-'
    : given.map(([title, value, unit]) => `${title}=${value ?? ''}${unit}`).join(' ');
}

/** To the second, in UTC. */
function describeTime(time: Date | undefined): string {
  return time === undefined ? '-' : `${time.toISOString().slice(0, 19)}Z`;
}
