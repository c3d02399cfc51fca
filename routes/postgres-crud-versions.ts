// Versions of rows as HTTP names them: `ETag: "742"`, and `If-Match` with the ones that will do.
import type { Request, Response } from 'express';
import type { Row } from '../src/backends/backend.ts';
import type { Versions } from '../src/backends/postgres/crud-conditions.ts';
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { RequestError } from './request-error.ts';

/** One tag of a list; a weak one is never equal to a version, for nothing is known of its bytes. */
const TAG = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y;

/**
 * The versions that the client wants to write over.
 *
 * @returns undefined where any will do
 * @throws RequestError 400 for what is no list of entity tags, 412 where rows have no versions
 */
export function readVersions(request: Request, table: CrudTable): Versions {
  const header = request.get('If-Match');
  if (header === undefined || header.trim() === '*') {
    return undefined;
  }
  const versions = parseTags(header);
  if (!table.isVersioned) {
    throw new RequestError(412, 'The rows of this table have no versions to be compared', {
      hint: 'Ask without If-Match',
    });
  }
  return versions;
}

/** @throws RequestError 400 where versions are named for what is not one row */
export function refuseVersions(request: Request): void {
  if (request.get('If-Match') !== undefined) {
    throw new RequestError(400, 'If-Match is for one row, by the address with its key');
  }
}

/** Says which version an answer shows: its value is the one behind the columns. */
export function setVersion(response: Response, table: CrudTable, row: Row): void {
  const version = table.isVersioned ? row.at(-1) : undefined;
  if (version !== undefined && version !== null) {
    response.set('ETag', `"${version.toString('latin1')}"`);
  }
}

function parseTags(header: string): readonly string[] {
  const versions: string[] = [];
  TAG.lastIndex = 0;
  do {
    const [match, weak, tag] = TAG.exec(header) ?? [];
    if (match === undefined || tag === undefined) {
      throw new RequestError(400, 'If-Match holds no list of entity tags', {
        hint: 'Send the ETag of the answer that you have read, quotes included',
      });
    }
    if (weak === undefined) {
      versions.push(tag);
    }
  } while (TAG.lastIndex < header.length);
  return versions;
}
