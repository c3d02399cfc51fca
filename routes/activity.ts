// GET /api/activity and its summary, GET /api/logs: who has done what, as far as one may see it.
import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import type { ActivityReader, ListRecords, RecordQuery } from '../src/store/activity-reader.ts';
import { LIST_BOUNDS } from './list-parameters.ts';
import { searchParamsOf } from './mongodb-crud-request.ts';
import { negotiateRecords, sendLines, sendPage } from './record-answer.ts';
import {
  ACTIVITY_FILTERS,
  LINES_MAX,
  LOG_FILTERS,
  ownerFor,
  parseRecordParameters,
  parseSummaryWindow,
} from './record-parameters.ts';
import type { RecordFilters } from './record-parameters.ts';
import { contextOf } from './request-context.ts';
import { RequestError } from './request-error.ts';
import { serveMethods } from './serve-methods.ts';

const ACTIVITY = '/api/activity';
const SUMMARY = `${ACTIVITY}/summary`;
const LOGS = '/api/logs';

/**
 * Answers at these paths only; scopes have been asked for before.
 *
 * @param reader undefined where nothing is recorded
 */
export function createActivityRoutes(reader: ActivityReader | undefined): Router {
  const router = Router();
  if (reader === undefined) {
    return router.use([ACTIVITY, LOGS], (_request, _response, next) => {
      next(notRecordedError());
    });
  }
  const activity = createListHandler(ACTIVITY, ACTIVITY_FILTERS, reader.listActivity);
  const logs = createListHandler(LOGS, LOG_FILTERS, reader.listLogs);
  serveMethods(router, ACTIVITY, { get: activity });
  serveMethods(router, SUMMARY, { get: createSummaryHandler(reader) });
  serveMethods(router, LOGS, { get: logs });
  return router;
}

function notRecordedError(): RequestError {
  return new RequestError(404, 'No activity is kept here', {
    hint: 'Set ACTIVITY=on; it needs a MongoDB (ACTIVITY_MONGODB_URI)',
  });
}

function createListHandler(
  path: string,
  filters: RecordFilters,
  list: ListRecords,
): RequestHandler {
  return async (request, response) => {
    const type = negotiateRecords(request);
    const isLines = type === 'application/x-ndjson';
    const search = searchParamsOf(request);
    const limitMax = isLines ? LINES_MAX : LIST_BOUNDS.limitMax;
    const { limit, after, ...parameters } = parseRecordParameters(search, filters, { limitMax });
    const context = contextOf(request);
    const { account, ...others } = parameters.matches;
    const owner = ownerFor(context, account);
    // Of his own the owner tells more than his name, which another one may have had before.
    const matches = owner === undefined ? parameters.matches : others;
    const asked = {
      ...{ path, search, limit, after },
      read: async (pageLimit: number, pageAfter: RecordQuery['after']) =>
        await list(
          { ...parameters, matches, owner, limit: pageLimit, after: pageAfter },
          context.signal,
        ),
    };
    await (isLines ? sendLines(request, response, asked) : sendPage(response, asked));
  };
}

function createSummaryHandler(reader: ActivityReader): RequestHandler {
  return async (request: Request, response) => {
    const { retentionMs } = reader;
    const window = parseSummaryWindow(searchParamsOf(request), retentionMs, new Date());
    const context = contextOf(request);
    const owner = ownerFor(context);
    const { groups, isCut } = await reader.summarize({ ...window, owner }, context.signal);
    response.json({ ...window, items: groups, truncated: isCut });
  };
}
