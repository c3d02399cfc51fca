// Documents that were given up by the failure policy: told once, though they are found again and
// again where they stay.
import type { ConnectorLog } from './connector.ts';
import type { Pending } from './source-state.ts';

/** Of an `_id` in a log or an error. */
const SHOWN_ID_CHARACTERS_MAX = 200;

/** So many versions are remembered; of more it is told, and they are sent, again. */
const REMEMBERED_MAX = 10_000;

export class SkippedDocuments {
  readonly #place: string;
  readonly #log: ConnectorLog;
  readonly #known = new Set<string>();
  readonly #sent = new Set<string>();

  /** @param place of the documents, `database.collection` */
  constructor(place: string, log: ConnectorLog) {
    this.#place = place;
    this.#log = log;
  }

  /** Whether it is told for the first time. */
  skip({ id, sha256 }: Pending, reason: string): boolean {
    if (this.#known.has(sha256) || this.#sent.has(sha256)) {
      return false;
    }
    remember(this.#known, sha256);
    this.#log.warn(`Skipped the document with _id ${shownId(id)} of ${this.#place}: ${reason}`);
    return true;
  }

  /** Of a document that was sent and cannot be settled: this version of it is sent no more. */
  giveUp({ id, sha256 }: Pending, reason: string): void {
    remember(this.#sent, sha256);
    this.#log.warn(
      `Skipped the document with _id ${shownId(id)} of ${this.#place}, which was sent and ` +
        `stays: ${reason}`,
    );
  }

  /** Whether anything was given up; then it is worth the hash of each document to ask whether. */
  get hasGivenUp(): boolean {
    return this.#sent.size > 0;
  }

  isGivenUp(sha256: string): boolean {
    return this.#sent.has(sha256);
  }
}

function remember(versions: Set<string>, sha256: string): void {
  if (versions.size < REMEMBERED_MAX) {
    versions.add(sha256);
  }
}

/** An `_id` as a log or an error has it. */
export function shownId(text: string): string {
  return text.length > SHOWN_ID_CHARACTERS_MAX
    ? `${text.slice(0, SHOWN_ID_CHARACTERS_MAX)}…`
    : text;
}
