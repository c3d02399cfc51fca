// What ends a statement that lasts too long, on every door.
import { ServiceError, SQLSTATE } from '../errors.ts';

/** @param narrowedBy what else may have set the limit, as the client calls it */
export function queryTimeoutError(queryTimeoutMs: number, narrowedBy: string): ServiceError {
  return new ServiceError(SQLSTATE.queryCanceled, 'canceling statement due to query timeout', {
    hint: `The limit is ${queryTimeoutMs} ms per query (WIRE_QUERY_TIMEOUT, or ${narrowedBy})`,
  });
}
