// The run-time settings that an upstream reports: at the login, and whenever one changes.
import { readParameterStatus } from '../../../wire/protocol/backend-messages.ts';

/** Parameters kept of one upstream: PostgreSQL 18 reports 14, extensions may add some. */
const PARAMETERS_MAX = 100;

/** Name and last value of each; what passes PARAMETERS_MAX is not kept. */
export class ReportedParameters {
  readonly #values = new Map<string, string>();

  get values(): ReadonlyMap<string, string> {
    return this.#values;
  }

  /** Keeps a value. */
  set(name: string, value: string): void {
    if (this.#values.has(name) || this.#values.size < PARAMETERS_MAX) {
      this.#values.set(name, value);
    }
  }

  /** Keeps the value of a ParameterStatus frame at `offset`. */
  readonly note = (bytes: Buffer, offset: number, frameBytes: number): void => {
    const [name, value] = readParameterStatus(bytes, offset, frameBytes);
    this.set(name, value);
  };
}
