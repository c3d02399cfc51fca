// Answers that are being made in this process, so that whoever asks the same waits for one of them.
import { untilAborted } from '../until-aborted.ts';
import type { Generations, Kept } from './response-cache-entry.ts';

/** A body that is larger is not kept. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** Answers at a time, until they are stored; others are not kept. */
export const FILLS_MAX = 200;

/** What all of them hold together; beyond it a body is not kept. */
export const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** An answer that is made, and may be kept. */
export interface Fill {
  /** A piece of the body, which is never written again. */
  add(piece: Buffer): void;
  /**
   * The answer is whole and right.
   *
   * @param dependsOn the tags of what it was read from; all that were asked for unless said
   */
  keep(headers: Readonly<Record<string, string>>, dependsOn?: readonly string[]): void;
  /** It is not to be kept; nothing where it is already. */
  abandon(): void;
}

/** What was so before the answer began to be read. */
export interface FillStart {
  readonly generations: Generations;
  readonly readAtMs: number;
  /** Stores what is to be kept; `undefined` where nothing is. */
  readonly onEnd: (kept: Kept | undefined) => Promise<void>;
}

interface HeldBytes {
  bytes: number;
}

/** Those that run, by their keys. */
export class RunningFills {
  readonly #fills = new Map<string, RunningFill>();
  readonly #held: HeldBytes = { bytes: 0 };

  find(key: string): RunningFill | undefined {
    return this.#fills.get(key);
  }

  /** @returns undefined where one runs already, or too many do */
  begin(key: string): RunningFill | undefined {
    if (this.#fills.has(key) || this.#fills.size >= FILLS_MAX) {
      return undefined;
    }
    const fill = new RunningFill(this.#held, () => this.#fills.delete(key));
    this.#fills.set(key, fill);
    return fill;
  }
}

export class RunningFill implements Fill {
  readonly #held: HeldBytes;
  readonly #onOver: () => void;
  readonly #result: Promise<Kept | undefined>;
  #resolve: (kept: Kept | undefined) => void = () => undefined;
  #start: FillStart | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isEnded = false;
  #isTooLarge = false;

  constructor(held: HeldBytes, onOver: () => void) {
    this.#held = held;
    this.#onOver = onOver;
    this.#result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** From here on an answer is read. */
  open(start: FillStart): void {
    this.#start = start;
  }

  /**
   * For who follows: the answer, or undefined where there is none in time.
   *
   * @throws the signal's reason
   */
  async wait(waitMs: number, signal: AbortSignal): Promise<Kept | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), waitMs);
    });
    try {
      return await untilAborted(Promise.race([this.#result, late]), signal);
    } finally {
      clearTimeout(timer);
    }
  }

  add(piece: Buffer): void {
    if (this.#isEnded || this.#isTooLarge) {
      return;
    }
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#held.bytes += piece.length;
    if (this.#bytes > BODY_BYTES_MAX || this.#held.bytes > HELD_BYTES_MAX) {
      this.#isTooLarge = true;
      this.#forgetBody();
      // Nobody has to wait for the rest of it.
      this.abandon();
    }
  }

  keep(headers: Readonly<Record<string, string>>, dependsOn?: readonly string[]): void {
    if (this.#start === undefined) {
      this.abandon();
      return;
    }
    const { generations, readAtMs } = this.#start;
    // Of what was not looked at nobody knows whether it was written since.
    const tags = dependsOn?.every((tag) => generations.has(tag)) === true ? dependsOn : undefined;
    const own = [...generations].filter(([tag]) => tags?.includes(tag) ?? true);
    const body = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#end({ answer: { headers, body }, generations: new Map(own), readAtMs });
  }

  abandon(): void {
    this.#end(undefined);
  }

  /** Somebody else has made it: nothing is stored. */
  resolve(kept: Kept): void {
    this.#start = undefined;
    this.#end(kept);
  }

  #end(kept: Kept | undefined): void {
    if (this.#isEnded) {
      return;
    }
    this.#isEnded = true;
    this.#resolve(kept);
    const stored = this.#start?.onEnd(kept) ?? Promise.resolve();
    // It is found here until it is found in MongoDB: nobody falls between.
    void stored.finally(() => {
      this.#forgetBody();
      this.#onOver();
    });
  }

  #forgetBody(): void {
    this.#held.bytes -= this.#bytes;
    this.#bytes = 0;
    this.#pieces = [];
  }
}
