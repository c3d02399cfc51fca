// Lists of records as they are answered: a page of JSON, or lines as they are read.
import { performance } from 'node:perf_hooks';
import type { Request, Response } from 'express';
import { ServiceError } from '../src/errors.ts';
import { sqlStateOf } from '../src/http-status.ts';
import { roundMs } from '../src/json-line.ts';
import type { ShownPage } from '../src/store/activity-reader.ts';
import type { RecordPosition } from '../src/store/record-page.ts';
import { AnswerBody } from './answer-body.ts';
import { LIST_BOUNDS } from './list-parameters.ts';
import { encodeCursor, nextPageUrl } from './page-cursor.ts';
import { contextOf } from './request-context.ts';
import { negotiateType, RESULT_FORMATS } from './result-format.ts';

/** What records are written as. */
export const RECORD_TYPES = ['application/json', 'application/x-ndjson'] as const;

export type RecordType = (typeof RECORD_TYPES)[number];

/** Reads one page; the limit is that of one read, and the position where it begins. */
export type ReadPage = (limit: number, after: RecordPosition | undefined) => Promise<ShownPage>;

export interface AskedRecords {
  /** Percent-encoded. */
  readonly path: string;
  readonly search: URLSearchParams;
  readonly limit: number;
  readonly after: RecordPosition | undefined;
  readonly read: ReadPage;
}

/** @throws RequestError 406 */
export function negotiateRecords(request: Request): RecordType {
  const type = negotiateType(request, RECORD_TYPES);
  return RECORD_TYPES.find((one) => one === type) ?? 'application/json';
}

/** Answers with one page, and where the next one is. */
export async function sendPage(response: Response, asked: AskedRecords): Promise<void> {
  const { items, position } = await asked.read(asked.limit, asked.after);
  const next = nextOf(asked, position);
  if (next !== null) {
    response.set('Link', `<${next}>; rel="next"`);
  }
  response.json({ items, next });
}

/**
 * Answers with a line for each record, and a last one that says where the next ones are. Each page
 * is read when the one before has been taken: nothing is held open for a slow client.
 *
 * @throws what the first page failed with; a later one's error is in the last line
 */
export async function sendLines(
  request: Request,
  response: Response,
  asked: AskedRecords,
): Promise<void> {
  const { signal } = contextOf(request);
  const contentType = RESULT_FORMATS['application/x-ndjson']?.contentType ?? '';
  const body = new AnswerBody(response, { contentType, signal });
  const startedAtMs = performance.now();
  const counts = { rows: 0, bytes: 0 };
  let after: RecordPosition | undefined = asked.after;
  let failure: object = {};
  try {
    do {
      const limit = Math.min(asked.limit - counts.rows, LIST_BOUNDS.limitMax);
      const { items, position } = await asked.read(limit, after);
      const lines = Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
      counts.rows += items.length;
      counts.bytes += lines.length;
      after = position;
      body.append(lines);
      await body.flush();
    } while (after !== undefined && counts.rows < asked.limit);
  } catch (error) {
    if (!body.isBegun || response.destroyed || !(error instanceof ServiceError)) {
      throw error;
    }
    failure = { sqlState: sqlStateOf(error), message: error.message, hint: error.hint };
  }
  const durationMs = roundMs(performance.now() - startedAtMs);
  const truncated = 'message' in failure;
  const meta = { ...counts, truncated, next: nextOf(asked, after), durationMs, ...failure };
  body.append(`${JSON.stringify({ $meta: meta })}\n`);
  body.end();
}

function nextOf(
  { path, search }: AskedRecords,
  position: RecordPosition | undefined,
): string | null {
  return position === undefined
    ? null
    : nextPageUrl(path, search, encodeCursor([position.at.toISOString(), position.id]));
}
