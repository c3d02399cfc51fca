// One table of a configuration: what its file and the environment say, read by its schema. What
// is wrong is told by name and place, and never with a secret.
import type { TomlTable, TomlValue } from 'smol-toml';
import type * as z from 'zod';
import { echo } from '../config-problems.ts';
import { readSecret } from '../config-sources.ts';
import type { SystemInputs } from '../config-sources.ts';
import { nearestName } from '../nearest-name.ts';
import { coerceText, fieldsOf } from './connector-file-fields.ts';
import type { DeclaredField, DeclaredFields } from './connector-file-fields.ts';

/** A schema with what it declares. */
export interface DeclaredTable<Values> {
  readonly schema: z.ZodType<Values>;
  readonly fields: DeclaredFields;
}

/** Reads once what a schema declares. */
export function declareTable<Values>(schema: z.ZodType<Values>): DeclaredTable<Values> {
  return { schema, fields: fieldsOf(schema) };
}

/** A variable of the environment. */
export interface EnvText {
  readonly name: string;
  readonly text: string;
}

/** What is said about a table, and where. */
export interface TableSources {
  /** `plugin_config`; empty for the top of a file. */
  readonly path: string;
  /** The file's name, for problems. */
  readonly file: string;
  readonly toml: TomlValue | undefined;
  /** By the name of the field, which counts instead of the file's. */
  readonly env: ReadonlyMap<string, EnvText>;
}

interface GivenValue {
  readonly value: unknown;
  /** How problems name it. */
  readonly label: string;
  readonly source: 'file' | 'environment';
}

type GivenValues = ReadonlyMap<string, GivenValue>;

export interface ReadTable<Values> {
  readonly values: Values;
  /** What was given, by the names of the fields. */
  readonly given: ReadonlyMap<string, unknown>;
}

/** The table's values; undefined, with problems, when any of them is wrong. */
export function readTable<Values>(
  table: DeclaredTable<Values>,
  sources: TableSources,
  inputs: SystemInputs,
  problems: string[],
): ReadTable<Values> | undefined {
  const { path, file, toml = {} } = sources;
  if (!isTable(toml)) {
    problems.push(`${path} (${file}) is not a table: write [${path}]`);
    return undefined;
  }
  const found: string[] = [];
  const all = new Map([
    ...fileValues(table.fields, { ...sources, toml }, found),
    ...envValues(table.fields, sources, found),
  ]);
  const given = withSecretFiles(all, table.fields, inputs, found);
  const values = new Map([...given].map(([name, { value }]) => [name, value]));
  // Built without setters: a field `__proto__` has been refused, and would be a field.
  const result = table.schema.safeParse(Object.fromEntries(values));
  if (!result.success) {
    const issues = result.error.issues.filter(({ path: [name] }) => !isTold(name, given, all));
    found.push(...issues.map((issue) => describeIssue(issue, { table, sources, given })));
  }
  problems.push(...found);
  return result.success && found.length === 0 ? { values: result.data, given: values } : undefined;
}

/** A secret whose file cannot be read is not missing as well. */
function isTold(name: PropertyKey | undefined, given: GivenValues, all: GivenValues): boolean {
  return typeof name === 'string' && !given.has(name) && all.has(`${name}_file`);
}

function fileValues(
  fields: DeclaredFields,
  { path, file, toml, env }: TableSources & { readonly toml: TomlTable },
  problems: string[],
): Map<string, GivenValue> {
  const values = new Map<string, GivenValue>();
  const known = knownNames(fields);
  for (const [name, value] of Object.entries(toml)) {
    const label = labelOf(path, name, file);
    if (!known.includes(name)) {
      problems.push(describeUnknown(label, nearestName(name, known)));
    } else if (!env.has(otherSpelling(name))) {
      values.set(name, { value, label, source: 'file' });
    }
  }
  return values;
}

/** A secret of the environment counts instead of the file's, be it in a file of its own or not. */
function otherSpelling(name: string): string {
  return name.endsWith('_file') ? name.replace(/_file$/, '') : `${name}_file`;
}

function envValues(
  fields: DeclaredFields,
  { env }: TableSources,
  problems: string[],
): Map<string, GivenValue> {
  const values = new Map<string, GivenValue>();
  const known = knownNames(fields);
  for (const [name, { name: label, text }] of env) {
    if (known.includes(name)) {
      const value = coerceText(text, fields.get(name)?.type);
      values.set(name, { value, label, source: 'environment' });
    } else {
      const prefix = label.slice(0, label.length - name.length);
      const nearest = nearestName(name, known)?.toUpperCase();
      problems.push(describeUnknown(label, nearest && `${prefix}${nearest}`));
    }
  }
  return values;
}

function knownNames(fields: DeclaredFields): string[] {
  return [...fields.values()].flatMap(({ name, secret }) =>
    secret === undefined ? [name] : [name, `${name}_file`],
  );
}

function labelOf(path: string, name: string, file: string): string {
  const shown = /^[\w-]{1,64}$/.test(name) ? name : echo(name);
  return `${path === '' ? '' : `${path}.`}${shown} (${file})`;
}

function describeUnknown(label: string, nearest: string | undefined): string {
  const hint = nearest === undefined ? '' : `; the nearest known one is ${nearest}`;
  return `${label} is not a field${hint}`;
}

/** With the secrets that are kept in files of their own, as containers mount them. */
function withSecretFiles(
  all: GivenValues,
  fields: DeclaredFields,
  inputs: SystemInputs,
  problems: string[],
): Map<string, GivenValue> {
  const given = new Map(all);
  for (const { name } of [...fields.values()].filter(({ secret }) => secret !== undefined)) {
    const fileName = `${name}_file`;
    const secretFile = given.get(fileName);
    given.delete(fileName);
    if (secretFile === undefined) {
      continue;
    }
    const { value, label, source } = secretFile;
    if (given.has(name)) {
      problems.push(`${name} and ${label} are both given: keep one`);
    } else if (typeof value !== 'string') {
      problems.push(`${label} is ${describeValue(value)}: accepted is the path of a file`);
    } else {
      const secret = readSecret(label, { text: value, source }, inputs, problems);
      if (secret !== undefined) {
        given.set(name, { value: secret, label, source });
      }
    }
  }
  return given;
}

interface IssueContext {
  readonly table: { readonly fields: DeclaredFields };
  readonly sources: TableSources;
  readonly given: GivenValues;
}

/** What zod says itself, in words that name what is accepted. */
const PLAIN_ISSUES: ReadonlySet<string> = new Set([
  'invalid_type',
  'invalid_value',
  'invalid_union',
  'too_small',
  'too_big',
]);

function describeIssue(
  { code, path: [name], message }: z.core.$ZodIssue,
  { table, sources, given }: IssueContext,
): string {
  const field = typeof name === 'string' ? table.fields.get(name) : undefined;
  if (field === undefined) {
    return `${sources.path} (${sources.file}): ${message}`;
  }
  const entry = given.get(field.name);
  const accepted = PLAIN_ISSUES.has(code) ? `accepted is ${field.accepted}` : message;
  return entry === undefined
    ? `${labelOf(sources.path, field.name, sources.file)} is missing: ${accepted}`
    : `${entry.label} ${describeRefused(entry.value, field)}: ${accepted}`;
}

function describeRefused(value: unknown, { secret }: DeclaredField): string {
  return secret === undefined ? `is ${describeValue(value)}` : 'is a secret that is not accepted';
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return echo(value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  if (value instanceof Date) {
    return 'a date';
  }
  return Array.isArray(value) ? 'a list' : 'a table';
}

/** Whether a value of TOML is a table: dates and lists are objects too. */
export function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}
