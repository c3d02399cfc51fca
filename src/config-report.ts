import type { SessionsConfig } from './config-accounts.ts';
import type { ApiConfig, PoolConfig } from './config-api.ts';
import { maskConnectionString } from './config-dsn.ts';
import type { Config, ListenerConfig, SettingOrigin } from './config.ts';

/**
 * The lines of `gatepost check`: every setting with its value and where it came from, the REST API,
 * accounts, what is kept, and every listener with everything resolved, and what is risky. Secrets
 * are masked.
 */
export function describeConfig(config: Config): string[] {
  const settings = table(config.settings.map(describeOrigin));
  const doors = [
    describeHttp(config),
    ...(config.http === undefined ? [] : [describeApi(config)]),
    describeAccounts(config),
    describeStore(config),
    ...config.listeners.map((each) => describe(each, config)),
  ];
  const warnings = config.warnings.map((warning) => `  ${warning}`);
  return [
    'Settings',
    ...settings,
    ...doors.flatMap((lines) => ['', ...lines]),
    ...(warnings.length > 0 ? ['', 'Warnings', ...warnings] : []),
  ];
}

function describeOrigin({ name, value, source }: SettingOrigin): string[] {
  return [name, value === undefined ? 'unset' : visible(value), source];
}

function describeHttp({ http }: Config): string[] {
  return [http === undefined ? 'HTTP off' : `HTTP ${describeAddress(http.host, http.port)}`];
}

function describeApi({ api, accounts, dataDirectory }: Config): string[] {
  if (api === undefined) {
    return ['REST API off'];
  }
  const { tokens, rateLimitPerMinute, trustProxy, tables, postgres, mongodb } = api;
  const callers = tokens.map(({ name, scope }) => `${name} (${scope})`);
  const rows = [
    ['tokens', tokens.length > 0 ? callers.join(', ') : describeNoTokens(accounts, api)],
    ['rate_limit', rateLimitPerMinute === 0 ? 'none' : `${rateLimitPerMinute} a minute`],
    ['trust_proxy', typeof trustProxy === 'number' ? String(trustProxy) : trustProxy.join(', ')],
    ['cors_origins', describeList(api.corsOrigins, 'none')],
    ['metrics', api.isMetricsOpen ? 'open' : 'token'],
    ['allow', describeList(tables.allow, 'all')],
    ['deny', describeList(tables.deny, 'none')],
    ['read_only', describeList(tables.readOnly, 'none')],
    ...describePooled(
      'postgres',
      postgres && { ...postgres, upstream: postgres.upstreamDsn },
      dataDirectory,
    ),
    ...describePooled(
      'mongodb',
      mongodb && { ...mongodb, upstream: mongodb.mongodbUri },
      dataDirectory,
    ),
  ];
  return ['REST API', ...table(rows)];
}

/** As whoever has neither a token nor an account will find it. */
function describeNoTokens(accounts: Config['accounts'], { isLoopbackOnly }: ApiConfig): string {
  if (accounts === undefined) {
    return 'none needed, on loopback only';
  }
  return isLoopbackOnly ? 'none needed until there is an account' : 'those of accounts';
}

function describeAccounts({ accounts, dataDirectory }: Config): string[] {
  if (accounts === undefined) {
    return ['Accounts off'];
  }
  const { databaseUrl, scramIterations, sessions } = accounts;
  const rows = [
    ['database', describeUpstream('postgres', databaseUrl, dataDirectory)],
    ['scram_iterations', String(scramIterations)],
    ...describeSessions(sessions),
  ];
  return ['Accounts', ...table(rows)];
}

function describeSessions(sessions: SessionsConfig): string[][] {
  const { secrets, idleTimeoutMs, maxAgeMs, isTlsRequired } = sessions;
  return [
    ['sessions', `idle ${describeDuration(idleTimeoutMs)}, at most ${describeDuration(maxAgeMs)}`],
    [
      'session_secret',
      secrets === undefined ? 'kept with the accounts' : `${secrets.length} given`,
    ],
    ['session_cookie', isTlsRequired ? 'TLS only' : 'with TLS or without'],
  ];
}

