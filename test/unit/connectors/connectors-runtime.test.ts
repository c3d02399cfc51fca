import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectorError } from '../../../src/connectors/connector-error.ts';
import { pause } from '../../../src/connectors/retry.ts';
import { untilFact } from '../../support/facts.ts';
import {
  consumed,
  createInProcessSink,
  createInProcessSource,
} from '../../support/in-process-connectors.ts';
import { refusedConfig, sinkConfig, sourceConfig } from '../../support/ready-connectors.ts';
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

function messages(kind: 'component-reported' | 'risk-noticed'): readonly string[] {
  return stage.observations.flatMap((one) =>
    one.kind === kind && 'message' in one ? `${one.component}: ${one.message}` : [],
  );
}

describe('createConnectorsRuntime start', () => {
  it('given_a_sink_and_a_source_of_one_key_should_carry_records_through_both', async () => {
    const sink = createInProcessSink();
    const source = createInProcessSource({ records: ['a', 'b'] });
    const { runtime, shown } = stage.create([sinkConfig(() => sink), sourceConfig(() => source)]);
    await runtime.start(NEVER);
    await untilFact(() => shown()?.counters.delivered === 2, 'two delivered messages');
    expect(sink.payloads()).toEqual(['a', 'b']);
    expect(shown(0)).toMatchObject({ type: 'sink', status: 'running', lastError: undefined });
    await untilFact(() => shown(1)?.counters.delivered === 2, 'two sent records');
    expect(shown(1)).toMatchObject({
      type: 'source',
      key: 'orders',
      name: 'The orders',
      isEnabled: true,
      counters: { received: 2, delivered: 2, errors: 0 },
      pluginConfig: { connection_uri: 'mon***' },
      streams: [{ stream: 'app', topics: ['events'] }],
    });
  });

  it('given_a_wrong_connector_should_be_error_and_keep_no_other_up', async () => {
    const sink = createInProcessSink();
    const { runtime, shown, untilStatus } = stage.create([
      refusedConfig(WRONG),
      sinkConfig(() => sink),
    ]);
    await runtime.start(NEVER);
    expect(shown()).toMatchObject({
      status: 'error',
      lastError: { message: 'plugin_config.database is missing: set it' },
    });
    expect(stage.observations).toContainEqual({
      kind: 'connector-status',
      ...{ type: 'sink', key: 'refused', name: 'The refused', status: 'error' },
      message: 'plugin_config.database is missing: set it',
    });
    await untilStatus('running', 1);
  });

  it('given_a_connector_that_is_switched_off_should_be_stopped_even_if_it_is_wrong', async () => {
    const sink = createInProcessSink();
    const { runtime } = stage.create([
      sinkConfig(() => sink, { isEnabled: false }),
      refusedConfig(WRONG, { isEnabled: false }),
    ]);
    await runtime.start(NEVER);
    expect(runtime.list().map(({ status }) => status)).toEqual(['stopped', 'stopped']);
    expect(sink.calls).toEqual([]);
  });

  it('given_a_plugin_that_cannot_be_made_should_be_error_alone', async () => {
    const { runtime, untilStatus } = stage.create([
      sinkConfig(() => {
        throw WRONG;
      }),
      sinkConfig(() => createInProcessSink(), { key: 'other' }),
    ]);
    await runtime.start(NEVER);
    await untilStatus('error', 0);
    await untilStatus('running', 1);
  });

  it('given_iggy_away_should_start_and_heal_when_it_is_there', async () => {
    let isAway = true;
    stage.iggy.fault = (_request, response) => {
      if (isAway) {
        response.destroy();
        return 'taken';
      }
      return undefined;
    };
    const sink = createInProcessSink();
    const { runtime, shown, untilStatus } = stage.create([sinkConfig(() => sink)]);
    const startMs = performance.now();
    await runtime.start(NEVER);
    expect(performance.now() - startMs).toBeLessThan(5000);
    await untilStatus('error');
    expect(shown()?.lastError?.message).toContain('Iggy');
    isAway = false;
    await untilStatus('running');
    await untilFact(() => shown()?.lastError === undefined, 'a forgotten error');
    expect(shown()?.counters.errors).toBeGreaterThan(0);
  });

  it('given_an_unusable_address_should_be_error', async () => {
    const credentials = { kind: 'token', token: 'secret-token' } as const;
    const { runtime, shown, untilStatus } = stage.create(
      [sinkConfig(() => createInProcessSink())],
      {
        iggy: { addresses: [], credentials },
      },
    );
    await runtime.start(NEVER);
    await untilStatus('error');
    expect(shown()?.lastError?.message).toBe("Iggy's address is missing; set iggy.address");
  });

  it('given_notes_and_refused_files_should_say_them', async () => {
    const { runtime } = stage.create(
      [sinkConfig(() => createInProcessSink(), { notes: ['"linger_time" does nothing'] })],
      {
        notes: ['[logging] does nothing'],
        refusedFiles: [
          { file: '/etc/x.toml', problem: new ConnectorError('invalid-config', 'It has no key') },
        ],
      },
    );
    await runtime.start(NEVER);
    expect(messages('component-reported')).toEqual([
      'connectors: [logging] does nothing',
      'sink orders: "linger_time" does nothing',
    ]);
    expect(messages('risk-noticed')).toEqual([
      'connectors: /etc/x.toml defines no connector: It has no key',
    ]);
  });

  it('given_a_consumer_group_of_digits_should_note_that_it_is_a_number', async () => {
    const config = sinkConfig(() => createInProcessSink());
    const streams = config.streams.map((stream) => ({ ...stream, consumerGroup: '42' }));
    const { runtime, untilStatus } = stage.create([{ ...config, streams }]);
    await runtime.start(NEVER);
    await untilStatus('running');
    expect(messages('component-reported')).toEqual([
      'sink orders: Iggy takes consumer group "42" for the consumer of that number',
    ]);
  });

  it('given_what_a_plugin_says_should_name_the_connector', async () => {
    const { runtime } = stage.create([
      sinkConfig(() => createInProcessSink(), {
        create: ({ key, topics, log }) => {
          log.warn(`${key} reads ${JSON.stringify(topics)}`);
          return createInProcessSink();
        },
      }),
    ]);
    await runtime.start(NEVER);
    await untilFact(() => messages('risk-noticed').length === 1, 'a warning');
    expect(messages('risk-noticed')[0]).toBe(
      'sink orders: orders reads ' +
        '[{"stream":"app","topic":"events","consumerGroup":"group","schema":"json"}]',
    );
  });
});

