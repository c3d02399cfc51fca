import process from 'node:process';
import { createEmbeddedPostgres } from '../../src/embedded/postgres.ts';

// A process of its own that runs the embedded PostgreSQL in the directory it is given, and prints
// the connection string when it takes connections. Ends when its input does.
const [directory = ''] = process.argv.slice(2);
const postgres = createEmbeddedPostgres({ directory, observer: { observe: () => undefined } });
await postgres.start(new AbortController().signal);
process.stdout.write(`${postgres.dsn()}\n`);
process.stdin.resume();
process.stdin.once('end', () => {
  void postgres.stop(AbortSignal.timeout(5_000));
});
