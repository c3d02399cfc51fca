import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { EmbeddedDatabaseError } from './embedded-database-error.ts';

/** Where embedded servers listen: nobody else's machine reaches them. */
export const LOOPBACK = '127.0.0.1';

/** A port that is free now; another process may take it before the server does. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, LOOPBACK);
  await once(probe, 'listening');
  const address: AddressInfo | string | null = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') {
    throw new EmbeddedDatabaseError(`Cannot find a free port on ${LOOPBACK}: check the network`);
  }
  return address.port;
}
