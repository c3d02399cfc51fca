// Rows out of the cache: what their answers depend on, and who may have them.
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { backendTag, tableTag } from './cached-key.ts';
import { recordOf } from './cached-record.ts';
import { readCacheWish } from './cached-request.ts';
import type { Call, CrudDatabase } from './postgres-crud-database.ts';
import { readKeySegments, readSearch, readTableName } from './postgres-crud-request.ts';

/** Answers a read of rows as its Cache-Control wants it; without one nothing is cached. */
export async function answerCached(
  call: Call,
  database: CrudDatabase,
  run: () => Promise<void>,
): Promise<void> {
  const { request, response, context } = call;
  const name = readTableName(request);
  const limits = database.limitsOf(call);
  const wish = readCacheWish(request);
  // What is hidden is not looked for: the rules may be others than when it was read.
  if (wish === undefined || database.visibility(name) === 'hidden') {
    await run();
    return;
  }
  const question = {
    response,
    context,
    // A condition is about the row as it is.
    wish: request.get('If-Match') === undefined ? wish : ('bypass' as const),
    backend: 'postgres' as const,
    key: [
      'postgres rows',
      JSON.stringify([name.schema, name.table, ...readKeySegments(request)]),
      readSearch(request).toString(),
      JSON.stringify(limits),
    ],
    tags: [tableTag('postgres', name.schema, name.table), backendTag('postgres')],
    timeoutMs: limits.queryTimeoutMs,
  };
  await database.cached.answer(question, run);
}

/** Of a plain table its own writes are enough; views and row policies read what they like. */
export function dependOnTable({ response }: Call, { kind, isPlain, ...name }: CrudTable): void {
  const { schema, table } = name;
  if (kind === 'table' && isPlain) {
    recordOf(response)?.dependOn([tableTag('postgres', schema, table)]);
  }
}
