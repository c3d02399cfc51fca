// The floor of what the runtime allows: bytes from one socket to the other at the slower one's
// pace, and nothing else. No TypeScript, so that nothing of the build is measured.
//
//   node bare-pipe.js <port to listen on> <port of PostgreSQL>
import { connect, createServer } from 'node:net';
import process from 'node:process';

const HOST = '127.0.0.1';

/** One socket read, as in Gatepost: a smaller mark would ask for a drain after every chunk. */
const HIGH_WATER_MARK = 64 * 1024;

const OPTIONS = { noDelay: true, allowHalfOpen: true, highWaterMark: HIGH_WATER_MARK };

const [listenPort, upstreamPort] = process.argv.slice(2).map(Number);

createServer(OPTIONS, (client) => {
  const upstream = connect({ ...OPTIONS, host: HOST, port: upstreamPort });
  pour(client, upstream);
  pour(upstream, client);
}).listen(listenPort, HOST);

function pour(from, to) {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) {
      from.pause();
    }
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}
