// What the environment says about connectors: `IGGY_CONNECTORS_SINK_MONGODB_STREAMS_0_TOPICS`.
import type { EnvText } from './connector-file-table.ts';
import type { ConnectorType } from './connector.ts';

export const ENV_PREFIX = 'IGGY_CONNECTORS_';

/** What Kubernetes puts into every pod for a Service whose name begins with `iggy-connectors`. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z\d_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)$/;
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/** The Rust runtime's: where its `.env` is. */
export const ENV_PATH = `${ENV_PREFIX}ENV_PATH`;

/** The first one says where the configuration is, to whoever calls. */
const OTHERS: readonly string[] = [`${ENV_PREFIX}CONFIG_PATH`, ENV_PATH];

/** The variables that configure connectors; an empty one says nothing, as elsewhere. */
export function selectEnv(env: Readonly<Record<string, string | undefined>>): EnvText[] {
  return Object.entries(env).flatMap(([name, text = '']) => {
    const isOurs = name.startsWith(ENV_PREFIX) && !OTHERS.includes(name) && text !== '';
    const isAddress = name.endsWith('_PORT') && SERVICE_ADDRESS.test(text);
    const isLink = isAddress || SERVICE_LINK.test(name);
    return isOurs && !isLink ? [{ name, text }] : [];
  });
}

/** What the environment says about one connector, by the tables of its file. */
export interface ConnectorEnv {
  readonly top: ReadonlyMap<string, EnvText>;
  /** By their places. */
  readonly streams: ReadonlyMap<number, ReadonlyMap<string, EnvText>>;
  readonly pluginConfig: ReadonlyMap<string, EnvText>;
}

/** The connectors' shares, by the names of `envShareOf`, and what is nobody's. */
export interface EnvShares {
  readonly shares: ReadonlyMap<string, readonly EnvText[]>;
  readonly unclaimed: readonly EnvText[];
}

/** How the names of all variables about a connector begin; no two connectors may share that. */
export function envShareOf(type: ConnectorType, key: string): string {
  return `${ENV_PREFIX}${type.toUpperCase()}_${key.toUpperCase().replaceAll('-', '_')}_`;
}

/** Whether a variable is about a connector, be there such a one or not. */
export function isConnectorEnv({ name }: EnvText): boolean {
  return /^IGGY_CONNECTORS_(SINK|SOURCE)_/.test(name);
}

/** Gives each share what begins with its name; where two do the longer one has it. */
export function shareEnv(env: readonly EnvText[], shareNames: readonly string[]): EnvShares {
  const longestFirst = shareNames.toSorted((one, other) => other.length - one.length);
  const shares = new Map<string, EnvText[]>();
  const unclaimed: EnvText[] = [];
  for (const text of env.filter(isConnectorEnv)) {
    const share = longestFirst.find((name) => text.name.startsWith(name));
    if (share === undefined) {
      unclaimed.push(text);
    } else {
      shares.set(share, [...(shares.get(share) ?? []), text]);
    }
  }
  return { shares, unclaimed };
}

const STREAM_FIELD = /^streams_(\d{1,3})_(.+)$/;
const PLUGIN_FIELD = /^plugin_config_(.+)$/;

/** Sorts a share by tables; a name of none is left to the top, which refuses it. */
export function readConnectorEnv(share: string, texts: readonly EnvText[]): ConnectorEnv {
  const top = new Map<string, EnvText>();
  const streams = new Map<number, Map<string, EnvText>>();
  const pluginConfig = new Map<string, EnvText>();
  for (const text of texts) {
    const field = text.name.slice(share.length).toLowerCase();
    const [, place, streamField] = STREAM_FIELD.exec(field) ?? [];
    const [, pluginField] = PLUGIN_FIELD.exec(field) ?? [];
    if (streamField !== undefined) {
      const stream = streams.get(Number(place)) ?? new Map<string, EnvText>();
      streams.set(Number(place), stream.set(streamField, text));
    } else if (pluginField !== undefined && field !== 'plugin_config_format') {
      pluginConfig.set(pluginField, text);
    } else {
      top.set(field, text);
    }
  }
  return { top, streams, pluginConfig };
}
