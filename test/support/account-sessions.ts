// Sessions of accounts that may use some databases only.
import { afterEach, expect } from '@jest/globals';
import type { MemoryAccount } from './memory-accounts.ts';
import type { Gate } from './start-gate.ts';
import { firstReport } from './wire-client.ts';
import type { ReceivedFrame, WireClient } from './wire-client.ts';
import { logIn } from './wire-login.ts';

/** The password of every account here. */
export const PASSWORD = 'correct horse';

type Parameters = Readonly<Record<string, string>>;

export interface AccountSessions {
  /** A session that has to be let in. */
  readonly clientOf: (gate: Gate, user: string, parameters?: Parameters) => Promise<WireClient>;
  /** What a session is told that is not. */
  readonly refusalOf: (gate: Gate, user: string, parameters?: Parameters) => Promise<Parameters>;
}

/** Opens sessions that end with the test. */
export function useAccountSessions(): AccountSessions {
  const clients: WireClient[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) {
      client.destroy();
    }
  });
  const reportOf = async (
    gate: Gate,
    user: string,
    parameters: Parameters = {},
  ): Promise<Parameters> => {
    const { client, frames } = await logIn(gate.port, { user, password: PASSWORD }, parameters);
    clients.push(client);
    return firstReport([...frames]);
  };
  return {
    clientOf: async (gate, user, parameters) => {
      expect(await reportOf(gate, user, parameters)).toEqual({});
      const client = clients.at(-1);
      if (client === undefined) {
        throw new Error('Who has logged in has a client');
      }
      return client;
    },
    refusalOf: reportOf,
  };
}

/** One that may use everything, and others that may use these or none of these. */
export function accountsFor(databases: readonly string[]): MemoryAccount[] {
  const [first = ''] = databases;
  return [
    { name: 'everybody', password: PASSWORD, scope: 'admin' },
    { name: 'clerk', password: PASSWORD, scope: 'write', databases },
    { name: 'reader', password: PASSWORD, scope: 'read', databases },
    { name: 'stranger', password: PASSWORD, scope: 'admin', databases: ['elsewhere'] },
    { name: 'hider', password: PASSWORD, scope: 'admin', databases: ['gatepost', first] },
  ];
}

/** Text values of the first column. */
export function texts(frames: readonly ReceivedFrame[]): string[] {
  return frames
    .filter(({ type }) => type === 'D')
    .map(({ bytes }) => bytes.subarray(11, 11 + bytes.readInt32BE(7)).toString('utf8'));
}
