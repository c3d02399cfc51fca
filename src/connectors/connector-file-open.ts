// A TOML file of the connectors: read, taken apart, and asked which connector it defines.
import path from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { TomlTable, TomlValue } from 'smol-toml';
import { explainReadFailure } from '../config-problems.ts';
import { ConnectorError } from './connector-error.ts';
import { identityTable } from './connector-file-schema.ts';
import { readTable } from './connector-file-table.ts';
import type { ConnectorType } from './connector.ts';
import type { ConnectorsInputs, RefusedFile } from './runtime-config.ts';

/** A file that says which connector it defines. */
export interface ConnectorFile {
  readonly file: string;
  readonly type: ConnectorType;
  readonly key: string;
  readonly version: number;
  /** What else it says at its top, its streams, and what is for the plugin. */
  readonly top: TomlTable;
  readonly streams: TomlValue | undefined;
  readonly pluginConfig: TomlValue | undefined;
}

/** Reads which connector a file defines; the rest of it is left to `readConnector`. */
export function openConnectorFile(
  file: string,
  inputs: ConnectorsInputs,
): ConnectorFile | RefusedFile {
  const problems: string[] = [];
  const read = parseToml(file, inputs, problems);
  if (read !== undefined) {
    const { streams, plugin_config: pluginConfig, ...rest } = read;
    const toml = pickFields(rest, (name) => identityTable.fields.has(name));
    const top = pickFields(rest, (name) => !identityTable.fields.has(name));
    const sources = { path: '', file: path.basename(file), toml, env: new Map() };
    const identity = readTable(identityTable, sources, inputs, problems);
    if (identity !== undefined) {
      return { ...identity.values, file, top, streams, pluginConfig };
    }
  }
  return { file, problem: toProblem(problems) };
}

function pickFields(toml: TomlTable, isPicked: (name: string) => boolean): TomlTable {
  return Object.fromEntries(Object.entries(toml).filter(([name]) => isPicked(name)));
}

/** What is wrong with a configuration, in one error. */
export function toProblem(problems: readonly string[]): ConnectorError {
  return new ConnectorError('invalid-config', problems.join('; '));
}

/** The tables of a TOML file; undefined, with a problem, when it is none. */
export function parseToml(
  file: string,
  inputs: ConnectorsInputs,
  problems: string[],
): TomlTable | undefined {
  const name = path.basename(file);
  let toml: string;
  try {
    toml = inputs.readTextFile(file);
  } catch (error) {
    problems.push(`${name} cannot be read: ${explainReadFailure(error)}`);
    return undefined;
  }
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) {
      throw error;
    }
    // Only the first line: below it the parser shows the text around, which may be a password.
    const [reason = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    problems.push(`${name} is not TOML at line ${error.line}, column ${error.column}: ${reason}`);
    return undefined;
  }
}
