// What was lost, told once in a while and not for each record.
import type { Observation } from '../observation.ts';

/** MongoDB that is away loses record after record; it is reported this often. */
export const LOSS_REPORT_INTERVAL_MS = 1000;

export type LossReport = Extract<Observation, { readonly kind: 'activity-lost' }>;

/** Where records go, as metrics and the log call it. */
export type RecordStream = LossReport['stream'];

export class LossTally {
  readonly #stream: RecordStream;
  readonly #report: (loss: LossReport) => void;
  /** By reason: a closed set of ours. */
  readonly #records = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #total = 0;

  /** @param report must not throw; a fan-out of observers does not */
  constructor(stream: RecordStream, report: (loss: LossReport) => void) {
    this.#stream = stream;
    this.#report = report;
  }

  /** All of them so far. */
  get total(): number {
    return this.#total;
  }

  add(records: number, reason: string): void {
    if (records === 0) {
      return;
    }
    this.#total += records;
    this.#records.set(reason, (this.#records.get(reason) ?? 0) + records);
    this.#timer ??= setTimeout(() => this.flush(), LOSS_REPORT_INTERVAL_MS).unref();
  }

  /** Reports what is left to be told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const losses = [...this.#records];
    this.#records.clear();
    for (const [reason, records] of losses) {
      this.#report({ kind: 'activity-lost', stream: this.#stream, records, reason });
    }
  }
}
