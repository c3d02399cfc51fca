// An answer while it goes out, noted down for the cache.
import type { Response } from 'express';
import type { Fill } from '../src/store/response-cache-fills.ts';

/** What is kept besides the body. */
const HEADERS = ['Content-Type', 'ETag', 'Link'] as const;

/** 304 is said of a body that was noted, and that the client has. */
const KEPT_STATUSES: ReadonlySet<number> = new Set([200, 304]);

const records = new WeakMap<Response, AnswerRecord>();

/** The record of an answer; undefined where it is not to be cached. */
export function recordOf(response: Response): AnswerRecord | undefined {
  return records.get(response);
}

/** Begins one; from here on `recordOf` finds it. */
export function beginRecord(response: Response, fill: Fill): AnswerRecord {
  const record = new AnswerRecord(response, fill);
  records.set(response, record);
  return record;
}

/** Sends a body whose headers are set. */
export function sendBody(response: Response, body: Buffer): void {
  records.get(response)?.note(body);
  response.send(body);
}

export class AnswerRecord {
  readonly #response: Response;
  readonly #fill: Fill;
  #headers: Readonly<Record<string, string>> | undefined;
  #dependsOn: readonly string[] | undefined;

  constructor(response: Response, fill: Fill) {
    this.#response = response;
    this.#fill = fill;
  }

  /** A piece of the body, which is never written again. */
  add(piece: Buffer): void {
    this.#fill.add(piece);
  }

  /** The whole body, and the headers as they are now: for a 304 Express takes some away. */
  note(body: Buffer): void {
    this.#headers = readHeaders(this.#response);
    this.#fill.add(body);
  }

  /** Only these of the tags it was asked for with: a write elsewhere leaves the answer as it is. */
  dependOn(tags: readonly string[]): void {
    this.#dependsOn = tags;
  }

  /** It is cut, or tells of an error: it is not kept, and nobody waits for it. */
  refuse(): void {
    this.#fill.abandon();
  }

  /** The answer was given whole. */
  finish(): void {
    if (KEPT_STATUSES.has(this.#response.statusCode)) {
      this.#fill.keep(this.#headers ?? readHeaders(this.#response), this.#dependsOn);
    } else {
      this.#fill.abandon();
    }
  }
}

function readHeaders(response: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(
    HEADERS.flatMap((name) => {
      const value = response.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
