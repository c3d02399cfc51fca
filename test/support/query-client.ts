// A client of POST /query.
import supertest from 'supertest';
import { ADMIN } from './api-stage.ts';

export interface QueryOptions {
  readonly accept?: string;
  readonly token?: string;
  readonly path?: string;
  readonly requestId?: string;
}

/** An answer whose body is whatever came. */
export type QueryAnswer = Omit<supertest.Response, 'body'> & { readonly body: unknown };

/** Sends a body, or JSON text as it is, to the API at this address. */
export async function postQuery(
  url: string,
  body: object | string,
  options: QueryOptions = {},
): Promise<QueryAnswer> {
  const { accept = 'application/json', token = ADMIN, path = '/query', requestId = '' } = options;
  return await supertest(url)
    .post(path)
    .set('Authorization', `Bearer ${token}`)
    .set('Accept', accept)
    .set('Content-Type', 'application/json')
    .set('X-Request-Id', requestId)
    .send(body);
}
