// Versions of rows as HTTP names them: `ETag: "742"`, `If-Match` with the ones that will do, and
// `If-None-Match` with those that will not.
import type { Request, Response } from 'express';
import type { Row } from '../src/backends/backend.ts';
import type { Versions } from '../src/backends/postgres/crud-conditions.ts';
import type { CrudTable } from '../src/backends/postgres/crud-table.ts';
import { RequestError } from './request-error.ts';

/** One tag of a list; to If-Match a weak one is equal to none, as nothing is known of its bytes. */
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
  const versions = parseTags('If-Match', header).flatMap(({ tag, isWeak }) =>
    isWeak ? [] : [tag],
  );
  if (!table.isVersioned) {
    throw new RequestError(412, 'The rows of this table have no versions to be compared', {
      hint: 'Ask without If-Match',
    });
  }
  return versions;
}

/** Versions that will not do; `*` is any of a row that is there. */
export type UnwantedVersions = readonly string[] | '*' | undefined;

/**
 * The versions that the client does not want to write over.
 *
 * @returns undefined where any will do
 * @throws RequestError 400 for what is no list of entity tags
 */
export function readUnwantedVersions(request: Request): UnwantedVersions {
  const header = request.get('If-None-Match');
  if (header === undefined) {
    return undefined;
  }
  if (header.trim() === '*') {
    return '*';
  }
  // RFC 9110, 13.1.2: a weak tag of the same text counts here.
  return parseTags('If-None-Match', header).map(({ tag }) => tag);
}

/** @throws RequestError 400 where versions are named for what is not one row */
export function refuseVersions(request: Request): void {
  for (const name of ['If-Match', 'If-None-Match']) {
    if (request.get(name) !== undefined) {
      throw new RequestError(400, `${name} is for one row, by the address with its key`);
    }
  }
}

/** Of a row as it was read, the version behind its columns. */
export function versionOf({ isVersioned }: CrudTable, row: Row): string | undefined {
  return isVersioned ? row.at(-1)?.toString('latin1') : undefined;
}

/** That a row is not one of the versions that will do. */
export function createMismatch(): RequestError {
  return new RequestError(412, 'The row has been changed since that version', {
    hint: 'Read it again, and decide with its new ETag',
  });
}

/** @throws RequestError 412 where the row is what the client does not want to write over */
export function assertWanted(unwanted: UnwantedVersions, version: string | undefined): void {
  if (unwanted === '*' || (version !== undefined && unwanted?.includes(version) === true)) {
    throw new RequestError(412, 'The row is there in a version that If-None-Match excludes', {
      hint: 'A write changes a row that is there: leave If-None-Match out, or send If-Match',
    });
  }
}

/** Says which version an answer shows: its value is the one behind the columns. */
export function setVersion(response: Response, table: CrudTable, row: Row): void {
  const version = versionOf(table, row);
  if (version !== undefined) {
    response.set('ETag', `"${version}"`);
  }
}

interface EntityTag {
  readonly tag: string;
  readonly isWeak: boolean;
}

function parseTags(name: string, header: string): readonly EntityTag[] {
  const tags: EntityTag[] = [];
  TAG.lastIndex = 0;
  do {
    const [match, weak, tag] = TAG.exec(header) ?? [];
    if (match === undefined || tag === undefined) {
      throw new RequestError(400, `${name} holds no list of entity tags`, {
        hint: 'Send the ETag of the answer that you have read, quotes included',
      });
    }
    tags.push({ tag, isWeak: weak !== undefined });
  } while (TAG.lastIndex < header.length);
  return tags;
}
