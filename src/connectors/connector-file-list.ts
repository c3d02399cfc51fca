// All connectors of a directory. What is wrong with one file is no matter to the others.
import path from 'node:path';
import { echo, explainReadFailure } from '../config-problems.ts';
import { readConnector, refuseConnector } from './connector-file.ts';
import { refuseSharedGroups } from './connector-file-groups.ts';
import { envShareOf, readConnectorEnv, shareEnv } from './connector-file-env.ts';
import type { EnvShares } from './connector-file-env.ts';
import { openConnectorFile, toProblem } from './connector-file-open.ts';
import type { ConnectorFile } from './connector-file-open.ts';
import type { EnvText } from './connector-file-table.ts';
import type { ConnectorConfig, ConnectorsInputs, RefusedFile } from './runtime-config.ts';

/** More are a wrong directory. */
const FILES_MAX = 1000;

export interface ConnectorList {
  /** By type and key. */
  readonly connectors: readonly ConnectorConfig[];
  readonly refusedFiles: readonly RefusedFile[];
  /** What the environment says about connectors that no file defines. */
  readonly unclaimed: readonly EnvText[];
}

/** The connectors of the files in a directory; a problem is one of the directory itself. */
export function listConnectors(
  directory: string,
  { env, inputs }: { readonly env: readonly EnvText[]; readonly inputs: ConnectorsInputs },
  problems: string[],
): ConnectorList {
  const files: ConnectorFile[] = [];
  const refusedFiles: RefusedFile[] = [];
  for (const name of listFiles(directory, inputs, problems)) {
    const file = openConnectorFile(path.resolve(directory, name), inputs);
    if ('problem' in file) {
      refusedFiles.push(file);
    } else {
      files.push(file);
    }
  }
  const groups = groupByShare(files);
  const shares = shareEnv(env, [...groups.keys()]);
  const connectors = [...groups].flatMap(([share, group]) => {
    return readGroup(group, { share, shares, inputs });
  });
  const sorted = sortConnectors(refuseSharedGroups(connectors));
  return { connectors: sorted, refusedFiles, unclaimed: shares.unclaimed };
}

/** Names of TOML files, but for hidden ones and those of the programming language Rust. */
function listFiles(directory: string, inputs: ConnectorsInputs, problems: string[]): string[] {
  let names: readonly string[];
  try {
    names = inputs.listDirectory(directory);
  } catch (error) {
    const reason = explainReadFailure(error);
    problems.push(`connectors.config_dir is ${echo(directory)}, which cannot be read: ${reason}`);
    return [];
  }
  const files = names.filter((name) => {
    return name.endsWith('.toml') && !name.startsWith('.') && name !== 'Cargo.toml';
  });
  if (files.length > FILES_MAX) {
    problems.push(
      `connectors.config_dir is ${echo(directory)}, which has ${files.length} files: accepted ` +
        `are ${FILES_MAX}`,
    );
    return [];
  }
  return files.toSorted();
}

/** Two keys that the environment cannot tell apart are one: their files may be one as well. */
function groupByShare(files: readonly ConnectorFile[]): Map<string, ConnectorFile[]> {
  const groups = new Map<string, ConnectorFile[]>();
  for (const file of files) {
    const share = envShareOf(file.type, file.key);
    groups.set(share, [...(groups.get(share) ?? []), file]);
  }
  return groups;
}

interface GroupContext {
  readonly share: string;
  readonly shares: EnvShares;
  readonly inputs: ConnectorsInputs;
}

/** The connector of files that have one key: the highest version, or nobody knows which. */
function readGroup(
  group: readonly ConnectorFile[],
  { share, shares, inputs }: GroupContext,
): ConnectorConfig[] {
  const env = readConnectorEnv(share, shares.shares.get(share) ?? []);
  const read = (file: ConnectorFile): ConnectorConfig => readConnector(file, env, inputs);
  const byVersion = group.toSorted((one, other) => other.version - one.version);
  const [active, ...others] = byVersion;
  if (active === undefined) {
    return [];
  }
  const hasVersions =
    new Set(group.map(({ version }) => version)).size === group.length &&
    group.every(({ key }) => key === active.key);
  if (!hasVersions) {
    const problem = toProblem([describeDuplicates(group)]);
    return group.map((file) => refuseConnector(read(file), problem));
  }
  const connector = read(active);
  const notes = others.map(({ file, version }) => {
    const name = path.basename(file);
    return `${name} is not active: its version is ${version}, and another is ${active.version}`;
  });
  return [{ ...connector, notes: [...connector.notes, ...notes] }];
}

function describeDuplicates(group: readonly ConnectorFile[]): string {
  const keys = [...new Set(group.map(({ key }) => JSON.stringify(key)))].join(' and ');
  const names = group.map(({ file }) => path.basename(file)).join(' and ');
  return (
    `key is ${keys} in ${names}, which is one and the same to the environment: give another ` +
    'key, or, for the same one, another version'
  );
}

function sortConnectors(connectors: readonly ConnectorConfig[]): readonly ConnectorConfig[] {
  const rankOf = ({ type, key, file }: ConnectorConfig): string => `${type} ${key} ${file}`;
  return connectors.toSorted((one, other) => (rankOf(one) < rankOf(other) ? -1 : 1));
}
