// Logs one client in over SASL, before anything else of its session is begun.
import type { Account } from '../src/account.ts';
import type { Accounts, LoginAttempt, LoginOrigin } from '../src/accounts.ts';
import type { ServiceError } from '../src/errors.ts';
import { challengeClient, judgeProof, SCRAM_MECHANISM } from '../src/scram-exchange.ts';
import type { ScramVerdict } from '../src/scram-exchange.ts';
import type { ScramVerifier } from '../src/scram-verifier.ts';
import { untilAborted } from '../src/until-aborted.ts';
import type { FrontendConnection } from './frontend-connection.ts';
import {
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
  encodeAuthenticationSaslFinal,
  readSaslInitialResponse,
  readSaslResponse,
} from './protocol/authentication-messages.ts';
import { FRONTEND, ProtocolError } from './protocol/frame.ts';

export interface LoginOptions {
  readonly accounts: Accounts;
  readonly connection: FrontendConnection;
  /** The user of the startup packet. */
  readonly name: string;
  readonly origin: LoginOrigin;
  /** Why an account that has proved who it is may not come in here; undefined where it may. */
  readonly refuse: (account: Account) => ServiceError | undefined;
  /** Ends the waiting for the accounts; what waits for the client ends with the connection. */
  readonly signal: AbortSignal;
}

/**
 * Asks the client to prove that it knows the account's password.
 *
 * @returns undefined when it left before it had proved anything
 * @throws ServiceError FATAL of the accounts, or for a message that is malformed; ProtocolError
 *   for a frame that has no place in a login
 */
export async function authenticate(options: LoginOptions): Promise<Account | undefined> {
  const { connection } = options;
  const attempt = await beginAttempt(options);
  let isSettled = false;
  try {
    const verdict = await exchange(connection, attempt.verifier);
    if (verdict === undefined) {
      return undefined;
    }
    isSettled = true;
    const account = attempt.finish(verdict.isProven, options.refuse);
    connection.write(encodeAuthenticationSaslFinal(verdict.serverFinal));
    return account;
  } finally {
    if (!isSettled) {
      attempt.abandon();
    }
  }
}

/**
 * A client hears AuthenticationOk before it says what it wants. What came earlier is not run: with
 * it, whoever can write into the client's stream would need no answer of ours.
 *
 * @throws ProtocolError FATAL 08P01 when there is something
 */
export function refuseEarlyFrames(connection: FrontendConnection): void {
  if (connection.bufferedBytes > 0) {
    throw new ProtocolError('received a message before authentication was complete');
  }
}

/** An attempt that comes too late is settled all the same. */
async function beginAttempt({
  accounts,
  name,
  origin,
  signal,
}: LoginOptions): Promise<LoginAttempt> {
  const begun = accounts.beginLogin(name, origin);
  try {
    return await untilAborted(begun, signal);
  } catch (error) {
    if (signal.aborted) {
      begun.then(
        (attempt) => {
          attempt.abandon();
        },
        () => undefined,
      );
    }
    throw error;
  }
}

async function exchange(
  connection: FrontendConnection,
  verifier: ScramVerifier,
): Promise<ScramVerdict | undefined> {
  connection.write(encodeAuthenticationSasl([SCRAM_MECHANISM]));
  const clientFirst = await readClientFirst(connection);
  if (clientFirst === undefined) {
    return undefined;
  }
  const challenge = challengeClient(clientFirst, verifier);
  connection.write(encodeAuthenticationSaslContinue(challenge.serverFirst));
  const clientFinal = await readResponse(connection);
  if (clientFinal === undefined) {
    return undefined;
  }
  refuseEarlyFrames(connection);
  return judgeProof(challenge, clientFinal);
}

async function readClientFirst(connection: FrontendConnection): Promise<Buffer | undefined> {
  const frame = await readFrame(connection);
  if (frame === undefined) {
    return undefined;
  }
  const { mechanism, response } = readSaslInitialResponse(frame);
  if (mechanism !== SCRAM_MECHANISM) {
    throw new ProtocolError('client selected an invalid SASL authentication mechanism');
  }
  if (response !== undefined) {
    return response;
  }
  // A client may wait to be asked for its first message: an empty challenge asks.
  connection.write(encodeAuthenticationSaslContinue(''));
  return await readResponse(connection);
}

async function readResponse(connection: FrontendConnection): Promise<Buffer | undefined> {
  const frame = await readFrame(connection);
  return frame && readSaslResponse(frame);
}

/** Undefined when the client has left, with a Terminate or without. */
async function readFrame(connection: FrontendConnection): Promise<Buffer | undefined> {
  const frame = await connection.loginFrame();
  return frame === undefined || frame.type === FRONTEND.terminate ? undefined : frame.bytes;
}
