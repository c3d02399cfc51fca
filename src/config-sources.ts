// Where texts come from and which one counts: flag, then environment, `.env`, file, default.

import path from 'node:path';
import * as util from 'node:util';
import { parseConfigFile } from './config-file.ts';
import type { FileTexts } from './config-file.ts';
import { echo, explainReadFailure } from './config-problems.ts';
import { isSettingName, SETTING_NAMES } from './config-settings.ts';
import type { SettingName } from './config-settings.ts';
import { toErrorCode } from './error-code.ts';
import { nearestName } from './nearest-name.ts';

type Texts = Readonly<Record<string, string | undefined>>;

/** The world as configuration sees it. */
export interface SystemInputs {
  readonly env: Texts;
  /** The text of a file of UTF-8; throws as `node:fs` does. */
  readonly readTextFile: (path: string) => string;
  /** The names in a directory; throws as `node:fs` does. */
  readonly listDirectory: (path: string) => readonly string[];
  /** What relative paths are relative to, and where `.env` is. */
  readonly workingDirectory: string;
}

/** Everything that a configuration is made of. */
export interface ConfigInputs extends SystemInputs {
  readonly command: 'serve' | 'pgwire-proxy' | 'connectors';
  /** Texts given by flags, by the names of their settings. */
  readonly argvSettings: Partial<Readonly<Record<SettingName, string>>>;
}

/** A text that was given for a setting, and by what. */
export interface GivenText {
  readonly text: string;
  readonly source: string;
}

