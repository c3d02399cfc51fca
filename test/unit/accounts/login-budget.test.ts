import { beforeEach, describe, expect, test } from '@jest/globals';
import { LoginBudget } from '../../../src/accounts/login-budget.ts';
import { ServiceError } from '../../../src/errors.ts';

let nowMs: number;
let budget: LoginBudget;

beforeEach(() => {
  nowMs = 5000;
  budget = new LoginBudget(() => nowMs);
});

/** What a try comes to: whether it was let through, and then failed. */
function failsOf(tries: number, name: string, address: string): number {
  let through = 0;
  for (let time = 0; time < tries; time += 1) {
    try {
      budget.begin(name, address).fail();
      through += 1;
    } catch (error) {
      expect(error).toMatchObject({ sqlState: '53300', severity: 'FATAL' });
    }
  }
  return through;
}

function errorOf(name: string, address: string): ServiceError | undefined {
  try {
    budget.begin(name, address).abandon();
    return undefined;
  } catch (error) {
    return error instanceof ServiceError ? error : undefined;
  }
}

describe('Failures', () => {
  test('of one name are ten at once, and one in five seconds from then on', () => {
    expect(failsOf(20, 'alice', '10.0.0.1')).toBe(10);
    expect(errorOf('alice', '10.0.0.2')?.hint).toBe('Try again in 5 s');
    nowMs += 5000;
    expect(failsOf(20, 'alice', '10.0.0.2')).toBe(1);
    nowMs += 3_600_000;
    expect(failsOf(20, 'alice', '10.0.0.2')).toBe(10);
  });

  test('of one address are thirty at once, whatever the names, and one a second then', () => {
    let through = 0;
    for (let index = 0; index < 100; index += 1) {
      through += failsOf(1, `name ${index}`, '10.0.0.1');
    }
    expect(through).toBe(30);
    expect(errorOf('bob', '10.0.0.1')?.hint).toBe('Try again in 1 s');
    expect(errorOf('bob', '10.0.0.2')).toBeUndefined();
  });

  test('of tries side by side are told no oftener than one by one', () => {
    const tries = Array.from({ length: 250 }, () => budget.begin('alice', '10.0.0.1'));
    const judged = tries.filter((one) => {
      const isJudged = one.waitMs === 0;
      if (isJudged) {
        one.fail();
      } else {
        one.abandon();
      }
      return isJudged;
    });
    expect(judged).toHaveLength(10);
    expect(errorOf('alice', '10.0.0.2')?.hint).toBe('Try again in 5 s');
    expect(tries[0]?.waitMs).toBe(5000);
  });
});

describe('What is no failure', () => {
  test('costs nothing, however often', () => {
    for (let time = 0; time < 1000; time += 1) {
      const one = budget.begin('alice', '10.0.0.1');
      if (time % 2 === 0) {
        one.succeed();
      } else {
        one.abandon();
      }
    }
    expect(errorOf('alice', '10.0.0.1')).toBeUndefined();
  });

  test('is under way as often as anybody likes by one name', () => {
    for (let index = 0; index < 5000; index += 1) {
      budget.begin('root', `10.${index >> 8}.${index & 255}.1`);
    }
    expect(errorOf('root', '192.0.2.1')).toBeUndefined();
  });

  test.each([
    ['10.0.0.1', '10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8::ffff:2', '2001:db8:0:1::1'],
  ])('is under way 1024 times at %s at most, and says so', (address, same, other) => {
    const tries = Array.from({ length: 1024 }, (_, index) => budget.begin(`n${index}`, address));
    expect(errorOf('alice', same)).toMatchObject({
      ...{ sqlState: '53300', severity: 'FATAL', hint: 'Try again in 1 s' },
      message: 'too many logins at a time from this address',
    });
    expect(errorOf('alice', other)).toBeUndefined();
    tries[0]?.abandon();
    // A second end of the same try frees nothing.
    tries[0]?.abandon();
    const last = budget.begin('alice', same);
    expect(errorOf('alice', same)).toBeDefined();
    last.succeed();
    // Where she has logged in, the tries by other names are not hers.
    budget.begin('bob', same);
    expect(errorOf('bob', same)).toBeDefined();
    expect(errorOf('alice', same)).toBeUndefined();
  });
});

describe('A name that others fail by', () => {
  test('gets in from where it has logged in before, and only there', () => {
    budget.begin('alice', '10.0.0.1').succeed();
    for (let index = 0; index < 30; index += 1) {
      failsOf(1, 'alice', `10.1.0.${index}`);
    }
    expect(errorOf('alice', '10.0.0.2')).toBeDefined();
    expect(errorOf('alice', '10.0.0.1')).toBeUndefined();
    // There, too, failures are counted.
    expect(failsOf(20, 'alice', '10.0.0.1')).toBe(10);
  });
});
