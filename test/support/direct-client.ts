// The raw client on a direct connection, past Gatepost: what PostgreSQL itself answers.
import { randomBytes } from 'node:crypto';
import { proveScram } from './scram-client.ts';
import { frontendFrame, int32, startupPacket, WireClient } from './wire-client.ts';
import type { ReceivedFrame } from './wire-client.ts';

/** Codes of Authentication requests (PostgreSQL manual, "Message Formats"). */
const AUTHENTICATION_OK = 0;
const AUTHENTICATION_SASL = 10;
const AUTHENTICATION_SASL_CONTINUE = 11;

export interface DirectLogin {
  readonly client: WireClient;
  /** What came after AuthenticationOk, up to ReadyForQuery or the error that refused the login. */
  readonly frames: readonly ReceivedFrame[];
}

/** Those of this test file, also of tests that failed before they left. */
const opened = new Set<WireClient>();

/** Connects to the server of this connection string, and sends nothing. */
export async function openDirectly(url: string): Promise<WireClient> {
  const { hostname, port } = new URL(url);
  const client = await WireClient.open(Number(port), hostname);
  opened.add(client);
  return client;
}

/** Ends all direct connections, so that none keeps the test run from ending. */
export function destroyDirectClients(): void {
  for (const client of opened) {
    client.destroy();
  }
  opened.clear();
}

/** Logs in as the connection string says, with further startup parameters. */
export async function loginDirectly(
  url: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<DirectLogin> {
  const { username, pathname } = new URL(url);
  const client = await openDirectly(url);
  client.send(startupPacket({ user: username, database: pathname.slice(1), ...parameters }));
  return { client, frames: await authenticate(client, url) };
}

/** Answers the server's authentication requests after a startup packet. */
async function authenticate(client: WireClient, url: string): Promise<ReceivedFrame[]> {
  const password = decodeURIComponent(new URL(url).password);
  const clientNonce = randomBytes(18).toString('base64');
  for (;;) {
    const frame = await client.frame();
    if (frame.type !== 'R') {
      return [frame];
    }
    const code = frame.bytes.readInt32BE(5);
    if (code === AUTHENTICATION_SASL) {
      const first = Buffer.from(`n,,n=,r=${clientNonce}`);
      client.send(frontendFrame('p', Buffer.concat([MECHANISM, int32(first.length), first])));
    } else if (code === AUTHENTICATION_SASL_CONTINUE) {
      const serverFirst = frame.bytes.toString('utf8', 9);
      const bare = `n=,r=${clientNonce}`;
      client.send(frontendFrame('p', proveScram(password, { bare, serverFirst }).clientFinal));
    } else if (code === AUTHENTICATION_OK) {
      return await untilAnswered(client);
    }
  }
}

const MECHANISM = Buffer.from('SCRAM-SHA-256\0');

async function untilAnswered(client: WireClient): Promise<ReceivedFrame[]> {
  const frames: ReceivedFrame[] = [];
  for (;;) {
    const frame = await client.frame();
    frames.push(frame);
    if (frame.type === 'Z' || frame.type === 'E') {
      return frames;
    }
  }
}

/** What a connection gives after these bytes until it is closed. */
export async function lastWords(client: WireClient, packet: Buffer): Promise<Buffer> {
  client.send(packet);
  return await client.closed();
}

/** The fields of an ErrorResponse that users and programs look at; not where it was raised. */
export function essentialFields(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  const { S, V, C, M } = fields;
  return { S, V, C, M };
}
