// The TOML file: to texts, so that its values are parsed by the same types as any other's.

import { parse, TomlError } from 'smol-toml';
import type { TomlTable, TomlValue } from 'smol-toml';
import { DEFAULT_BACKEND, LISTENER_KEYS, otherBackendOf } from './config-listener-keys.ts';
import { isSettingName, notesOf, SETTING_NAMES } from './config-settings.ts';
import type { SettingName } from './config-settings.ts';
import { nearestName } from './nearest-name.ts';

/** Keys and texts of one `[[listeners]]` table. */
export type ListenerTexts = Readonly<Record<string, string>>;

/** What the file says, still as text. */
export interface FileTexts {
  readonly settings: ReadonlyMap<SettingName, string>;
  readonly listeners: readonly ListenerTexts[];
}

/** A file has no say in where it is. */
const FILE_NAMES = SETTING_NAMES.filter((name) => name !== 'GATEPOST_CONFIG');
const LISTENER_LIST_KEYS = ['allow', 'deny'];
const FILE_KEYS = [...FILE_NAMES.map((name) => name.toLowerCase()), 'listeners'];

/**
 * Reads the texts of a configuration file and adds what it finds wrong to the problems: syntax,
 * unknown keys, values that are no text, number, truth value or list of texts.
 */
export function parseConfigFile(toml: string, problems: string[]): FileTexts {
  const settings = new Map<SettingName, string>();
  const { listeners = [], ...table } = parseToml(toml, problems);
  for (const [key, value] of Object.entries(table)) {
    const name = key.toUpperCase();
    if (!FILE_KEYS.includes(key) || !isSettingName(name)) {
      problems.push(describeUnknown(key, 'the file', FILE_KEYS));
      continue;
    }
    const isList = notesOf(name).argument === 'list';
    const text = textOf(value, { label: `${key} (file)`, isList }, problems);
    if (text !== undefined) {
      settings.set(name, text);
    }
  }
  return { settings, listeners: parseListeners(listeners, problems) };
}

function parseToml(toml: string, problems: string[]): TomlTable {
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) {
      throw error;
    }
    // Only the first line: below it the parser shows the text around, which may be a password.
    const [reason = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    const place = `line ${error.line}, column ${error.column}`;
    problems.push(`GATEPOST_CONFIG: the file is not TOML at ${place}: ${reason}`);
    return {};
  }
}

function parseListeners(value: TomlValue, problems: string[]): ListenerTexts[] {
  if (!Array.isArray(value) || !value.every(isTable)) {
    problems.push('listeners (file) is not a list of tables: write each as [[listeners]]');
    return [];
  }
  return value.map((table, index) => parseListener(table, index, problems));
}

function parseListener(table: TomlTable, index: number, problems: string[]): ListenerTexts {
  const texts: Record<string, string> = {};
  const label = describeListener(table['name'], index);
  const { backend: written = '' } = table;
  const backend = written === '' ? DEFAULT_BACKEND : written;
  for (const [key, value] of Object.entries(table)) {
    const misfit = describeMisfit(key, backend, label);
    if (misfit !== undefined) {
      problems.push(misfit);
      continue;
    }
    const isList = LISTENER_LIST_KEYS.includes(key);
    const text = textOf(value, { label: `${label}: ${key}`, isList }, problems);
    if (text !== undefined && text !== '') {
      texts[key] = text;
    }
  }
  return texts;
}

/** Why a listener of this backend cannot have the key; undefined when it can. */
function describeMisfit(key: string, backend: TomlValue, label: string): string | undefined {
  if (!LISTENER_KEYS.includes(key)) {
    return describeUnknown(key, label, LISTENER_KEYS);
  }
  const other = otherBackendOf(key, backend);
  return other === undefined
    ? undefined
    : `${label}: ${key} is of backend "${other}", and this listener has backend ` +
        `${JSON.stringify(backend)}: leave it out, or set backend = "${other}"`;
}

/** How problems speak of a listener: by its name, or by its place while it has none. */
export function describeListener(name: unknown, index: number): string {
  const isNamed = typeof name === 'string' && name !== '';
  return isNamed ? `listener ${JSON.stringify(name)}` : `listener ${index + 1} of the file`;
}

function describeUnknown(key: string, place: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  return `${JSON.stringify(key)} in ${place} is not a key; the nearest known one is ${nearest}`;
}

/** Where a value stands, and whether it may be a list. */
interface Place {
  readonly label: string;
  readonly isList: boolean;
}

function textOf(
  value: TomlValue,
  { label, isList }: Place,
  problems: string[],
): string | undefined {
  if (typeof value === 'string') {
    return value;
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  if (isList && Array.isArray(value) && value.every((entry) => typeof entry === 'string')) {
    return textOfList(value, label, problems);
  }
  const expected = isList ? 'text or a list of texts' : 'text, a number, true or false';
  problems.push(`${label} is not ${expected}`);
  return undefined;
}

function textOfList(
  entries: readonly string[],
  label: string,
  problems: string[],
): string | undefined {
  if (entries.length > 0) {
    return entries.join(',');
  }
  // Nothing allowed, or no list? Both readings are defensible, so neither is taken.
  problems.push(`${label} is an empty list, which is ambiguous: leave it out for no list`);
  return undefined;
}

function isTable(value: TomlValue): value is TomlTable {
  return Object.prototype.toString.call(value) === '[object Object]';
}
