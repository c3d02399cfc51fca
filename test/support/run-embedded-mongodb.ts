import process from 'node:process';
import { createEmbeddedMongodb } from '../../src/embedded/mongodb.ts';

// A process of its own that runs the embedded MongoDB in the directory it is given, with programs
// kept in the other, and prints the connection string when it takes writes, or in one line why it
// does not. Ends when its input does.
const [directory = '', programsDirectory] = process.argv.slice(2);
const mongodb = createEmbeddedMongodb({
  directory,
  programsDirectory,
  binary: process.env['MONGOD_BINARY'],
  observer: { observe: () => undefined },
});
await mongodb.start(new AbortController().signal);
process.stdin.resume();
process.stdin.once('end', () => {
  void mongodb.stop(AbortSignal.timeout(5_000));
});
const outcome = await mongodb.untilRunning(new AbortController().signal).catch(String);
process.stdout.write(`${outcome.replaceAll('\n', ' | ')}\n`);
