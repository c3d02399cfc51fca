// Answers against the API's description of them.
import { expect } from '@jest/globals';
import type supertest from 'supertest';
import type { Content, OpenApiDocument } from '../../routes/openapi-types.ts';
import { operationsOf, responsesOf } from '../../routes/openapi-walk.ts';
import type { DescribedOperation } from '../../routes/openapi-walk.ts';
import { checkerOf } from './openapi.ts';

export type Case = readonly [name: string, described: DescribedOperation];

/** Rows of a table of tests. */
export function casesOf(document: OpenApiDocument): Case[] {
  return operationsOf(document.paths).map((one) => [one.operation.operationId, one]);
}

/** Each example of a body, with its operation. */
export function bodiesOf(document: OpenApiDocument): [string, DescribedOperation, unknown][] {
  return casesOf(document).flatMap(([id, described]) =>
    Object.values(described.operation.requestBody?.content ?? {}).flatMap(({ examples = {} }) =>
      Object.entries(examples).map(([name, { value }]): [string, DescribedOperation, unknown] => [
        `${id}, ${name}`,
        described,
        value,
      ]),
    ),
  );
}

export function operationOf(document: OpenApiDocument, operationId: string): DescribedOperation {
  const found = operationsOf(document.paths).find(
    ({ operation }) => operation.operationId === operationId,
  );
  if (found === undefined) {
    throw new Error(`No operation is called ${operationId}`);
  }
  return found;
}

/** Those that say something about one kind of answer only. */
const OWN_HEADERS = [
  'Allow',
  'ETag',
  'Link',
  'Location',
  'Retry-After',
  'Set-Cookie',
  'WWW-Authenticate',
];

/** Status, headers, content type and body are as the description has them. */
export function expectDescribed(
  document: OpenApiDocument,
  { operation }: DescribedOperation,
  answer: supertest.Response,
): void {
  const responses = responsesOf(document, operation);
  const described = responses.find(({ status }) => status === String(answer.status))?.response;
  expect([answer.status, answer.text, described]).toEqual([
    answer.status,
    answer.text,
    expect.anything(),
  ]);
  expectHeaders(document, described?.headers ?? {}, answer);
  expectBody(document, described?.content ?? {}, answer);
}

function expectHeaders(
  document: OpenApiDocument,
  described: Readonly<Record<string, unknown>>,
  answer: supertest.Response,
): void {
  const names = Object.keys(described);
  const own = OWN_HEADERS.filter((name) => answer.get(name) !== undefined);
  expect(names).toEqual(expect.arrayContaining(own));
  const needed = names.filter((name) => document.components.headers[name]?.required === true);
  expect(needed).toEqual(expect.arrayContaining(['X-Request-Id', 'Cache-Control']));
  expect(needed.filter((name) => answer.get(name) === undefined)).toEqual([]);
}

function expectBody(document: OpenApiDocument, content: Content, answer: supertest.Response): void {
  if (answer.status === 204) {
    expect(content).toEqual({});
    return;
  }
  expect(Object.keys(content)).toContain(answer.type);
  const isJson = /[/+]json$/.test(answer.type);
  const value: unknown = isJson ? JSON.parse(answer.text) : answer.text;
  const checker = checkerOf(document, content[answer.type]?.schema ?? {});
  expect([value, checker.safeParse(value)]).toEqual([
    value,
    expect.objectContaining({ success: true }),
  ]);
}
