// CancelRequests as clients send them: on a connection of their own, until the server closes it.
import { cancelRequest, keyOf, SSL_REQUEST, startupPacket, WireClient } from './wire-client.ts';

/** What BackendKeyData said. */
export type ReceivedKey = ReturnType<typeof keyOf>;

/** A session and the key that cancels its statements. */
export interface Cancellable {
  readonly client: WireClient;
  readonly key: ReceivedKey;
}

/** Logs in as WireClient.login does, and keeps the key. */
export async function loginWithKey(port: number): Promise<Cancellable> {
  const client = await WireClient.open(port);
  client.send(startupPacket({ user: 'tester' }));
  return { client, key: keyOf(await client.untilReady()) };
}

/** Sends a CancelRequest and gives what came back before the server closed: nothing. */
export async function cancel(port: number, { processId, secretKey }: ReceivedKey): Promise<Buffer> {
  const client = await WireClient.open(port);
  client.send(cancelRequest(processId, secretKey));
  return await client.closed();
}

/** The same, encrypted. */
export async function cancelOverTls(
  port: number,
  { processId, secretKey }: ReceivedKey,
): Promise<Buffer> {
  const client = await WireClient.open(port);
  client.send(SSL_REQUEST);
  await client.bytes(1);
  await client.startTls();
  client.send(cancelRequest(processId, secretKey));
  return await client.closed();
}
