// `gatepost connectors` as a user runs it: a directory with config.toml and the connector files.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestIggy } from './start-iggy.ts';
import { startService } from './start-service.ts';
import type { RunningService } from './start-service.ts';

export interface ConnectorsOptions {
  readonly iggy: TestIggy;
  /** Its configuration and state are kept here. */
  readonly directory: string;
  /** The connector files by name. */
  readonly connectors: Readonly<Record<string, string>>;
  /** Instead of Iggy's own: a proxy's. */
  readonly iggyAddress?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Writes the configuration and starts the service; it need not come up. The caller stops it. */
export async function startConnectors(options: ConnectorsOptions): Promise<RunningService> {
  const { directory, environment = {} } = options;
  await writeConnectors(options);
  return startService({ args: ['connectors'], directory, environment });
}

/** Writes config.toml and the connector files. */
export async function writeConnectors(
  options: Omit<ConnectorsOptions, 'environment'>,
): Promise<void> {
  const { iggy, directory, connectors, iggyAddress = iggy.address } = options;
  await mkdir(path.join(directory, 'connectors'), { recursive: true });
  for (const [name, text] of Object.entries(connectors)) {
    await writeFile(path.join(directory, 'connectors', name), text);
  }
  const config = configToml(iggyAddress, iggy.credentials);
  await writeFile(path.join(directory, 'config.toml'), config);
}

function configToml(address: string, credentials: TestIggy['credentials']): string {
  const login =
    credentials.kind === 'password'
      ? `username = "${credentials.username}"\npassword = "${credentials.password}"`
      : `token = "${credentials.token}"`;
  return `
[iggy]
address = "${address}"
${login}

[state]
path = "state"

[connectors]
config_type = "local"
config_dir = "connectors"

[http]
address = "127.0.0.1:0"
`;
}
