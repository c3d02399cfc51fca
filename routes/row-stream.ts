// The events of a statement into an answer, at the pace of the client.
import type { Response } from 'express';
import type { ResultEvent } from '../src/backends/pool.ts';
import { ServiceError } from '../src/errors.ts';
import { AnswerBody } from './answer-body.ts';
import { recordOf } from './cached-record.ts';
import type { ResultFormat } from './result-format.ts';
import type { ResultShape, ResultWriter } from './result-writer.ts';
import type { GuardedStatement } from './statement-run.ts';

export interface RowStreamOptions {
  readonly format: ResultFormat;
  readonly shape: ResultShape;
}

/**
 * Answers with what a statement gives. The status is 200 once the first chunk has gone out; until
 * then an error is thrown to become a problem of its own.
 *
 * @throws what the statement failed with, where the answer cannot say it: it has to be cut off
 */
export async function streamResults(
  response: Response,
  { events, summary, signal }: GuardedStatement,
  { format, shape }: RowStreamOptions,
): Promise<void> {
  const record = recordOf(response);
  const refuse = (): void => record?.refuse();
  const body = new AnswerBody(response, { contentType: format.contentType, signal, record });
  const writer = format.createWriter(body, shape);
  try {
    // To leave this loop, by an error too, stops the statement.
    for await (const event of events) {
      const isTruncated = summary.guard.exceeded !== undefined;
      writeEvent(writer, event, isTruncated);
      if (isTruncated) {
        refuse();
      }
      if (body.isFull || (writer.isPrompt && event.kind === 'rows')) {
        await body.flush();
      }
    }
    writer.finish(summary.durationMs);
  } catch (error) {
    refuse();
    if (!isTellable(error, response) || !writer.fail(error, summary.durationMs)) {
      throw error;
    }
  }
  body.end();
}

/** Also at the end of the service: the signal is aborted then, and the client still there. */
function isTellable(error: unknown, response: Response): error is ServiceError {
  return response.headersSent && !response.destroyed && error instanceof ServiceError;
}

function writeEvent(writer: ResultWriter, event: ResultEvent, isTruncated: boolean): void {
  switch (event.kind) {
    case 'columns':
      writer.begin(event.columns);
      break;
    case 'rows':
      writer.rows(event.rows);
      break;
    case 'notice':
      writer.notice(event.notice);
      break;
    case 'complete':
      writer.complete({ commandTag: event.commandTag, isTruncated });
      break;
    case 'empty':
      writer.complete({ commandTag: '', isTruncated });
      break;
  }
}
