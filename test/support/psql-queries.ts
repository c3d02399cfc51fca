// What psql itself sends for its backslash commands to a server of version 12, as `psql -E` of
// 15.18, 16.2, 17.10 and 18.6 has shown it.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const SCHEMA = z.array(
  z.object({
    command: z.string(),
    /** Major versions of psql that send these. */
    versions: z.array(z.number()),
    /** `{oid}` stands for what the first of them is answered with. */
    queries: z.array(z.string()),
  }),
);

export const PSQL_QUERIES = SCHEMA.parse(
  JSON.parse(readFileSync(new URL('psql-queries.json', import.meta.url), 'utf8')),
);

/** The queries of one command, for each version that words them differently. */
export function psqlQueries(command: string): [title: string, queries: readonly string[]][] {
  return PSQL_QUERIES.filter((entry) => entry.command === command).map((entry) => [
    `psql ${entry.versions.join(', ')}`,
    entry.queries,
  ]);
}
