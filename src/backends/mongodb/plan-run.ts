// Runs one plan: its operations in order, and their replies as rows.
import assert from 'node:assert/strict';
import { BSON } from 'mongodb';
import type { BackendEvent } from '../backend.ts';
import { SQLSTATE } from '../../errors.ts';
import type { Guard } from '../../guardrails/guard.ts';
import { documentBytes, readElements, readPath } from './bson-reader.ts';
import type { Bounds, Connection } from './connection.ts';
import type { EjsonMode } from './extended-json.ts';
import type { Answer, Operation, Plan, Reply } from './plan.ts';
import { numberOf } from './plan.ts';
import { RESULT_COLUMN, RowWriter, textColumn } from './row-writer.ts';
import { encodeValue } from './value-bson.ts';

export interface PlanRun {
  readonly connection: Connection;
  readonly guard: Guard;
  readonly signal: AbortSignal;
  readonly ejson: EjsonMode;
}

type Events = AsyncGenerator<BackendEvent, void, undefined>;

/** Events of one statement, its command tag at the end. */
export async function* runPlan(plan: Plan, run: PlanRun): Events {
  const rows = new RowWriter(run.guard, run.ejson);
  const bounds: Bounds = { signal: run.signal, timeoutMs: run.guard.limits.queryTimeoutMs };
  const { answer } = plan;
  let replies: readonly Reply[] = [];
  if (answer.kind === 'documents' || answer.kind === 'first' || answer.kind === 'count') {
    yield { kind: 'columns', columns: [RESULT_COLUMN] };
    yield* runCursor({ ...plan, answer }, { rows, bounds, connection: run.connection });
  } else {
    replies = await runOperations(plan.operations, bounds, run.connection);
    const column = answer.kind === 'lines' ? textColumn(answer.column) : RESULT_COLUMN;
    yield { kind: 'columns', columns: [column] };
    yield* answerRows({ ...plan, answer }, replies, { rows, bounds, connection: run.connection });
  }
  yield* completeResult(rows, run.guard, plan.tag && `${plan.tag.word} ${plan.tag.count(replies)}`);
}

/** The end of a result: where it was cut with a warning, then its command tag. */
export function* completeResult(
  rows: RowWriter,
  guard: Guard,
  commandTag = `SELECT ${rows.rows}`,
): Generator<BackendEvent, void, undefined> {
  if (rows.isFull) {
    const { message, hint } = guard.describeCut();
    const sqlState = SQLSTATE.warning;
    yield { kind: 'notice', notice: { severity: 'WARNING', sqlState, message, hint } };
  }
  yield { kind: 'complete', commandTag };
}

interface Delivery {
  readonly rows: RowWriter;
  readonly bounds: Bounds;
  readonly connection: Connection;
}

type With<Kind extends Answer['kind']> = Plan & {
  readonly answer: Extract<Answer, { kind: Kind }>;
};

async function runOperations(
  operations: readonly Operation[],
  bounds: Bounds,
  connection: Connection,
): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  const failures: unknown[] = [];
  for (const operation of operations) {
    try {
      replies.push(await connection.run(operation, bounds));
    } catch (error) {
      // An unordered bulk write goes on, and fails in the end.
      failures.push(error);
      if (operation.command['ordered'] !== false) {
        break;
      }
    }
  }
  if (failures.length > 0) {
    throw failures[0] instanceof Error ? failures[0] : new Error('An operation failed');
  }
  return replies;
}

async function* runCursor(
  { operations, answer, path }: With<'documents' | 'first' | 'count'>,
  { rows, bounds, connection }: Delivery,
): Events {
  const [operation] = operations;
  if (operation === undefined) {
    return;
  }
  const batches = connection.documents(operation, bounds);
  if (answer.kind === 'count') {
    yield* rows.value(readPath(encodeValue(await countAll(batches)), ['v']));
  } else if (answer.kind === 'first') {
    yield* oneDocument(await nth(batches, 0), path, rows);
  } else if (path.length > 0) {
    const [index, ...rest] = path;
    const document = typeof index === 'number' ? await nth(batches, index) : undefined;
    yield* oneDocument(document, rest, rows);
  } else {
    yield* allDocuments(batches, rows);
  }
}

async function countAll(batches: AsyncIterable<readonly Uint8Array[]>): Promise<number> {
  let count = 0;
  for await (const batch of batches) {
    count += batch.length;
  }
  return count;
}

function* oneDocument(
  document: Uint8Array | undefined,
  path: Plan['path'],
  rows: RowWriter,
): Generator<BackendEvent, void, undefined> {
  yield* rows.value(document && readPath(encodeValue(document), ['v', ...path]));
}

