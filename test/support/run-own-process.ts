import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { OwnProcessQuestion, OwnProcessTask } from './own-process.ts';

// A process of its own that runs what its argument says. Tells its parent the port, and its
// resident memory or how late its event loop was whenever it is asked. Ends when its parent does.
const [text = ''] = process.argv.slice(2);
// JSON of startOwnProcess, which has checked the type.
const running = await start(JSON.parse(text) as OwnProcessTask);
process.send?.(running.port);
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on('message', (question: OwnProcessQuestion) => {
  process.send?.(question === 'resident memory' ? process.memoryUsage.rss() : delay.max / 1e6);
  delay.reset();
});
process.once('disconnect', () => {
  void running.stop();
});

/** Loads nothing but what it starts: the memory of the rest is not what a test measures. */
async function start(task: OwnProcessTask): Promise<Running> {
  switch (task.kind) {
    case 'api':
      return await startApi(task);
    case 'gate':
      return await startGate(task);
    case 'mongodb-gate':
      return await (await import('./start-mongodb-gate.ts')).startMongodbGate(task.options);
  }
}

async function startApi({
  options,
  cache: place,
}: Extract<OwnProcessTask, { kind: 'api' }>): Promise<Running> {
  const { startApi: run } = await import('./api-stage.ts');
  if (place === undefined) {
    return await run(options);
  }
  const { ResponseCache } = await import('../../src/store/response-cache.ts');
  const { StoreClient } = await import('../../src/store/store-client.ts');
  const store = new StoreClient(() => place.mongodbUri, { database: place.database });
  const api = await run(options, new ResponseCache({ store, observer: { observe: () => 0 } }));
  return {
    port: api.port,
    stop: async () => {
      await api.stop();
      await store.close();
    },
  };
}

async function startGate({
  options,
  accounts,
}: Extract<OwnProcessTask, { kind: 'gate' }>): Promise<Running> {
  const { startGate: run } = await import('./start-gate.ts');
  if (accounts === undefined) {
    return await run(options);
  }
  const { createMemoryAccounts } = await import('./memory-accounts.ts');
  return await run({ ...options, accounts: await createMemoryAccounts(accounts) });
}

interface Running {
  readonly port: number;
  stop(): Promise<void>;
}
