import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Account } from '../../../src/account.ts';
import { Presences } from '../../../src/accounts/presences.ts';
import type { ServiceError } from '../../../src/errors.ts';
import { ServiceError as ThrownServiceError } from '../../../src/errors.ts';
import { createRecorder } from '../../support/observations.ts';

/** An account; what matters to a test is given. */
function createAccount(changes: Partial<Account> & { connectionsMax?: number } = {}): Account {
  const { connectionsMax, ...rest } = changes;
  return {
    ...{ id: 'alice', name: 'Alice', scope: 'write', isDisabled: false },
    limits: {
      ...{ rowsMax: undefined, bytesMax: undefined, queryTimeoutMs: undefined },
      connectionsMax,
    },
    ...{ backends: undefined, databases: undefined, revision: 1, secretRevision: 1 },
    ...rest,
  };
}

let now: Map<string, Account | undefined>;
let asked: (readonly string[])[];
let failure: Error | undefined;
let beforeAnswer: () => void;
let recorder: ReturnType<typeof createRecorder>;
let presences: Presences;

beforeEach(() => {
  jest.useFakeTimers();
  now = new Map([['alice', createAccount()]]);
  asked = [];
  failure = undefined;
  beforeAnswer = () => undefined;
  recorder = createRecorder();
  presences = new Presences({
    observer: recorder,
    directory: {
      readAccounts: (ids) => {
        asked.push(ids);
        const answer = new Map(now);
        beforeAnswer();
        return failure === undefined ? Promise.resolve(answer) : Promise.reject(failure);
      },
    },
  });
});

afterEach(() => {
  presences.close();
  jest.useRealTimers();
});

function enter(account = createAccount()): { reasons: ServiceError[]; leave: () => void } {
  const reasons: ServiceError[] = [];
  const presence = presences.enter(account, (reason) => reasons.push(reason));
  return {
    reasons,
    leave: () => {
      presence.leave();
    },
  };
}

async function second(): Promise<void> {
  await jest.advanceTimersByTimeAsync(1000);
}

describe('An account that is present', () => {
  test('is looked at each second, with all others in one question', async () => {
    enter();
    enter();
    enter(createAccount({ id: 'bob' }));
    await second();
    await second();
    expect(asked).toEqual([
      ['alice', 'bob'],
      ['alice', 'bob'],
    ]);
  });

  test('is not looked at once it has left', async () => {
    const { leave } = enter();
    leave();
    leave();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
    enter();
    await second();
    expect(asked).toEqual([['alice']]);
  });

  test('is told that it was changed where it cannot be read', async () => {
    const { reasons } = enter();
    const bob = enter(createAccount({ id: 'bob' }));
    now = new Map([
      ['alice', undefined],
      ['bob', createAccount({ id: 'bob' })],
    ]);
    await second();
    await second();
    expect(reasons.map(({ sqlState, message }) => `${sqlState} ${message}`)).toEqual([
      '57P01 terminating connection: the account was changed',
    ]);
    expect(bob.reasons).toEqual([]);
  });

  test.each<readonly [string, Partial<Account> | undefined]>([
    ['deleted', undefined],
    ['disabled', { isDisabled: true, revision: 2 }],
    ['changed', { revision: 2 }],
    ['changed', { revision: 0 }],
  ])('is told once that it was %s', async (word, change) => {
    const { reasons } = enter();
    now = new Map(change === undefined ? [] : [['alice', createAccount(change)]]);
    await second();
    await second();
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatchObject({
      sqlState: '57P01',
      severity: 'FATAL',
      message: `terminating connection: the account was ${word}`,
    });
  });

  test('is told nothing where nothing has changed', async () => {
    const { reasons } = enter();
    await second();
    expect(reasons).toEqual([]);
  });

  test('is not judged by an answer from before it came', async () => {
    enter();
    const changed = createAccount({ revision: 2 });
    let late: ServiceError[] = [];
    beforeAnswer = () => {
      beforeAnswer = () => undefined;
      ({ reasons: late } = enter(changed));
    };
    await second();
    expect(late).toEqual([]);
    now = new Map([['alice', changed]]);
    await second();
    expect(late).toEqual([]);
  });

  test('is told nothing once it has left, even while it is being asked for', async () => {
    const { reasons, leave } = enter();
    now = new Map();
    beforeAnswer = leave;
    await second();
    expect(reasons).toEqual([]);
  });

  test('stays while nobody can be asked, and is asked for again', async () => {
    const { reasons } = enter();
    failure = new ThrownServiceError('08006', 'away');
    now = new Map();
    await second();
    await second();
    expect(reasons).toEqual([]);
    expect(recorder.observations).toEqual([]);
    failure = undefined;
    await second();
    expect(reasons).toHaveLength(1);
  });

  test('is told of even when another one makes a mistake', async () => {
    presences.enter(createAccount(), () => {
      throw new Error('a bug');
    });
    const { reasons } = enter();
    now = new Map();
    await second();
    expect(reasons).toHaveLength(1);
    expect(recorder.observations).toEqual([
      { kind: 'fault', component: 'accounts', error: new Error('a bug') },
    ]);
  });

  test('leaves the look alone after the end', async () => {
    enter();
    presences.close();
    enter();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
  });

  test('is a fault to be read where it cannot be read', async () => {
    enter();
    failure = new TypeError('a row that is none');
    await second();
    expect(recorder.observations).toMatchObject([{ kind: 'fault', component: 'accounts' }]);
    failure = undefined;
    await second();
    expect(asked).toHaveLength(2);
  });
});

describe("An account's own limit of connections", () => {
  test('counts those that are here, and no others', () => {
    const account = createAccount({ connectionsMax: 2 });
    const first = enter(account);
    enter(account);
    enter(createAccount({ id: 'bob', connectionsMax: 2 }));
    expect(() => enter(account)).toThrow(
      expect.objectContaining({
        sqlState: '53300',
        severity: 'FATAL',
        message: 'too many connections for account "Alice"',
      }),
    );
    first.leave();
    enter(account);
    expect(() => enter(account)).toThrow(/too many/);
  });

  test('is none unless it is set', () => {
    for (let count = 0; count < 1000; count += 1) {
      enter();
    }
  });
});
