// The fields that documents of a collection have: the server counts them in a sample, so that no
// document is sent and each type is told exactly.
import type { FieldEntry } from './catalog-source.ts';
import { numberOf } from './plan.ts';

/** Documents that are looked at. */
const SAMPLE_SIZE = 100;

/** Rows of the count, one for each name and type: as many as PostgreSQL's columns of a table. */
const COUNTS_MAX = 1600;

type Document = Readonly<Record<string, unknown>>;

/** Counts top-level fields by name and type; the row with the name null counts the documents. */
export function createFieldPipeline(): readonly Document[] {
  const fields = { $concatArrays: [[{ k: null }], { $objectToArray: '$$ROOT' }] };
  return [
    { $sample: { size: SAMPLE_SIZE } },
    { $project: { _id: 0, fields } },
    { $unwind: { path: '$fields', includeArrayIndex: 'place' } },
    {
      $group: {
        _id: { name: '$fields.k', type: { $type: '$fields.v' } },
        count: { $sum: 1 },
        place: { $min: '$place' },
      },
    },
    { $sort: { place: 1, '_id.name': 1, '_id.type': 1 } },
    { $limit: COUNTS_MAX },
  ];
}

/** What the pipeline's documents say, a field each, in the order in which they come first. */
export function readFields(counts: readonly Document[]): readonly FieldEntry[] {
  const rows = counts.map(({ _id: id, count }) => ({ ...readId(id), count: numberOf(count) }));
  const sampled = rows.find(({ name }) => name === null)?.count ?? 0;
  const names = new Set(rows.flatMap(({ name }) => (name === null ? [] : [name])));
  const byName = new Map<string | null, typeof rows>();
  for (const row of rows) {
    byName.set(row.name, [...(byName.get(row.name) ?? []), row]);
  }
  return [...names].map((name) => {
    const found = byName.get(name) ?? [];
    return {
      name,
      bsonTypes: found.map(({ type }) => type).toSorted(),
      // A document may have a name twice.
      presentIn: Math.min(
        sampled,
        found.reduce((sum, { count }) => sum + count, 0),
      ),
      sampled,
    };
  });
}

function readId(id: unknown): { readonly name: string | null; readonly type: string } {
  const { name, type }: { readonly name?: unknown; readonly type?: unknown } =
    typeof id === 'object' && id !== null ? id : {};
  return {
    name: typeof name === 'string' ? name : null,
    type: typeof type === 'string' ? type : '',
  };
}
