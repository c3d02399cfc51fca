import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { runDirectly } from '../support/databases.ts';
import type { EmbeddedBench } from '../support/embedded-bench.ts';
import { createEmbeddedBench, stopEmbedded as stop } from '../support/embedded-bench.ts';

let bench: EmbeddedBench;

beforeEach(async () => {
  bench = await createEmbeddedBench();
});

afterEach(async () => {
  await bench.remove();
});

describe('A start of the embedded PostgreSQL that fails', () => {
  test('says what the server said, when its cluster does not open', async () => {
    const first = await bench.start();
    await runDirectly(first.dsn(), `alter system set shared_preload_libraries = 'nowhere'`);
    await stop(first);
    const message = /does not open: .*could not access file "nowhere"/s;
    await expect(bench.start()).rejects.toThrow(message);
    expect(await readdir(bench.directory)).toEqual(['postgres', 'postgres.log']);
  });

  test('says what the server said, when it does not come up', async () => {
    const first = await bench.start();
    await runDirectly(first.dsn(), `alter system set ssl = on`);
    await stop(first);
    const message = /does not start: .*server\.crt.*ended with status 1/s;
    await expect(bench.start()).rejects.toThrow(message);
    expect(await readdir(bench.directory)).toEqual(['postgres', 'postgres.log']);
  });

  test('ends at its deadline and leaves nothing behind', async () => {
    await expect(bench.start({ startTimeoutMs: 1 })).rejects.toThrow('did not start within 1 ms');
    expect(await readdir(bench.directory)).not.toContain('gatepost.pid');
    const postgres = await bench.start();
    expect(await runDirectly(postgres.dsn(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('ends when it is called off, at whatever point it is', async () => {
    const reason = new Error('Called off');
    for (const afterMs of [0, 50, 150, 300, 450, 600]) {
      const controller = new AbortController();
      const postgres = bench.create();
      const outcome = postgres.start(controller.signal).then(
        () => 'started',
        (error: unknown) => error,
      );
      setTimeout(() => {
        controller.abort(reason);
      }, afterMs);
      expect(['started', reason]).toContain(await outcome);
      await stop(postgres);
      expect(await readdir(bench.directory)).not.toContain('gatepost.pid');
      expect(await readdir(path.join(bench.directory, 'postgres')).catch(() => [])).not.toContain(
        'postmaster.pid',
      );
    }
  });
});