describe('createConnectorsRuntime stop', () => {
  it('given_sinks_and_sources_should_stop_the_sources_first', async () => {
    const { runtime, untilStatus } = stage.create([
      sinkConfig(() => createInProcessSink()),
      sourceConfig(() => createInProcessSource({ records: [] })),
    ]);
    await runtime.start(NEVER);
    await untilStatus('running', 0);
    await untilStatus('running', 1);
    await runtime.stop(NEVER);
    const stops = stage.observations.flatMap((one) =>
      one.kind === 'connector-status' && one.status.startsWith('stop')
        ? `${one.type} ${one.status}`
        : [],
    );
    expect(stops).toEqual(['source stopping', 'source stopped', 'sink stopping', 'sink stopped']);
  });

  it('given_it_was_never_started_should_resolve', async () => {
    const { runtime } = stage.create([
      sinkConfig(() => createInProcessSink()),
      refusedConfig(WRONG),
    ]);
    await expect(runtime.stop(NEVER)).resolves.toBeUndefined();
  });

  it('given_the_deadline_should_abandon_a_batch_and_be_stopped', async () => {
    stage.iggy.append('app/events', 0, ['a']);
    const sink = createInProcessSink(async (_batch, signal) => {
      await pause(60_000, signal);
      return consumed(1);
    });
    const { runtime, shown } = stage.create([sinkConfig(() => sink)]);
    await runtime.start(NEVER);
    await untilFact(() => sink.batches.length === 1, 'a batch');
    await runtime.stop(AbortSignal.abort());
    expect(shown()?.status).toBe('stopped');
    expect(stage.iggy.offsets.size).toBe(0);
    expect(sink.calls).toEqual(['open', 'close']);
  });
});
