// How often a login may fail, by name and by address, over all doors of the process.
import { toAddressKey } from '../address-key.ts';
import { putLast } from '../bounded-map.ts';
import { ServiceError, SQLSTATE } from '../errors.ts';
import { TokenBuckets } from '../token-buckets.ts';

/** Names and addresses remembered, each. */
const KEYS_MAX = 10_000;

/** Failures of one name: ten at once, then 720 an hour, which finds no decent password. */
const OF_NAME = { burst: 10, perSecond: 0.2, keysMax: KEYS_MAX };

/** Failures of one address, behind which there may be a whole office. */
const OF_ADDRESS = { burst: 30, perSecond: 1, keysMax: KEYS_MAX };

/**
 * Tries of one address that are under way. Never of one name: a try that nobody finishes costs
 * nothing, and would keep everybody out who is called so. More than the sockets that listeners let
 * wait, behind which there may be a whole office; it bounds memory, not guesses.
 */
const PENDING_MAX = 1024;

/** Those that are under way mostly end within seconds. */
const PENDING_WAIT_S = 1;

/** Pairs of name and address that have logged in, remembered. */
const TRUSTED_MAX = 10_000;

/** One try, begun. */
export interface PendingTry {
  /**
   * How long until a failure may be told again; 0 where it may be now. Asked before the secret is
   * looked at: of tries that ran side by side, no more are judged than might fail one by one.
   */
  readonly waitMs: number;
  succeed(): void;
  fail(): void;
  abandon(): void;
}

/** Only failures cost. */
export class LoginBudget {
  readonly #names: TokenBuckets;
  readonly #addresses: TokenBuckets;
  readonly #pending = new Map<string, number>();
  readonly #trusted = new Map<string, true>();

  /** @param now a monotonic clock in milliseconds */
  constructor(now?: () => number) {
    this.#names = new TokenBuckets(OF_NAME, now);
    this.#addresses = new TokenBuckets(OF_ADDRESS, now);
  }

  /**
   * @param foldedName in lower case
   * @throws ServiceError FATAL 53300 where this name or address has failed too often, or the
   *   address has too many tries under way
   */
  begin(foldedName: string, address: string): PendingTry {
    const addressKey = toAddressKey(address);
    const pair = `${foldedName} ${addressKey}`;
    // Whoever keeps failing by somebody's name does not lock him out where he has logged in.
    const isTrusted = this.#trusted.has(pair);
    const nameKey = isTrusted ? pair : foldedName;
    const waitMs = (): number =>
      Math.max(this.#names.waitMsOf(nameKey), this.#addresses.waitMsOf(addressKey));
    if (waitMs() > 0) {
      throw throttledError(waitMs());
    }
    const settle = this.#note(isTrusted ? `pair ${pair}` : `address ${addressKey}`);
    return {
      get waitMs() {
        return waitMs();
      },
      succeed: () => {
        settle();
        putLast(this.#trusted, pair, true, TRUSTED_MAX);
      },
      fail: () => {
        settle();
        this.#names.take(nameKey);
        this.#addresses.take(addressKey);
      },
      abandon: settle,
    };
  }

  /** Counts a try as under way, until what it returns is called. */
  #note(key: string): () => void {
    const others = this.#pending.get(key) ?? 0;
    if (others >= PENDING_MAX) {
      throw new ServiceError(
        SQLSTATE.tooManyConnections,
        'too many logins at a time from this address',
        {
          severity: 'FATAL',
          hint: `Try again in ${PENDING_WAIT_S} s`,
          retryAfterSeconds: PENDING_WAIT_S,
        },
      );
    }
    this.#pending.set(key, others + 1);
    let isSettled = false;
    return () => {
      if (!isSettled) {
        isSettled = true;
        this.#leave(key);
      }
    };
  }

  #leave(key: string): void {
    const others = (this.#pending.get(key) ?? 0) - 1;
    if (others > 0) {
      this.#pending.set(key, others);
    } else {
      this.#pending.delete(key);
    }
  }
}

/** Too many failures; the hint says when to come again. */
export function throttledError(waitMs: number): ServiceError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new ServiceError(
    SQLSTATE.tooManyConnections,
    'too many failed logins of this name or address',
    { severity: 'FATAL', hint: `Try again in ${retryAfterSeconds} s`, retryAfterSeconds },
  );
}
