import process from 'node:process';
import { startGate } from './start-gate.ts';
import type { GateOptions } from './start-gate.ts';

// A process of its own that runs a gate with the options of its argument. Tells its parent the
// port, and its resident memory whenever it is asked. Ends when its parent does.
const [text = ''] = process.argv.slice(2);
// JSON of startGateProcess, which has checked the type.
const options = JSON.parse(text) as GateOptions;
const gate = await startGate(options);
process.send?.(gate.port);
process.on('message', () => process.send?.(process.memoryUsage.rss()));
process.once('disconnect', () => {
  void gate.stop();
});
