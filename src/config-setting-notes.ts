// What is known about a setting beside how it is parsed.

import * as z from 'zod';
import type { TextType } from './config-values.ts';

type SettingGroup =
  | 'Service'
  | 'PostgreSQL'
  | 'MongoDB'
  | 'Listeners'
  | 'Limits and policy'
  | 'HTTP API'
  | 'Accounts'
  | 'Activity'
  | 'Connectors';

/** What a setting is for, beside how it is parsed. */
export interface SettingNotes {
  readonly group: SettingGroup;
  /** One sentence without its full stop. */
  readonly summary: string;
  readonly accepted: string;
  readonly argument: string;
  /** The default, as text; undefined when the setting is optional. */
  readonly fallback: string | undefined;
  /** The default where NODE_ENV is production, if that is another one. */
  readonly productionFallback: string | undefined;
  /** How it is hidden: a secret as a whole, of a connection string the passwords. */
  readonly secret: 'none' | 'whole' | 'connection-string';
}

interface About {
  readonly group: SettingGroup;
  readonly summary: string;
  readonly secret?: SettingNotes['secret'];
  readonly productionFallback?: string;
}

const registry = z.registry<SettingNotes>();

/** The notes of a setting's schema, by the very object that is in the table. */
export function lookUpNotes(setting: z.ZodType): SettingNotes | undefined {
  return registry.get(setting);
}

/** A setting that always has a value. */
export function withDefault<T>(
  { schema, accepted, argument }: TextType<T>,
  fallback: string,
  about: About,
): z.ZodPrefault<z.ZodType<T, string>> {
  const setting = schema.prefault(fallback);
  const usual = { secret: 'none', productionFallback: undefined } as const;
  registry.add(setting, { ...usual, ...about, accepted, argument, fallback });
  return setting;
}

/** A setting that may be left out. */
export function optional<T>(
  { schema, accepted, argument }: TextType<T>,
  about: About,
): z.ZodOptional<z.ZodType<T, string>> {
  const setting = schema.optional();
  const usual = { secret: 'none', productionFallback: undefined, fallback: undefined } as const;
  registry.add(setting, { ...usual, ...about, accepted, argument });
  return setting;
}
