// A source against a simple model: documents are made, changed and deleted at random between its
// steps, it is killed at random, and at the end nothing is lost and nothing is deleted unread.
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeMongodb } from '../support/mongodb.ts';
import {
  byId,
  createTestSource,
  NEVER,
  payloadsOf,
  runSource,
  stageItems,
} from '../support/mongodb-source.ts';
import type { TestSource } from '../support/mongodb-source.ts';

/** What happens between two steps. */
type Event =
  | { readonly kind: 'insert'; readonly value: number }
  | { readonly kind: 'change'; readonly pick: number; readonly value: number }
  | { readonly kind: 'remove'; readonly pick: number }
  | { readonly kind: 'poll' | 'save' | 'acknowledge' | 'kill' };

const values = fc.integer({ min: 0, max: 3 });

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('insert'), value: values }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('change'), pick: fc.nat(), value: values }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), pick: fc.nat() }) },
  ...(['poll', 'poll', 'poll', 'save', 'save', 'acknowledge', 'acknowledge', 'kill'] as const).map(
    (kind) => ({ weight: 1, arbitrary: fc.constant({ kind } as const) }),
  ),
);

interface Version {
  readonly _id: number;
}

function readVersion(value: unknown): Version {
  if (typeof value === 'object' && value !== null && '_id' in value) {
    return { _id: Number(value._id) };
  }
  throw new Error('A message is no version');
}

