import { ServiceError, SQLSTATE } from '../errors.ts';
import type { Limits } from '../config.ts';

const SETTINGS = {
  rows: 'WIRE_MAX_ROWS, max_rows of the listener, gatepost.max_rows of the client',
  bytes: 'WIRE_MAX_BYTES, max_bytes of the listener, gatepost.max_bytes of the client',
} as const;

/** Meters one Query message: counts what is delivered and says where to stop. */
export class Guard {
  readonly limits: Limits;
  #rows = 0;
  #bytes = 0;
  #exceeded: 'rows' | 'bytes' | undefined;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Rows delivered so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Exact DataRow frame bytes delivered so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The limit that a row would have passed, once one would have. */
  get exceeded(): 'rows' | 'bytes' | undefined {
    return this.#exceeded;
  }

  /**
   * Counts a row before it is sent. False when it would pass a limit: it is not counted then,
   * and neither is any row after it.
   *
   * @param frameBytes the whole DataRow frame, type byte and length included
   */
  countRow(frameBytes: number): boolean {
    if (this.#exceeded !== undefined) {
      return false;
    }
    if (this.#rows + 1 > this.limits.rowsMax) {
      this.#exceeded = 'rows';
      return false;
    }
    if (this.#bytes + frameBytes > this.limits.bytesMax) {
      this.#exceeded = 'bytes';
      return false;
    }
    this.#rows += 1;
    this.#bytes += frameBytes;
    return true;
  }

  /** What happened at the limit, as one sentence, and what can be done about it. */
  describeCut(): { readonly message: string; readonly hint: string } {
    const limit = this.#exceeded ?? 'rows';
    const max = limit === 'rows' ? this.limits.rowsMax : this.limits.bytesMax;
    return {
      message: `Result cut at the limit of ${max} ${limit} per query`,
      hint: `Narrow the query, or have the limit raised (${SETTINGS[limit]})`,
    };
  }

  /** The error that ends a result at a limit: SQLSTATE 54000. */
  cutError(detail?: string): ServiceError {
    const { message, hint } = this.describeCut();
    return new ServiceError(SQLSTATE.programLimitExceeded, message, {
      hint,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}
