// What is kept of an answer, and whether it may still be given. Pure.
import { z } from 'zod';

/** An answer with status 200, as it goes out. */
export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * By what an answer was read from, a value that is another one after each write there; '' where
 * nothing was written for as long as an answer can live.
 */
export type Generations = ReadonlyMap<string, string>;

export interface Kept {
  readonly answer: Answer;
  /** As they were before the answer was read. */
  readonly generations: Generations;
  /** When it began to be read, by this process's monotonic clock. */
  readonly readAtMs: number;
}

/** What one look into the cache has found. */
export interface Seen {
  readonly kept: Kept | undefined;
  /** Of all tags that were asked for. */
  readonly generations: Generations;
  /** How long the lease of the key's filler still holds; 0 without one. */
  readonly leaseMs: number;
}

export interface Wanted {
  /** As they are now. */
  readonly generations: Generations;
  readonly maxAgeMs: number;
  readonly nowMs: number;
}

/** Whether it is young enough, and nothing was written since where it was read from. */
export function isCurrent(
  { generations, readAtMs }: Kept,
  { generations: current, maxAgeMs, nowMs }: Wanted,
): boolean {
  const isUnwritten = [...generations].every(([tag, value]) => current.get(tag) === value);
  return isUnwritten && nowMs - readAtMs <= maxAgeMs;
}

const PAIRS = z.array(z.tuple([z.string(), z.string()]));

/** Ages and the rest of lives are the server's to tell: it has one clock for all replicas. */
const DOCUMENT = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answer'),
    leftMs: z.number(),
    ageMs: z.number(),
    headers: PAIRS,
    generations: PAIRS,
    body: z.instanceof(Buffer),
  }),
  z.object({ kind: z.literal('generation'), tag: z.string(), value: z.string() }),
  z.object({ kind: z.literal('lease'), leftMs: z.number() }),
]);

const DOCUMENTS = z.array(DOCUMENT);

/**
 * @param documents the cache's, as they were found
 * @param tags that were asked for
 * @throws ZodError for what no release of ours has written
 */
export function readSeen(documents: unknown, tags: readonly string[], nowMs: number): Seen {
  const generations = new Map(tags.map((tag) => [tag, '']));
  let kept: Kept | undefined;
  let leaseMs = 0;
  for (const document of DOCUMENTS.parse(documents)) {
    if (document.kind === 'generation') {
      generations.set(document.tag, document.value);
    } else if (document.kind === 'lease') {
      leaseMs = Math.max(0, document.leftMs);
    } else if (document.leftMs > 0) {
      // MongoDB removes what is over within a minute; until then it is there.
      kept = {
        answer: { headers: Object.fromEntries(document.headers), body: document.body },
        generations: new Map(document.generations),
        readAtMs: nowMs - document.ageMs,
      };
    }
  }
  return { kept, generations, leaseMs };
}
