/**
 * The classes of PostgreSQL's error codes, appendix A of its manual. A closed set: any client can
 * raise a code of its own making, and every label value is a time series that is kept for ever.
 */
const KNOWN_CLASSES: ReadonlySet<string> = new Set(
  (
    '00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D ' +
    '3F 40 42 44 53 54 55 57 58 72 F0 HV P0 XX'
  ).split(' '),
);

const SQLSTATE_FORM = /^[0-9A-Z]{5}$/;

/** What stands for every class that PostgreSQL does not define. */
export const OTHER_CLASS = 'other';

/** The two characters that group an SQLSTATE, fit to label a metric. */
export function toSqlStateClass(sqlState: string): string {
  const prefix = sqlState.slice(0, 2);
  return SQLSTATE_FORM.test(sqlState) && KNOWN_CLASSES.has(prefix) ? prefix : OTHER_CLASS;
}
