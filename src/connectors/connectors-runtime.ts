// All connectors of a configuration, each on its own: one that is wrong or waits keeps nobody up.
import type { ConnectorsControl, ShownConnector } from '../connectors-control.ts';
import type { Component } from '../lifecycle.ts';
import type { Observer } from '../observation.ts';
import type { ConnectorType } from './connector.ts';
import type { BackOff } from './retry.ts';
import type { ConnectorConfig, ConnectorsConfig } from './runtime-config.ts';
import { SupervisedConnector } from './supervised-connector.ts';

const NAME = 'connectors';

export interface ConnectorsRuntimeOptions {
  readonly config: ConnectorsConfig;
  readonly observer: Observer;
  /** A connector as its file and the environment say now; does not throw. */
  readonly reload: (connector: ConnectorConfig) => ConnectorConfig;
  /** A connector that the files define by now; does not throw. */
  readonly find: (type: ConnectorType, key: string) => ConnectorConfig | undefined;
  /** Between runs of a connector that restarts by itself; tests wait for less than a second. */
  readonly restart?: BackOff;
}

/**
 * Runs the connectors that are configured. Its start neither fails nor waits for one of them: how
 * they are shows in the list.
 */
export function createConnectorsRuntime(
  options: ConnectorsRuntimeOptions,
): Component & ConnectorsControl {
  const { config, observer } = options;
  const connectors = config.connectors.map(
    (connector) => new SupervisedConnector(connector, options),
  );
  const stopType = async (type: ConnectorType, deadline: AbortSignal): Promise<void> => {
    const ofType = connectors.filter((connector) => connector.type === type);
    await Promise.all(ofType.map(async (connector) => await connector.stop(deadline)));
  };
  let isStopping = false;
  /** False where there is none. */
  const add = (connector: ConnectorConfig | undefined): boolean => {
    if (connector !== undefined && !isStopping) {
      const added = new SupervisedConnector(connector, options);
      connectors.push(added);
      added.start();
    }
    return connector !== undefined;
  };
  return {
    name: NAME,
    start: async () => {
      noticeConfig(config, observer);
      for (const connector of connectors) {
        connector.start();
      }
      await Promise.resolve();
    },
    // What sources still send may be what sinks still take.
    stop: async (deadline) => {
      isStopping = true;
      await stopType('source', deadline);
      await stopType('sink', deadline);
    },
    list: (): readonly ShownConnector[] => connectors.map((connector) => connector.shown),
    restart: async (type, key) => {
      const [found, ...others] = connectors.filter((one) => one.type === type && one.key === key);
      // Files that wrongly had one key are all refused: each may have one of its own by now.
      for (const other of others) {
        connectors.splice(connectors.indexOf(other), 1);
      }
      await found?.restart();
      return found !== undefined || add(options.find(type, key));
    },
  };
}

function noticeConfig({ notes, refusedFiles }: ConnectorsConfig, observer: Observer): void {
  for (const message of notes) {
    observer.observe({ kind: 'component-reported', component: NAME, message });
  }
  for (const { file, problem } of refusedFiles) {
    const message = `${file} defines no connector: ${problem.message}`;
    observer.observe({ kind: 'risk-noticed', component: NAME, message });
  }
}
