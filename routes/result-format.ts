// Which format a client takes.
import type { Request } from 'express';
import { RequestError } from './request-error.ts';
import { createCsvWriter } from './result-csv.ts';
import { createJsonWriter } from './result-json.ts';
import { createNdjsonWriter } from './result-ndjson.ts';
import type { CreateResultWriter } from './result-writer.ts';

export interface ResultFormat {
  readonly name: 'json' | 'ndjson' | 'csv';
  readonly contentType: string;
  readonly createWriter: CreateResultWriter;
}

/** By what a client asks for; the first one for whoever takes anything. */
export const RESULT_FORMATS: Readonly<Record<string, ResultFormat>> = {
  'application/json': {
    name: 'json',
    contentType: 'application/json; charset=utf-8',
    createWriter: createJsonWriter,
  },
  'application/x-ndjson': {
    name: 'ndjson',
    contentType: 'application/x-ndjson; charset=utf-8',
    createWriter: createNdjsonWriter,
  },
  'text/csv': {
    name: 'csv',
    contentType: 'text/csv; charset=utf-8; header=present',
    createWriter: createCsvWriter,
  },
};

/** Of a media type, but for the weight `q`; a value in quotes may hold commas. */
const PARAMETERS = /;(?!\s*q\s*=)[^;,"]*(?:"(?:[^"\\]|\\.)*")?[^;,"]*/gi;

/** @throws RequestError 406 where there is none that the client takes */
export function negotiateFormat(request: Request): ResultFormat {
  const types = Object.keys(RESULT_FORMATS);
  const format = RESULT_FORMATS[negotiateType(request, types)];
  if (format === undefined) {
    throw refuseTypes(types);
  }
  return format;
}

/**
 * The type of these that the client likes most.
 *
 * @throws RequestError 406 where it takes none of them
 */
export function negotiateType(request: Request, types: readonly string[]): string {
  const { accept } = request.headers;
  if (accept !== undefined) {
    // Express would look for formats of just these parameters; of ours none has any.
    request.headers.accept = accept.replaceAll(PARAMETERS, '');
  }
  const accepted = request.accepts([...types]);
  if (typeof accepted !== 'string') {
    throw refuseTypes(types);
  }
  return accepted;
}

function refuseTypes(types: readonly string[]): RequestError {
  return new RequestError(406, 'Results are not written in any format that you accept', {
    hint: `Accept one of ${types.join(', ')}`,
  });
}
