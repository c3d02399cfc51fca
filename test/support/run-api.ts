import process from 'node:process';
import { startApi } from './api-stage.ts';
import type { ApiStageOptions } from './api-stage.ts';

// A process of its own that serves the API with the options of its argument. Tells its parent the
// port, and its resident memory whenever it is asked. Ends when its parent does.
const [text = ''] = process.argv.slice(2);
// JSON of startApiProcess, which has checked the type.
const options = JSON.parse(text) as ApiStageOptions;
const stage = await startApi(options);
process.send?.(stage.port);
process.on('message', () => process.send?.(process.memoryUsage.rss()));
process.once('disconnect', () => {
  void stage.stop();
});