describeMongodb('a MongoDB source that is killed at any step', () => {
  const stage = stageItems();

  /** Plays the runtime: what is sent is kept, what is saved survives a kill. */
  class Play {
    readonly sent: Version[] = [];
    readonly ids = new Map<string, Set<bigint>>();
    /** Versions that the source deleted or marked. */
    readonly settled: string[] = [];
    readonly #fields: Readonly<Record<string, unknown>>;
    #test: TestSource | undefined;
    #saved: string | undefined;
    #polled: string | undefined;
    #step: 'idle' | 'polled' | 'saved' = 'idle';
    #change = 0;

    constructor(fields: Readonly<Record<string, unknown>>) {
      this.#fields = fields;
    }

    async apply(event: Event): Promise<void> {
      switch (event.kind) {
        case 'insert':
          await this.#insert(event.value);
          break;
        case 'change':
          this.#change += 1;
          await stage.items.updateOne(byId(await this.#picked(event.pick)), {
            $set: { v: event.value, change: this.#change },
          });
          break;
        case 'remove':
          await stage.items.deleteOne(byId(await this.#picked(event.pick)));
          break;
        case 'kill':
          await this.close();
          break;
        default:
          await this.#watched(event.kind);
      }
    }

    /** Nobody but the source changes anything meanwhile. */
    async #watched(kind: 'poll' | 'save' | 'acknowledge'): Promise<void> {
      const before = await leftVersions();
      await this.#advance(kind);
      const after = new Set(await leftVersions());
      this.settled.push(...before.filter((version) => !after.has(version)));
    }

    async close(): Promise<void> {
      await this.#test?.source.close();
      this.#test = undefined;
      this.#step = 'idle';
    }

    /** The rest of a pass that was begun, and a whole one. */
    async drain(): Promise<void> {
      await this.close();
      for (let pass = 0; pass < 2; pass += 1) {
        const before = await leftVersions();
        const run = await runSource(createTestSource(stage.database, this.#fields), this.#saved);
        this.#keep(run.messages);
        this.#saved = run.state;
        const after = new Set(await leftVersions());
        this.settled.push(...before.filter((version) => !after.has(version)));
      }
    }

    async #insert(value: number): Promise<void> {
      this.#change += 1;
      await stage.items.insertOne({ _id: this.#change, v: value, change: this.#change });
    }

    async #picked(pick: number): Promise<unknown> {
      const all = await stage.items.find({}).sort({ _id: 1 }).toArray();
      return all[pick % Math.max(all.length, 1)]?._id;
    }

    /** A step that is not due is none. */
    async #advance(kind: 'poll' | 'save' | 'acknowledge'): Promise<void> {
      const { source } = await this.#opened();
      if (kind === 'poll' && this.#step === 'idle') {
        const { messages, state } = await source.poll(NEVER);
        this.#keep(messages);
        this.#polled = state;
        this.#step = state === undefined ? 'idle' : 'polled';
      } else if (kind === 'save' && this.#step === 'polled') {
        this.#saved = this.#polled;
        this.#step = 'saved';
      } else if (kind === 'acknowledge' && this.#step === 'saved') {
        this.#saved = (await source.acknowledge(NEVER)) ?? this.#saved;
        this.#step = 'idle';
      }
    }

    async #opened(): Promise<TestSource> {
      if (this.#test === undefined) {
        this.#test = createTestSource(stage.database, this.#fields);
        await this.#test.source.open(this.#saved, NEVER);
        this.#saved = (await this.#test.source.acknowledge(NEVER)) ?? this.#saved;
      }
      return this.#test;
    }

    #keep(messages: Parameters<typeof payloadsOf>[0]): void {
      for (const [index, value] of payloadsOf(messages).entries()) {
        const key = JSON.stringify(value);
        this.sent.push(readVersion(value));
        const known = this.ids.get(key) ?? new Set();
        this.ids.set(key, known.add(messages[index]?.id ?? 0n));
      }
    }
  }

  /** What is neither deleted nor marked, as messages have it. */
  async function leftVersions(): Promise<string[]> {
    const left = await stage.items.find({ done: { $ne: true } }).toArray();
    return left.map((document) => JSON.stringify(document));
  }

  async function play(
    fields: Readonly<Record<string, unknown>>,
    happened: readonly Event[],
  ): Promise<Play> {
    await stage.items.deleteMany({});
    const played = new Play({ batch_size: 2, ...fields });
    try {
      for (const event of happened) {
        await played.apply(event);
      }
      await played.drain();
    } finally {
      await played.close();
    }
    return played;
  }

  /** A replay is known by its id. */
  function expectOneIdPerVersion({ ids }: Play): void {
    for (const known of ids.values()) {
      expect(known.size).toBe(1);
    }
  }

  const happenings = fc.array(events, { minLength: 10, maxLength: 40 });

  it.each([
    { fields: { delete_after_read: true } },
    { fields: { delete_after_read: true, tracking_field: 'v' } },
    { fields: { delete_after_read: true, projection: '{"_id":1,"v":1,"change":1}' } },
    { fields: { processed_field: 'done' } },
    { fields: { processed_field: 'done', tracking_field: 'v' } },
  ])(
    'loses nothing and settles only what was sent, as it was sent: $fields',
    async ({ fields }) => {
      await fc.assert(
        fc.asyncProperty(happenings, async (happened) => {
          const played = await play(fields, happened);
          const sent = new Set(played.ids.keys());
          expect(played.settled.filter((version) => !sent.has(version))).toEqual([]);
          expect(await leftVersions()).toEqual([]);
          expectOneIdPerVersion(played);
        }),
        { numRuns: 25 },
      );
    },
  );

  it('sends every document by a field that only grows, once unless it was killed', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (happened) => {
        const only = happened.filter(({ kind }) => kind !== 'remove' && kind !== 'change');
        const played = await play({ tracking_field: 'change' }, only);
        const expected = only.filter(({ kind }) => kind === 'insert').length;
        const distinct = new Set(played.sent.map(({ _id }) => _id));
        expect(distinct.size).toBe(expected);
        // Without kills the end alone leaves a batch that was polled and not saved.
        const kills = only.filter(({ kind }) => kind === 'kill').length;
        expect(played.sent.length - expected).toBeLessThanOrEqual(2 * (kills + 1));
        expectOneIdPerVersion(played);
      }),
      { numRuns: 25 },
    );
  });
});
