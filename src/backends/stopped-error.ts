// What a stop leaves behind, said with the error that tells of the stop.
import { ServiceError } from '../errors.ts';

/** For a statement that the server had done when the stop arrived. */
export const DONE_BEFORE_STOP =
  'The upstream had finished before it could be stopped, so that its effects stand';

/** The same error, with a note behind whatever its DETAIL says. */
export function withNote(error: ServiceError, note: string): ServiceError {
  return new ServiceError(error.sqlState, error.message, {
    severity: error.severity,
    detail: error.detail === undefined ? note : `${error.detail}. ${note}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  });
}
