// What the settings of accounts and of activity must or should be to the others.

import type { AccountsConfig, StoreConfig } from './config-accounts.ts';
import type { ApiConfig } from './config-api.ts';
import type { ListenerConfig } from './config-listeners.ts';
import type { SettingName, Settings } from './config-settings.ts';
import type { GivenTexts } from './config-sources.ts';

interface Wanted {
  readonly accounts: AccountsConfig | undefined;
  readonly listeners: readonly ListenerConfig[];
  readonly problems: string[];
}

/** Adds a problem for each listener whose clients could not log in: there are no accounts. */
export function checkAccounts({ accounts, listeners, problems }: Wanted): void {
  if (accounts !== undefined) {
    return;
  }
  for (const { name } of listeners.filter(({ auth }) => auth === 'accounts')) {
    problems.push(
      `listener "${name}": its clients log in with accounts (WIRE_AUTH, or auth in the file), ` +
        'and ACCOUNTS is off: set ACCOUNTS=on',
    );
  }
}

const isOfAccounts = (name: SettingName): boolean => /^(ACCOUNTS|SESSION)_/.test(name);
const isOfSessions = (name: SettingName): boolean => name.startsWith('SESSION_');
const isOfSessionTimes = (name: SettingName): boolean =>
  name === 'SESSION_IDLE_TIMEOUT' || name === 'SESSION_MAX_AGE';
const isOfActivity = (name: SettingName): boolean => name.startsWith('ACTIVITY_');
const isRetention = (name: SettingName): boolean => name.endsWith('_RETENTION');

interface Kept {
  readonly settings: Settings;
  readonly accounts: AccountsConfig | undefined;
  readonly store: StoreConfig | undefined;
  readonly api: ApiConfig | undefined;
}

/** What is allowed about accounts, and yet probably not what was meant. */
export function describeAccountRisks({ settings: given }: GivenTexts, kept: Kept): string[] {
  const names = [...given.keys()];
  return [
    describeIgnored(names, kept),
    describeUnkept(names, kept),
    describePlaceless(names, kept),
    describeIdleness(names, kept),
  ].filter((warning) => warning !== undefined);
}

function describeIgnored(names: readonly SettingName[], { accounts }: Kept): string | undefined {
  const ignored = accounts === undefined ? names.filter(isOfAccounts) : [];
  return ignored.length === 0
    ? undefined
    : `Ignored: ${ignored.join(', ')}, because ACCOUNTS is off`;
}

function describeUnkept(
  names: readonly SettingName[],
  { settings, accounts, store }: Kept,
): string | undefined {
  // Sessions and cached answers are kept in the same MongoDB, whether activity is or not.
  const ignored = names.filter(store === undefined ? isOfActivity : isRetention);
  if (store?.isRecording === true || ignored.length === 0) {
    return undefined;
  }
  const isOff = settings.ACTIVITY === 'off' || accounts === undefined;
  const reason = isOff ? 'ACTIVITY is off' : 'no MongoDB is there to keep it; set ACTIVITY=on';
  return `Ignored: ${ignored.join(', ')}, because ${reason}`;
}

/** Said only to whom accounts or sessions matter: tokens and the listeners need no MongoDB. */
function describePlaceless(
  names: readonly SettingName[],
  { settings, accounts, store, api }: Kept,
): string | undefined {
  const isMeant = settings.ACCOUNTS === 'on' || names.some(isOfSessions);
  if (api === undefined || accounts === undefined || store !== undefined || !isMeant) {
    return undefined;
  }
  const others =
    settings.MONGODB_URI === undefined
      ? ''
      : ', or ACTIVITY=on, which keeps them in the MongoDB of MONGODB_URI';
  return (
    'Sessions over HTTP have no MongoDB to be kept in, so that nobody logs in there but with a ' +
    `token: set ACTIVITY_MONGODB_URI${others}`
  );
}

/** The default of the one is said only where the other was set. */
function describeIdleness(
  names: readonly SettingName[],
  { accounts, store, api }: Kept,
): string | undefined {
  const isMeant = names.some(isOfSessionTimes) && api !== undefined && store !== undefined;
  if (accounts === undefined || !isMeant) {
    return undefined;
  }
  const { idleTimeoutMs, maxAgeMs } = accounts.sessions;
  return idleTimeoutMs <= maxAgeMs
    ? undefined
    : 'SESSION_IDLE_TIMEOUT is longer than SESSION_MAX_AGE, which ends every session before it: ' +
        'set SESSION_MAX_AGE at least as long';
}