export interface GivenTexts {
  /** Only what was given; defaults are the schema's. */
  readonly settings: ReadonlyMap<SettingName, GivenText>;
  readonly listeners: FileTexts['listeners'];
  /** What the environment says about connectors, by whole names: no settings, but theirs. */
  readonly connectors: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

interface Layer {
  readonly source: string;
  readonly texts: Texts;
}

/**
 * Gathers the text that counts for each setting, secrets in files included, and adds to the
 * problems what cannot be read, is unknown or is given twice.
 */
export function gatherTexts(inputs: ConfigInputs, problems: string[]): GivenTexts {
  const warnings: string[] = [];
  const layers = [
    { source: 'flag', texts: inputs.argvSettings },
    { source: 'environment', texts: withoutServiceLinks(inputs.env, warnings) },
    { source: '.env', texts: withoutServiceLinks(readDotEnv(inputs, problems), warnings) },
  ];
  for (const { source, texts } of layers) {
    refuseUnknownNames(texts, source, problems);
  }
  const file = readConfigFile(inputs, layers, { problems, warnings });
  layers.push({ source: 'file', texts: Object.fromEntries(file.settings) });
  const settings = chooseTexts(layers);
  readSecretFiles(settings, inputs, problems);
  const connectors = gatherConnectorTexts(layers);
  return { settings, listeners: file.listeners, connectors, warnings };
}

const CONNECTORS_PREFIX = 'IGGY_CONNECTORS_';

/** Their names follow from keys and fields that only they know, so they are judged by them. */
function gatherConnectorTexts(layers: readonly Layer[]): Record<string, string> {
  const gathered: Record<string, string> = {};
  // The first layer wins, and so is written last.
  for (const { texts } of layers.toReversed()) {
    for (const [name, text = ''] of Object.entries(texts)) {
      if (name.startsWith(CONNECTORS_PREFIX) && !isSettingName(name) && text !== '') {
        gathered[name] = text;
      }
    }
  }
  return gathered;
}

/** The first layer that gives a setting wins; an empty text gives nothing. */
function chooseTexts(layers: readonly Layer[]): Map<SettingName, GivenText> {
  const chosen = new Map<SettingName, GivenText>();
  for (const name of SETTING_NAMES) {
    const layer = layers.find(({ texts }) => (texts[name] ?? '') !== '');
    const text = layer?.texts[name];
    if (layer !== undefined && text !== undefined) {
      chosen.set(name, { text, source: layer.source });
    }
  }
  return chosen;
}

/** `.env` of the working directory, but for what the environment has, even when it is empty. */
function readDotEnv(inputs: ConfigInputs, problems: string[]): Texts {
  // Bun has put `.env` into the environment already, and some versions of it lack the function.
  if (typeof util.parseEnv !== 'function') {
    return {};
  }
  const texts: Texts = util.parseEnv(readDotEnvText(inputs, problems));
  const missing = Object.entries(texts).filter(([name]) => inputs.env[name] === undefined);
  return Object.fromEntries(missing);
}

function readDotEnvText(inputs: ConfigInputs, problems: string[]): string {
  try {
    return inputs.readTextFile(path.resolve(inputs.workingDirectory, '.env'));
  } catch (error) {
    if (toErrorCode(error) !== 'ENOENT') {
      problems.push(`.env cannot be read: ${explainReadFailure(error)}`);
    }
    return '';
  }
}

const OWN_PREFIX = /^(WIRE|GATEPOST)_/;

/**
 * What Kubernetes puts into the environment of a pod for each Service, here one whose name begins
 * with `wire` or `gatepost` ("Discovering services", environment variables).
 */
const SERVICE_LINKS = [
  /_SERVICE_HOST$/,
  /_SERVICE_PORT(_[A-Z0-9_]+)?$/,
  /_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$/,
];
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/**
 * The environment without service links. Those for a Service called `postgres` or `wire-postgres`
 * take the very name of a port of ours, POSTGRES_PORT=tcp://…, hence the look at the value.
 */
function withoutServiceLinks(env: Texts, warnings: string[]): Texts {
  const own = Object.entries(env).filter(([name, value = '']) => {
    const isAddress = name.endsWith('_PORT') && SERVICE_ADDRESS.test(value);
    if (isAddress && isSettingName(name)) {
      warnings.push(`${name} is ignored: its value is a service link that Kubernetes sets`);
    }
    return !isAddress && !SERVICE_LINKS.some((link) => link.test(name));
  });
  return Object.fromEntries(own);
}

function refuseUnknownNames(texts: Texts, source: string, problems: string[]): void {
  for (const name of Object.keys(texts)) {
    if (OWN_PREFIX.test(name) && !isSettingName(name)) {
      // GATEPOST_PORT: the settings of the service itself have no prefix.
      const bare = name.replace(/^GATEPOST_/, '');
      const nearest = isSettingName(bare) ? bare : nearestName(name, SETTING_NAMES);
      problems.push(`${name} (${source}) is not a setting; the nearest known one is ${nearest}`);
    }
  }
}

function readConfigFile(
  inputs: ConfigInputs,
  layers: readonly Layer[],
  { problems, warnings }: { problems: string[]; warnings: string[] },
): FileTexts {
  const given = chooseTexts(layers).get('GATEPOST_CONFIG');
  if (given === undefined) {
    return { settings: new Map(), listeners: [] };
  }
  if (inputs.command !== 'serve') {
    warnings.push(`GATEPOST_CONFIG is ignored: ${inputs.command} takes no file of settings`);
    return { settings: new Map(), listeners: [] };
  }
  const toml = readGiven('GATEPOST_CONFIG', given, inputs, problems);
  return parseConfigFile(toml ?? '', problems);
}

/** The settings whose text may be in a file instead, as containers mount secrets. */
const SECRETS_IN_FILES = [
  ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE'],
  ['WIRE_UPSTREAM_DSN', 'WIRE_UPSTREAM_DSN_FILE'],
  ['MONGODB_URI', 'MONGODB_URI_FILE'],
  ['API_TOKENS', 'API_TOKENS_FILE'],
  ['ACCOUNTS_DATABASE_URL', 'ACCOUNTS_DATABASE_URL_FILE'],
  ['ACTIVITY_MONGODB_URI', 'ACTIVITY_MONGODB_URI_FILE'],
  ['SESSION_SECRET', 'SESSION_SECRET_FILE'],
] as const;

function readSecretFiles(
  settings: Map<SettingName, GivenText>,
  inputs: ConfigInputs,
  problems: string[],
): void {
  for (const [name, fileName] of SECRETS_IN_FILES) {
    const given = settings.get(fileName);
    if (given === undefined) {
      continue;
    }
    if (settings.has(name)) {
      problems.push(`${name} and ${fileName} are both given: keep one`);
      continue;
    }
    const text = readSecret(fileName, given, inputs, problems);
    if (text !== undefined) {
      settings.set(name, { text, source: fileName });
    }
  }
}

/** The secret in a file, its last line break cut; undefined, with a problem, when there is none. */
export function readSecret(
  key: string,
  given: GivenText,
  inputs: SystemInputs,
  problems: string[],
): string | undefined {
  const text = readGiven(key, given, inputs, problems)?.replace(/\r?\n$/, '');
  if (text === '') {
    problems.push(`${key} is ${echo(given.text)} (${given.source}), which is empty`);
    return undefined;
  }
  return text;
}

/** The file that a setting names; undefined, with a problem, when it cannot be read. */
export function readGiven(
  key: string,
  given: GivenText,
  inputs: SystemInputs,
  problems: string[],
): string | undefined {
  try {
    return inputs.readTextFile(path.resolve(inputs.workingDirectory, given.text));
  } catch (error) {
    const label = `${key} is ${echo(given.text)} (${given.source})`;
    problems.push(`${label}, which cannot be read: ${explainReadFailure(error)}`);
    return undefined;
  }
}