async function* allDocuments(
  batches: AsyncIterable<readonly Uint8Array[]>,
  rows: RowWriter,
): Events {
  for await (const batch of batches) {
    yield* rows.documents(batch);
    if (rows.isFull) {
      return;
    }
  }
}

/** The document at this place; the ones behind it are not fetched. */
async function nth(
  batches: AsyncIterable<readonly Uint8Array[]>,
  index: number,
): Promise<Uint8Array | undefined> {
  let skipped = 0;
  for await (const batch of batches) {
    if (index < skipped + batch.length) {
      return batch[index - skipped];
    }
    skipped += batch.length;
  }
  return undefined;
}

async function* answerRows(
  plan: With<'lines' | 'value' | 'values' | 'reply'>,
  replies: readonly Reply[],
  delivery: Delivery,
): Events {
  const { answer, path } = plan;
  const { rows } = delivery;
  switch (answer.kind) {
    case 'lines':
      yield* rows.lines(answer.from(replies));
      break;
    case 'value':
      yield* rows.value(readPath(encodeValue(answer.from(replies)), ['v', ...path]));
      break;
    case 'values':
      yield* valueRows(answer.from(replies), path, rows);
      break;
    case 'reply':
      yield* replyRows(plan, replies[0] ?? {}, delivery);
      break;
  }
}

function* valueRows(
  values: readonly unknown[],
  path: Plan['path'],
  rows: RowWriter,
): Generator<BackendEvent, void, undefined> {
  const bytes = encodeValue(values);
  if (path.length > 0) {
    yield* rows.value(readPath(bytes, ['v', ...path]));
    return;
  }
  for (const index of values.keys()) {
    yield* rows.value(readPath(bytes, ['v', index]));
    if (rows.isFull) {
      return;
    }
  }
}

/** A reply as it is; one that holds a cursor as the cursor's documents, to its end. */
async function* replyRows(
  plan: Plan,
  reply: Reply,
  { rows, bounds, connection }: Delivery,
): Events {
  const cursor = reply['cursor'];
  if (!(cursor instanceof Uint8Array) || plan.path.length > 0) {
    yield* rows.value(readPath(encodeValue(reply), ['v', ...plan.path]));
    return;
  }
  const database = plan.operations[0]?.database ?? 'admin';
  let page = readCursor(cursor);
  try {
    yield* rows.documents(page.documents);
    while (!isLast(page) && !rows.isFull) {
      page = await fetchMore(page, { database, bounds, connection });
      yield* rows.documents(page.documents);
    }
  } finally {
    if (!isLast(page)) {
      await closeCursor(page, database, connection);
    }
  }
}

/** A cursor that could not be closed in this time is left to the end of its session. */
const CLOSE_CURSOR_TIMEOUT_MS = 1000;

async function closeCursor(
  { id, collection }: CursorPage,
  database: string,
  connection: Connection,
): Promise<void> {
  const command = { killCursors: collection, cursors: [id] };
  const timeoutMs = CLOSE_CURSOR_TIMEOUT_MS;
  const bounds = { signal: AbortSignal.timeout(timeoutMs), timeoutMs };
  await connection.run({ database, command }, bounds).catch(() => undefined);
}

interface CursorPage {
  readonly id: unknown;
  readonly collection: string;
  readonly documents: readonly Uint8Array[];
}

function isLast({ id }: CursorPage): boolean {
  return numberOf(id) === 0;
}

function readCursor(cursor: Uint8Array): CursorPage {
  const batch = readPath(cursor, ['firstBatch']) ?? readPath(cursor, ['nextBatch']);
  const documents =
    batch === undefined
      ? []
      : readElements(documentBytes(batch)).map(([, value]) => documentBytes(value));
  const { id, ns } = readCursorHead(cursor);
  return { id, collection: ns.slice(ns.indexOf('.') + 1), documents };
}

function readCursorHead(cursor: Uint8Array): { readonly id: unknown; readonly ns: string } {
  const read = BSON.deserialize(cursor, { promoteLongs: false, fieldsAsRaw: { firstBatch: true } });
  return { id: read['id'], ns: String(read['ns']) };
}

async function fetchMore(
  { id, collection }: CursorPage,
  { database, bounds, connection }: Omit<Delivery, 'rows'> & { readonly database: string },
): Promise<CursorPage> {
  const command = { getMore: id, collection };
  const reply = await connection.run({ database, command }, bounds);
  const cursor = reply['cursor'];
  assert(cursor instanceof Uint8Array, 'A getMore is answered with its cursor');
  return readCursor(cursor);
}