function describeStore({ store, dataDirectory }: Config): string[] {
  if (store === undefined) {
    return ['Activity off, no sessions and no cache'];
  }
  const { mongodbUri, isRecording, activityRetentionMs, logRetentionMs } = store;
  const kept = (ms: number): string => (isRecording ? `for ${describeDuration(ms)}` : 'off');
  const rows = [
    ['database', describeUpstream('mongodb', mongodbUri, dataDirectory)],
    ['activity', kept(activityRetentionMs)],
    ['log', kept(logRetentionMs)],
  ];
  return ['Activity, sessions and cache', ...table(rows)];
}

type Pooled = Pick<NonNullable<ApiConfig['postgres']>, 'limits' | 'policy'> & {
  readonly upstream: string | undefined;
  readonly pool: PoolConfig;
};

/** A database of the REST API; its limits and lists are those of the settings above. */
function describePooled(
  backend: ListenerConfig['backend'],
  pooled: Pooled | undefined,
  dataDirectory: string,
): string[][] {
  if (pooled === undefined) {
    return [[backend, 'none']];
  }
  const { connectionsMax, idleTimeoutMs, acquireTimeoutMs } = pooled.pool;
  return [
    [backend, describeUpstream(backend, pooled.upstream, dataDirectory)],
    [`${backend}_access`, pooled.policy.access],
    [
      `${backend}_pool`,
      `${connectionsMax} connections, idle ${describeDuration(idleTimeoutMs)}, ` +
        `acquire ${describeDuration(acquireTimeoutMs)}`,
    ],
  ];
}

function describeList(words: readonly string[], none: string): string {
  return words.length > 0 ? visible(words.join(', ')) : none;
}

function describe(listener: ListenerConfig, { dataDirectory }: Config): string[] {
  const { limits, policy, tls, backend } = listener;
  const upstream = backend === 'postgres' ? listener.upstreamDsn : listener.mongodbUri;
  const rows = [
    ['address', describeAddress(listener.host, listener.port)],
    ['backend', backend],
    ['upstream', describeUpstream(backend, upstream, dataDirectory)],
    ['readiness', listener.isRequired ? 'required' : 'optional'],
    ['auth', listener.auth],
    ['tls', tls === undefined ? 'off' : `${visible(tls.certFile)} ${visible(tls.keyFile)}`],
    ['max_connections', String(listener.connectionsMax)],
    ['idle_timeout', describeDuration(listener.idleTimeoutMs)],
    ['query_timeout', describeDuration(limits.queryTimeoutMs)],
    ['max_rows', String(limits.rowsMax)],
    ['max_bytes', `${limits.bytesMax} bytes`],
    ['on_limit', limits.onLimit],
    ['allow', describeList(policy.allow, 'all')],
    ['deny', describeList(policy.deny, 'none')],
    ['access', policy.access],
    ...(listener.backend === 'mongodb'
      ? [['javascript', String(listener.policy.isJavaScriptAllowed)]]
      : []),
  ];
  return [`Listener ${listener.name}`, ...table(rows)];
}

function describeAddress(host: string, port: number): string {
  const place = host.includes(':') ? `[${host}]` : host;
  return `${place}:${port === 0 ? 'any free port' : port}`;
}

function describeUpstream(
  backend: ListenerConfig['backend'],
  text: string | undefined,
  dataDirectory: string,
): string {
  const name = backend === 'postgres' ? 'PostgreSQL' : 'MongoDB';
  return text === undefined
    ? `embedded ${name}, data in ${visible(dataDirectory)}`
    : maskConnectionString(text);
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** In the largest unit that needs no fraction, as it could be written in the configuration. */
function describeDuration(ms: number): string {
  const whole = UNITS.find(([, unitMs]) => ms % unitMs === 0);
  return whole === undefined ? `${ms}ms` : `${ms / whole[1]}${whole[0]}`;
}

/** A value on one line: control characters would let it draw lines of its own. */
function visible(text: string): string {
  return /\p{C}/u.test(text) ? JSON.stringify(text) : text;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
