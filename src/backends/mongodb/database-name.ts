// Names of databases, as MongoDB takes them on every platform.

import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Severity } from '../../errors.ts';

/** In bytes. Source: MongoDB manual, "Naming Restrictions". */
const DATABASE_NAME_BYTES_MAX = 63;

/** Whether a name can be a database's; MongoDB itself would say so at the first statement only. */
export function isDatabaseName(name: string): boolean {
  if (name === '$external') {
    return true;
  }
  const isShort = Buffer.byteLength(name) <= DATABASE_NAME_BYTES_MAX;
  return name !== '' && isShort && !/[/\\. "$\0]/.test(name);
}

/** @throws ServiceError 3D000, of this severity */
export function assertDatabaseName(name: string, severity: Severity): void {
  if (!isDatabaseName(name)) {
    throw new ServiceError(SQLSTATE.invalidCatalogName, 'That is no name of a MongoDB database', {
      severity,
      hint: 'Name one without blanks, dots, slashes, quotes and dollar signs',
    });
  }
}
