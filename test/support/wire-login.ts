// A login by SCRAM over the raw client, step by step, so that each step can be wrong.
import { proveScram } from './scram-client.ts';
import { frontendFrame, int32, startupPacket, WireClient } from './wire-client.ts';
import type { ReceivedFrame } from './wire-client.ts';

/** Codes of Authentication messages (PostgreSQL manual, "Message Formats"). */
export const AUTHENTICATION = { ok: 0, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;

/** Client-first-message without its header; the nonce is of no interest here. */
export const BARE = 'n=,r=fyko+d2lbbFgONRv9qkxdawL';

/** SASLInitialResponse. */
export function initialResponse(message: string, mechanism = 'SCRAM-SHA-256'): Buffer {
  const response = Buffer.from(message);
  const parts = [Buffer.from(`${mechanism}\0`), int32(response.length), response];
  return frontendFrame('p', Buffer.concat(parts));
}

/** The code of an Authentication message; -1 for any other frame. */
export function authenticationCode({ type, bytes }: ReceivedFrame): number {
  return type === 'R' ? bytes.readInt32BE(5) : -1;
}

/** The mechanism's message in an Authentication message. */
export function saslMessage({ bytes }: ReceivedFrame): string {
  return bytes.toString('utf8', 9);
}

/** Connects as this user, from this address; resolves when it is asked for its proof. */
export async function beginLogin(
  port: number,
  user: string,
  parameters: Readonly<Record<string, string>> = {},
  from?: string,
): Promise<WireClient> {
  const client = await WireClient.open(port, '127.0.0.1', from);
  client.send(startupPacket({ user, ...parameters }));
  const asked = await client.frame();
  if (authenticationCode(asked) !== AUTHENTICATION.sasl) {
    throw new Error(`Not asked to log in: ${asked.bytes.toString('utf8')}`);
  }
  return client;
}

/** Goes on up to the proof, which is given and not sent yet. */
export async function prepareProof(
  client: WireClient,
  password: string,
): Promise<{ readonly frame: Buffer; readonly serverFirst: string; readonly serverFinal: string }> {
  client.send(initialResponse(`n,,${BARE}`));
  const serverFirst = saslMessage(await client.frame());
  const { clientFinal, serverFinal } = proveScram(password, { bare: BARE, serverFirst });
  return { frame: frontendFrame('p', clientFinal), serverFirst, serverFinal };
}

/** Logs in; resolves with all that came behind the proof, up to ReadyForQuery or an error. */
export async function logIn(
  port: number,
  who: { readonly user: string; readonly password: string; readonly from?: string },
  parameters: Readonly<Record<string, string>> = {},
): Promise<{ readonly client: WireClient; readonly frames: readonly ReceivedFrame[] }> {
  const { user, password, from } = who;
  const client = await beginLogin(port, user, parameters, from);
  const { frame } = await prepareProof(client, password);
  client.send(frame);
  const frames: ReceivedFrame[] = [];
  for (;;) {
    const received = await client.frame();
    frames.push(received);
    if (received.type === 'Z' || received.type === 'E') {
      return { client, frames };
    }
  }
}
