import { maskConnectionString } from './config-dsn.ts';
import type { Config, ListenerConfig, SettingOrigin } from './config.ts';

/**
 * The lines of `gatepost check`: every setting with its value and where it came from, every
 * listener with everything resolved, and what is risky. Secrets are masked.
 */
export function describeConfig(config: Config): string[] {
  const settings = table(config.settings.map(describeOrigin));
  const doors = [describeHttp(config), ...config.listeners.map((each) => describe(each, config))];
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

function describe(listener: ListenerConfig, config: Config): string[] {
  const { limits, policy, tls } = listener;
  const rows = [
    ['address', describeAddress(listener.host, listener.port)],
    ['backend', listener.backend],
    ['upstream', describeUpstream(listener, config)],
    ['readiness', listener.isRequired ? 'required' : 'optional'],
    ['tls', tls === undefined ? 'off' : `${visible(tls.certFile)} ${visible(tls.keyFile)}`],
    ['max_connections', String(listener.connectionsMax)],
    ['idle_timeout', describeDuration(listener.idleTimeoutMs)],
    ['query_timeout', describeDuration(limits.queryTimeoutMs)],
    ['max_rows', String(limits.rowsMax)],
    ['max_bytes', `${limits.bytesMax} bytes`],
    ['on_limit', limits.onLimit],
    ['allow', policy.allow.length > 0 ? visible(policy.allow.join(', ')) : 'all'],
    ['deny', policy.deny.length > 0 ? visible(policy.deny.join(', ')) : 'none'],
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

function describeUpstream(listener: ListenerConfig, { dataDirectory }: Config): string {
  const isPostgres = listener.backend === 'postgres';
  const text = isPostgres ? listener.upstreamDsn : listener.mongodbUri;
  return text === undefined
    ? `embedded ${isPostgres ? 'PostgreSQL' : 'MongoDB'}, data in ${visible(dataDirectory)}`
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
