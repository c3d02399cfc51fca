// A runtime of connectors that live in the test, at an Iggy in memory.
import type { ConnectorsControl, ShownConnector } from '../../src/connectors-control.ts';
import { createConnectorsRuntime } from '../../src/connectors/connectors-runtime.ts';
import type { ConnectorsRuntimeOptions } from '../../src/connectors/connectors-runtime.ts';
import type { ConnectorConfig, ConnectorsConfig } from '../../src/connectors/runtime-config.ts';
import type { Component } from '../../src/lifecycle.ts';
import type { Observation } from '../../src/observation.ts';
import { untilFact } from './facts.ts';
import { startMemoryIggy } from './memory-iggy.ts';
import type { MemoryIggy } from './memory-iggy.ts';
import { createRecorder } from './observations.ts';
import { createConnectorsConfig, noOtherConfig, sameConfig } from './ready-connectors.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

export type Own = Partial<ConnectorsConfig> &
  Partial<Pick<ConnectorsRuntimeOptions, 'reload' | 'find'>>;

export interface CreatedRuntime {
  readonly runtime: Component & ConnectorsControl;
  /** The one at this place in the list. */
  readonly shown: (at?: number) => ShownConnector | undefined;
  readonly untilStatus: (status: string, at?: number) => Promise<void>;
}

export interface RuntimeStage {
  /** With topic `events` of stream `app`, of one partition. */
  readonly iggy: MemoryIggy;
  readonly observations: readonly Observation[];
  /** A runtime of these connectors, which tries again soon. */
  readonly create: (connectors: readonly ConnectorConfig[], own?: Own) => CreatedRuntime;
  close(): Promise<void>;
}

/** The caller closes it. */
export async function createRuntimeStage(): Promise<RuntimeStage> {
  const iggy = await startMemoryIggy();
  iggy.createTopic('app/events', 1);
  const directory = await createTemporaryDirectory();
  const recorder = createRecorder();
  const runtimes: Component[] = [];
  return {
    iggy,
    observations: recorder.observations,
    create: (connectors, { reload, find, ...own } = {}) => {
      const iggyConfig = {
        addresses: [iggy.address],
        credentials: { kind: 'password', username: 'iggy', password: 'iggy' },
      } as const;
      const config = createConnectorsConfig({
        iggy: iggyConfig,
        statePath: directory.path,
        ...own,
        connectors,
      });
      const runtime = createConnectorsRuntime({
        config,
        observer: recorder,
        reload: reload ?? sameConfig,
        find: find ?? noOtherConfig,
        restart: { firstMs: 1, maxMs: 5 },
      });
      runtimes.push(runtime);
      const shown = (at = 0): ShownConnector | undefined => runtime.list()[at];
      return {
        runtime,
        shown,
        untilStatus: async (status, at) => {
          await untilFact(() => shown(at)?.status === status, `status ${status}`);
        },
      };
    },
    close: async () => {
      for (const runtime of runtimes) {
        await runtime.stop(AbortSignal.abort());
      }
      await iggy.stop();
      await directory.remove();
    },
  };
}
