import process from 'node:process';
import { startMongodbGate } from './start-mongodb-gate.ts';
import type { MongodbGateOptions } from './start-mongodb-gate.ts';

// What run-gate.ts is for PostgreSQL: a process of its own that runs a gate in front of MongoDB.
const [text = ''] = process.argv.slice(2);
// JSON of startMongodbGateProcess, which has checked the type.
const options = JSON.parse(text) as MongodbGateOptions;
const gate = await startMongodbGate(options);
process.send?.(gate.port);
process.on('message', () => process.send?.(process.memoryUsage.rss()));
process.once('disconnect', () => {
  void gate.stop();
});
