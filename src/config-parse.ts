// From texts to values, with every problem found in one pass.

import assert from 'node:assert/strict';
import * as z from 'zod';
import { describeListener } from './config-file.ts';
import type { ListenerTexts } from './config-file.ts';
import { DEFAULT_BACKEND, LISTENER_SECRETS, listenerSchema } from './config-listener-keys.ts';
import type { FileListener } from './config-listener-keys.ts';
import { echo } from './config-problems.ts';
import {
  fallbackOf,
  isSettingName,
  notesOf,
  SETTING_NAMES,
  settingsSchema,
} from './config-settings.ts';
import type { Environment, Settings } from './config-settings.ts';
import type { GivenTexts } from './config-sources.ts';

const configSchema = z.strictObject({
  settings: settingsSchema,
  listeners: z.array(listenerSchema),
});

/** Values of everything that was accepted, with defaults for the rest. */
export interface ParsedTexts {
  readonly settings: Settings;
  readonly listeners: readonly FileListener[];
}

/**
 * Parses what was given and adds a problem for each refused text. The result then has the default
 * in its place, so that what concerns several settings can still be checked in the same run.
 */
export function parseTexts(given: GivenTexts, problems: string[]): ParsedTexts {
  const texts = {
    settings: {
      ...productionTexts(environmentOf(given)),
      ...Object.fromEntries([...given.settings].map(([name, { text }]) => [name, text])),
    },
    listeners: given.listeners.map((listener) => ({ backend: DEFAULT_BACKEND, ...listener })),
  };
  const result = configSchema.safeParse(texts);
  if (result.success) {
    return result.data;
  }
  const { issues } = result.error;
  problems.push(...issues.map((issue) => describeIssue(issue, given)));
  const refused = new Set(issues.map(({ path }) => path.join('.')));
  return configSchema.parse(withoutRefused(texts, refused));
}

/** What the process runs for; the default where that is refused. */
export function environmentOf(given: GivenTexts): Environment {
  const schema = settingsSchema.shape.NODE_ENV;
  const result = schema.safeParse(given.settings.get('NODE_ENV')?.text);
  return result.success ? result.data : schema.parse(undefined);
}

/** The schema has the defaults of development; those of production are given like texts. */
function productionTexts(environment: Environment): Record<string, string> {
  if (environment !== 'production') {
    return {};
  }
  const names = SETTING_NAMES.filter((name) => notesOf(name).productionFallback !== undefined);
  return Object.fromEntries(names.map((name) => [name, fallbackOf(name, environment) ?? '']));
}

const NEEDED_KEYS = ['name', 'port', 'backend'];

function withoutRefused(
  texts: { settings: Record<string, string>; listeners: readonly ListenerTexts[] },
  refused: ReadonlySet<string>,
): unknown {
  const listeners = texts.listeners.map((listener, index) =>
    omitRefused(listener, `listeners.${index}`, refused),
  );
  return {
    settings: omitRefused(texts.settings, 'settings', refused),
    // Nothing more can be said about a listener that lacks one of these.
    listeners: listeners.filter((listener) => NEEDED_KEYS.every((key) => key in listener)),
  };
}

function omitRefused(
  texts: Readonly<Record<string, string>>,
  place: string,
  refused: ReadonlySet<string>,
): Record<string, string> {
  const accepted = Object.entries(texts).filter(([key]) => !refused.has(`${place}.${key}`));
  return Object.fromEntries(accepted);
}

function describeIssue({ path, message }: z.core.$ZodIssue, given: GivenTexts): string {
  const [place, name, key] = path;
  if (place === 'listeners' && typeof name === 'number') {
    return describeListenerIssue(given.listeners[name] ?? {}, name, { key: String(key), message });
  }
  return describeSettingIssue(String(name), message, given);
}

function describeSettingIssue(name: string, message: string, given: GivenTexts): string {
  assert(isSettingName(name), `${name} was parsed without being a setting`);
  const text = given.settings.get(name);
  assert(text !== undefined, `The default of ${name} is not accepted`);
  const shown = notesOf(name).secret === 'none' ? echo(text.text) : '***';
  return `${name} is ${shown} (${text.source}): ${message}`;
}

function describeListenerIssue(
  listener: ListenerTexts,
  index: number,
  { key, message }: { readonly key: string; readonly message: string },
): string {
  const label = describeListener(listener['name'], index);
  const text = listener[key];
  if (text === undefined) {
    return `${label}: ${key} is missing`;
  }
  const isSecret = LISTENER_SECRETS.some(([secret]) => secret === key);
  return `${label}: ${key} is ${isSecret ? '***' : echo(text)}: ${message}`;
}
