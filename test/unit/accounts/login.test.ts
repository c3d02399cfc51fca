import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/account.ts';
import type { AccountWithVerifier } from '../../../src/accounts/account-rows.ts';
import { ComputationGate } from '../../../src/accounts/computation-gate.ts';
import { LoginBudget } from '../../../src/accounts/login-budget.ts';
import { LoginDesk } from '../../../src/accounts/login.ts';
import { ServiceError } from '../../../src/errors.ts';
import { createScramVerifier, parseScramVerifier } from '../../../src/scram-verifier.ts';
import { createRecorder } from '../../support/observations.ts';

const PASSWORD = 'correct horse';
const ATTACKER = { door: 'main', address: '203.0.113.9' };
const HOME = { door: 'main', address: '192.0.2.1' };

const ALICE: Account = {
  ...{ id: 'id of alice', name: 'alice', scope: 'write', isDisabled: false },
  limits: {
    rowsMax: undefined,
    bytesMax: undefined,
    queryTimeoutMs: undefined,
    connectionsMax: undefined,
  },
  ...{ backends: undefined, databases: undefined, revision: 1, secretRevision: 1 },
};

let nowMs: number;
let account: Account;
let seen: string[];
let gate: ComputationGate;
let recorder: ReturnType<typeof createRecorder>;
let desk: LoginDesk;

beforeEach(async () => {
  nowMs = 0;
  account = ALICE;
  seen = [];
  gate = new ComputationGate();
  recorder = createRecorder();
  const verifier = parseScramVerifier(await createScramVerifier(PASSWORD, { iterations: 4096 }));
  const found = (name: string): AccountWithVerifier | undefined =>
    name === 'alice' && verifier !== undefined ? { account, verifier } : undefined;
  desk = new LoginDesk({
    directory: { findByName: async (name) => await Promise.resolve(found(name)) },
    budget: new LoginBudget(() => nowMs),
    gate,
    lastSeen: { note: (_kind, id) => seen.push(id) },
    observations: recorder,
    mockKey: () => 'key',
    iterations: 4096,
  });
});

function outcomes(): readonly string[] {
  return recorder.observations.flatMap((one) =>
    one.kind === 'login-finished' ? [one.outcome] : [],
  );
}

/** SQLSTATE of what it throws or rejects with; undefined where it does not. */
async function stateOf(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof ServiceError ? error.sqlState : String(error);
  }
}

describe('Tries side by side', () => {
  test('are ten guesses, however many have begun, and a right one tells nothing', async () => {
    const tries = await Promise.all(
      Array.from({ length: 250 }, async () => await desk.beginLogin('alice', ATTACKER)),
    );
    const states: (string | undefined)[] = [];
    for (const [index, one] of tries.entries()) {
      states.push(await stateOf(() => one.finish(index === 100)));
    }
    expect(states.filter((state) => state === '28P01')).toHaveLength(10);
    expect(states.filter((state) => state === '53300')).toHaveLength(240);
    expect(outcomes().filter((outcome) => outcome === 'throttled')).toHaveLength(240);
    expect(seen).toEqual([]);
  });

  test('of an address that has logged in before are not kept out by those of others', async () => {
    (await desk.beginLogin('alice', HOME)).finish(true);
    const atHome = await desk.beginLogin('alice', HOME);
    const elsewhere = await desk.beginLogin('alice', { door: 'main', address: '192.0.2.2' });
    for (let time = 0; time < 10; time += 1) {
      const one = await desk.beginLogin('alice', ATTACKER);
      expect(await stateOf(() => one.finish(false))).toBe('28P01');
    }
    expect(atHome.finish(true)).toBe(account);
    expect(await stateOf(() => elsewhere.finish(true))).toBe('53300');
  });

  test('that say nothing keep nobody else out, however often they are renewed', async () => {
    for (let round = 0; round < 20; round += 1) {
      const silent = await Promise.all(
        Array.from({ length: 256 }, async () => await desk.beginLogin('alice', ATTACKER)),
      );
      expect((await desk.beginLogin('alice', HOME)).finish(true)).toBe(account);
      const other = { door: 'main', address: `198.51.100.${round}` };
      expect((await desk.beginLogin('alice', other)).finish(true)).toBe(account);
      silent.forEach((one) => {
        one.abandon();
      });
      nowMs += 10_000;
    }
    expect(new Set(outcomes())).toEqual(new Set(['ok']));
  });
});

describe('One try is one observation', () => {
  const refusal = new ServiceError('28000', 'not here', { severity: 'FATAL' });

  test.each([
    ['ok', true, undefined, false, undefined],
    ['not-allowed', true, refusal, false, '28000'],
    ['refused', false, refusal, false, '28P01'],
    ['disabled', true, refusal, true, '28000'],
  ] as const)('%s', async (...row) => {
    const [outcome, isProven, refused, isDisabled, state] = row;
    account = { ...ALICE, isDisabled };
    const attempt = await desk.beginLogin('alice', HOME);
    const asked: Account[] = [];
    const refuse = (one: Account): ServiceError | undefined => {
      asked.push(one);
      return refused;
    };
    expect(await stateOf(() => attempt.finish(isProven, refuse))).toBe(state);
    expect(outcomes()).toEqual([outcome]);
    // Only for who has proved it, and could come in.
    expect(asked).toEqual(isProven && !isDisabled ? [account] : []);
    expect(seen).toEqual(outcome === 'ok' ? [ALICE.id] : []);
  });

  test('throttled, where too many wait to be computed', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const fill = Array.from({ length: 258 }, async () => {
      await gate.run(async () => {
        await held;
      });
    });
    expect(await stateOf(async () => await desk.logIn('alice', PASSWORD, HOME))).toBe('53300');
    expect(outcomes()).toEqual(['throttled']);
    release();
    await Promise.all(fill);
    expect(await desk.logIn('alice', PASSWORD, HOME)).toBe(account);
    expect(outcomes()).toEqual(['throttled', 'ok']);
  });

  test('throttled, where too many of its address wait, and nobody else', async () => {
    const name = (index: number): string => `nobody ${index}`;
    const storm = Promise.all(
      Array.from(
        { length: 300 },
        async (_, index) =>
          await stateOf(async () => await desk.logIn(name(index), 'wrong', ATTACKER)),
      ),
    );
    expect(await desk.logIn('alice', PASSWORD, HOME)).toBe(account);
    const states = await storm;
    expect(states.filter((state) => state === '28P01')).toHaveLength(30);
    expect(states.filter((state) => state === '53300')).toHaveLength(270);
    expect(outcomes()).toHaveLength(301);
  });

  test('throttled, where enough has failed while it waited to be computed', async () => {
    const states = await Promise.all(
      Array.from(
        { length: 100 },
        async (_, index) =>
          await stateOf(async () => await desk.logIn('alice', `wrong ${index}`, ATTACKER)),
      ),
    );
    expect(states.filter((state) => state === '28P01')).toHaveLength(10);
    expect(outcomes()).toHaveLength(100);
    expect(outcomes().filter((outcome) => outcome === 'throttled')).toHaveLength(90);
  });
});
