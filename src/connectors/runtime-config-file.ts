// config.toml, taken apart by tables, each with its share of the environment.
import type { TomlTable, TomlValue } from 'smol-toml';
import { nearestName } from '../nearest-name.ts';
import { ENV_PREFIX } from './connector-file-env.ts';
import { isTable } from './connector-file-table.ts';
import type { EnvText, TableSources } from './connector-file-table.ts';

/** Tables by their paths; the second ones stand for what Gatepost does not have. */
const TABLES = ['iggy', 'iggy.tls', 'state', 'connectors', 'http', 'http.metrics', 'logging'];
const FOREIGN_TABLES = ['http.cors', 'http.tls', 'telemetry'];

/** What is said about each table, by its path. */
export type RuntimeSources = ReadonlyMap<string, TableSources>;

/** Sorts the file and the environment by tables; what belongs to none is a problem. */
export function sortByTables(
  file: { readonly name: string; readonly toml: TomlTable },
  env: readonly EnvText[],
  problems: string[],
): RuntimeSources {
  const paths = [...TABLES, ...FOREIGN_TABLES];
  const shares = sortEnv(paths, env, problems);
  refuseUnknownTables(file, paths, problems);
  return new Map(
    paths.map((place) => {
      const toml = withoutInner(place, valueAt(file.toml, place), paths);
      return [place, { path: place, file: file.name, toml, env: shares.get(place) ?? new Map() }];
    }),
  );
}

function refuseUnknownTables(
  { name, toml }: { readonly name: string; readonly toml: TomlTable },
  paths: readonly string[],
  problems: string[],
): void {
  const known = paths.filter((place) => !place.includes('.'));
  for (const key of Object.keys(toml).filter((key) => !known.includes(key))) {
    const shown = /^[\w-]{1,64}$/.test(key) ? key : 'A key';
    const nearest = nearestName(key, known) ?? '';
    problems.push(`${shown} (${name}) is not a table; the nearest known one is [${nearest}]`);
  }
}

function valueAt(toml: TomlTable, place: string): TomlValue | undefined {
  const [outer = '', inner] = place.split('.');
  const table = Object.hasOwn(toml, outer) ? toml[outer] : undefined;
  if (inner === undefined || table === undefined) {
    return table;
  }
  // What is no table is a problem of the outer one.
  return isTable(table) && Object.hasOwn(table, inner) ? table[inner] : undefined;
}

/** Without its inner tables, and without empty texts, which say nothing to Iggy's runtime too. */
function withoutInner(
  place: string,
  value: TomlValue | undefined,
  paths: readonly string[],
): TomlValue | undefined {
  if (value === undefined || !isTable(value)) {
    return value;
  }
  const own = Object.entries(value).filter(([name, entry]) => {
    return !paths.includes(`${place}.${name}`) && entry !== '';
  });
  return Object.fromEntries(own);
}

function sortEnv(
  paths: readonly string[],
  env: readonly EnvText[],
  problems: string[],
): Map<string, Map<string, EnvText>> {
  const shares = new Map<string, Map<string, EnvText>>();
  const longestFirst = paths.toSorted((one, other) => other.length - one.length);
  for (const text of env) {
    const place = longestFirst.find((candidate) => text.name.startsWith(prefixOf(candidate)));
    if (place === undefined) {
      const known = paths.map(prefixOf).map((prefix) => `${prefix}…`);
      const nearest = nearestName(text.name, known) ?? '';
      problems.push(`${text.name} is not a setting; the nearest known ones are ${nearest}`);
      continue;
    }
    const share = shares.get(place) ?? new Map<string, EnvText>();
    shares.set(place, share.set(text.name.slice(prefixOf(place).length).toLowerCase(), text));
  }
  return shares;
}

function prefixOf(place: string): string {
  return `${ENV_PREFIX}${place.toUpperCase().replaceAll('.', '_')}_`;
}

/** Refuses the tables that Gatepost has nothing for, unless they say themselves they are off. */
export function refuseForeignTables(sources: RuntimeSources, problems: string[]): void {
  for (const place of FOREIGN_TABLES) {
    const { file = '', toml, env } = sources.get(place) ?? {};
    const enabled = env?.get('enabled');
    const isOff = enabled === undefined ? isOffInFile(toml) : /^false$/i.test(enabled.text.trim());
    if (!isOff) {
      const label = enabled?.name ?? `${place} (${file})`;
      problems.push(
        `${label} switches on what Gatepost does not have: leave it out, or set ` +
          `${place}.enabled = false`,
      );
    }
  }
}

/** Off is their default. */
function isOffInFile(toml: TomlValue | undefined): boolean {
  return toml === undefined || (isTable(toml) && (toml['enabled'] ?? false) === false);
}
