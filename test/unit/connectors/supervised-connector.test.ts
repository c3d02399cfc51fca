import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { untilFact } from '../../support/facts.ts';
import { createInProcessSink } from '../../support/in-process-connectors.ts';
import { refusedConfig, sinkConfig } from '../../support/ready-connectors.ts';
import { createRuntimeStage } from '../../support/runtime-stage.ts';
import type { RuntimeStage } from '../../support/runtime-stage.ts';

const NEVER = new AbortController().signal;
const WRONG = new ConnectorError('invalid-config', 'plugin_config.database is missing: set it');

let stage: RuntimeStage;

beforeEach(async () => {
  stage = await createRuntimeStage();
});

afterEach(async () => {
  await stage.close();
});

describe('createConnectorsRuntime restart', () => {
  it('given_no_such_connector_should_be_false', async () => {
    const { runtime } = stage.create([sinkConfig(() => createInProcessSink())]);
    await expect(runtime.restart('sink', 'nowhere')).resolves.toBe(false);
    await expect(runtime.restart('source', 'orders')).resolves.toBe(false);
  });

  it('given_a_corrected_file_should_run_by_it', async () => {
    const sink = createInProcessSink();
    const { runtime, untilStatus } = stage.create([refusedConfig(WRONG)], {
      reload: ({ key }) => sinkConfig(() => sink, { key }),
    });
    await runtime.start(NEVER);
    await expect(runtime.restart('sink', 'refused')).resolves.toBe(true);
    await untilStatus('running');
  });

  it('given_a_file_that_defines_it_only_now_should_run_it', async () => {
    const { runtime, untilStatus } = stage.create([], {
      find: (type, key) => (type === 'sink' ? sinkConfig(createInProcessSink, { key }) : undefined),
    });
    await runtime.start(NEVER);
    await expect(runtime.restart('source', 'late')).resolves.toBe(false);
    await expect(runtime.restart('sink', 'late')).resolves.toBe(true);
    await untilStatus('running');
    expect(runtime.list()).toHaveLength(1);
    await runtime.stop(NEVER);
    await runtime.restart('sink', 'later');
    expect(runtime.list()).toHaveLength(1);
  });

  it('given_two_files_that_had_one_key_should_keep_one_and_find_the_other', async () => {
    const { runtime, untilStatus } = stage.create([refusedConfig(WRONG), refusedConfig(WRONG)], {
      reload: ({ key }) => sinkConfig(createInProcessSink, { key }),
      find: (_type, key) => sinkConfig(createInProcessSink, { key }),
    });
    await runtime.start(NEVER);
    await runtime.restart('sink', 'refused');
    expect(runtime.list().map(({ key }) => key)).toEqual(['refused']);
    await runtime.restart('sink', 'other');
    expect(runtime.list().map(({ key }) => key)).toEqual(['refused', 'other']);
    await untilStatus('running', 0);
    await untilStatus('running', 1);
  });

  it('given_a_running_connector_should_close_it_and_keep_its_counters', async () => {
    stage.iggy.append('app/events', 0, ['a', 'b']);
    const sinks = [createInProcessSink(), createInProcessSink()];
    const left = [...sinks];
    const { runtime, shown, untilStatus } = stage.create([
      sinkConfig(() => left.shift() ?? createInProcessSink()),
    ]);
    await runtime.start(NEVER);
    await untilFact(() => stage.iggy.offsets.get('group app/events 0') === 1, 'a stored offset');
    await runtime.restart('sink', 'orders');
    expect(sinks[0]?.calls).toEqual(['open', 'close']);
    expect(shown()?.status).toBe('starting');
    await untilStatus('running');
    stage.iggy.append('app/events', 0, ['c']);
    await untilFact(() => shown()?.counters.delivered === 3, 'three delivered messages');
    expect(sinks[1]?.payloads()).toEqual(['c']);
  });

  it('given_a_file_that_is_wrong_now_should_be_error', async () => {
    const { runtime, shown, untilStatus } = stage.create(
      [sinkConfig(() => createInProcessSink())],
      {
        reload: ({ key }) => refusedConfig(WRONG, { key }),
      },
    );
    await runtime.start(NEVER);
    await untilStatus('running');
    await runtime.restart('sink', 'orders');
    expect(shown()).toMatchObject({ status: 'error', lastError: { message: WRONG.message } });
  });

  it('given_a_file_that_switches_it_off_should_be_stopped', async () => {
    const { runtime, shown, untilStatus } = stage.create(
      [sinkConfig(() => createInProcessSink())],
      {
        reload: (connector) => ({ ...connector, isEnabled: false }),
      },
    );
    await runtime.start(NEVER);
    await untilStatus('running');
    await runtime.restart('sink', 'orders');
    expect(shown()).toMatchObject({ status: 'stopped', isEnabled: false });
  });

  it('given_two_restarts_at_once_should_run_one', async () => {
    let made = 0;
    const { runtime, untilStatus } = stage.create([
      sinkConfig(() => {
        made += 1;
        return createInProcessSink();
      }),
    ]);
    await runtime.start(NEVER);
    await untilStatus('running');
    await Promise.all([runtime.restart('sink', 'orders'), runtime.restart('sink', 'orders')]);
    await untilStatus('running');
    expect(made).toBe(2);
  });

  it('given_a_stop_meanwhile_should_not_start_again', async () => {
    let made = 0;
    const { runtime, shown, untilStatus } = stage.create([
      sinkConfig(() => {
        made += 1;
        return createInProcessSink();
      }),
    ]);
    await runtime.start(NEVER);
    await untilStatus('running');
    await Promise.all([runtime.restart('sink', 'orders'), runtime.stop(NEVER)]);
    expect(shown()?.status).toBe('stopped');
    expect(made).toBe(1);
  });
});
