// The client's half of SCRAM-SHA-256 (RFC 5802), written apart from the server's.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** What a client has sent and heard before its proof. */
export interface ScramConversation {
  /** The client-first-message without its header. */
  readonly bare: string;
  readonly serverFirst: string;
  /** What is proved, up to the proof; `c=biws` and the server's nonce unless said. */
  readonly withoutProof?: string;
}

/** The attributes of a message by their letters. */
export function scramAttributes(message: string): ReadonlyMap<string, string> {
  return new Map(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)] as const));
}

/** The client-final-message, with what the server has to answer it with. */
export function proveScram(
  password: string,
  conversation: ScramConversation,
): { readonly clientFinal: string; readonly serverFinal: string } {
  const { bare, serverFirst } = conversation;
  const server = scramAttributes(serverFirst);
  const withoutProof = conversation.withoutProof ?? `c=biws,r=${server.get('r') ?? ''}`;
  const salted = saltPassword(password, server.get('s') ?? '', Number(server.get('i')));
  const signed = `${bare},${serverFirst},${withoutProof}`;
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const signature = createHmac('sha256', storedKey).update(signed).digest();
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  const serverKey = createHmac('sha256', salted).update('Server Key').digest();
  return {
    clientFinal: `${withoutProof},p=${proof.toString('base64')}`,
    serverFinal: `v=${createHmac('sha256', serverKey).update(signed).digest('base64')}`,
  };
}

const saltedPasswords = new Map<string, Buffer>();

/** Computed once, so that hundreds of clients of one test cost no more than one. */
function saltPassword(password: string, salt: string, iterations: number): Buffer {
  const key = `${iterations}:${salt}:${password}`;
  const found =
    saltedPasswords.get(key) ??
    pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  saltedPasswords.set(key, found);
  return found;
}
