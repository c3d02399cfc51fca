// What listening beyond loopback gives away, and whether somebody has said that it may.

import { isLoopback } from './config-listeners.ts';
import type { ListenerConfig } from './config-listeners.ts';
import { echo } from './config-problems.ts';

const TLS_SETTINGS = 'WIRE_TLS_CERT and WIRE_TLS_KEY';

function isOpen({ host, auth, tls }: ListenerConfig): boolean {
  return !isLoopback(host) && auth === 'none' && tls === undefined;
}

/** Adds a problem for each listener that is open to the network, unless that is allowed. */
export function refuseExposure(
  listeners: readonly ListenerConfig[],
  isAllowed: boolean,
  problems: string[],
): void {
  if (isAllowed) {
    return;
  }
  for (const listener of listeners.filter(isOpen)) {
    const { name, host } = listener;
    problems.push(
      `listener "${name}" listens on ${echo(host)} without TLS and without accounts: whoever ` +
        `reaches the port acts as ${describeActor(listener)}; set WIRE_AUTH=accounts, or ` +
        `${TLS_SETTINGS}, or HOST=127.0.0.1, or WIRE_ALLOW_INSECURE=true where something else ` +
        'keeps others out',
    );
  }
}

/** What listening beyond loopback gives away, for each listener that gives something. */
export function describeExposure(listeners: readonly ListenerConfig[]): string[] {
  return listeners
    .filter(({ host }) => !isLoopback(host))
    .map(describeOne)
    .filter((warning) => warning !== undefined);
}

function describeOne(listener: ListenerConfig): string | undefined {
  const { name, host, tls, auth } = listener;
  const place = `Listener ${name} listens on ${host}`;
  if (auth === 'none') {
    const lacks = tls === undefined ? 'TLS or authentication' : 'authentication';
    return (
      `${place} without ${lacks}: whoever reaches the port acts as ${describeActor(listener)}; ` +
      'set WIRE_AUTH=accounts, keep it behind a firewall, or set HOST to 127.0.0.1'
    );
  }
  return tls === undefined
    ? `${place} without TLS: statements and rows cross the network in plain text, though ` +
        `passwords do not; set ${TLS_SETTINGS}`
    : undefined;
}

/** As whom the clients of a listener act. */
function describeActor(listener: ListenerConfig): string {
  if (listener.backend === 'postgres') {
    return 'the user of the upstream';
  }
  return listener.mongodbUri === undefined
    ? 'the administrator of the embedded MongoDB'
    : 'the user of the MongoDB connection string';
}
