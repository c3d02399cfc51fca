import process from 'node:process';
import type { OwnProcessTask } from './own-process.ts';

// A process of its own that runs what its argument says. Tells its parent the port, and its
// resident memory whenever it is asked. Ends when its parent does.
const [text = ''] = process.argv.slice(2);
// JSON of startOwnProcess, which has checked the type.
const running = await start(JSON.parse(text) as OwnProcessTask);
process.send?.(running.port);
process.on('message', () => process.send?.(process.memoryUsage.rss()));
process.once('disconnect', () => {
  void running.stop();
});

/** Loads nothing but what it starts: the memory of the rest is not what a test measures. */
async function start({ kind, options }: OwnProcessTask): Promise<Running> {
  switch (kind) {
    case 'api':
      return await (await import('./api-stage.ts')).startApi(options);
    case 'gate':
      return await (await import('./start-gate.ts')).startGate(options);
    case 'mongodb-gate':
      return await (await import('./start-mongodb-gate.ts')).startMongodbGate(options);
  }
}

interface Running {
  readonly port: number;
  stop(): Promise<void>;
}
