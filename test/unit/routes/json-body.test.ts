import express from 'express';
import type { Express } from 'express';
import { isLosslessNumber, stringify } from 'lossless-json';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import supertest from 'supertest';
import { beforeEach, describe, expect, it, test } from '@jest/globals';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { BODY_DEPTH_MAX, parseJsonBody, readJsonBody } from '../../../routes/json-body.ts';
import { createRecorder } from '../../support/observations.ts';

const JSON_TYPE = 'application/json';

let app: Express;
let recorder: ReturnType<typeof createRecorder>;
let body: unknown;

beforeEach(() => {
  body = undefined;
  recorder = createRecorder();
  app = express();
  app.use(parseJsonBody);
  app.post('/', (request, response) => {
    body = readJsonBody(request);
    response.type(JSON_TYPE).send(stringify(body));
  });
  app.post('/unread', (_request, response) => {
    response.end();
  });
  app.use(createErrorHandler(recorder));
});

function post(text: string | Buffer, type = JSON_TYPE): supertest.Test {
  // A buffer would be taken for JSON of a Buffer.
  return supertest(app)
    .post('/')
    .set('Content-Type', type)
    .serialize((sent: unknown) => sent as string)
    .send(text);
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

describe('a body of JSON', () => {
  test.each([
    '{"a":12345678901234567890,"b":[1.10,-0,1e400,"x"]}',
    '[]',
    'null',
    '"text"',
    '7',
    '{"escaped \\" [ { brackets":"\\\\"}',
    '{"name":1,"0":{"b":2,"1":3}}',
  ])('comes as it was written: %s', async (text) => {
    const response = await post(text);
    expect(response.status).toBe(200);
    expect(response.text).toBe(text);
  });

  it('keeps each digit of a number', async () => {
    await post('12345678901234567890.10');
    expect(isLosslessNumber(body) && body.value).toBe('12345678901234567890.10');
  });

  it('has __proto__ and constructor as keys like any other', async () => {
    await post('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}');
    expect(Object.keys(body as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('isAdmin');
  });

  test.each([
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON',
    'application/merge-patch+json',
    'application/vnd.api+json; charset=utf8',
  ])('may be called %s', async (type) => {
    expect((await post('{}', type)).status).toBe(200);
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('may be compressed by %s', async (encoding, compress) => {
    const response = await post(compress('{"a":1}')).set('Content-Encoding', encoding);
    expect(response.text).toBe('{"a":1}');
  });

  it('may begin with a byte order mark', async () => {
    expect((await post('\uFEFF{}')).status).toBe(200);
  });

  it('may be as deep as the bound, and have that many bytes', async () => {
    expect((await post(nested(BODY_DEPTH_MAX))).status).toBe(200);
    expect((await post(`"${'x'.repeat(1024 * 1024 - 2)}"`)).status).toBe(200);
  });
});

describe('a body that is not taken', () => {
  const ESCAPES = `"${'\\"'.repeat(500_000)}`;

  test.each([
    ['half an object', '{"a":', 400, /^The body is no valid JSON: .*position 5/],
    ['two values', '1 2', 400, /^The body is no valid JSON/],
    ['one key twice', '{"a":1,"a":2}', 400, /Duplicate key 'a'/],
    ['one key twice beside a number', '{"a":1,"a":1,"1":2}', 400, /names something twice/],
    ['a number of JavaScript', '{"a":0x10}', 400, /^The body is no valid JSON/],
    ['NaN', '[NaN]', 400, /^The body is no valid JSON/],
    ['a deep array', nested(BODY_DEPTH_MAX + 1), 400, /within each other/],
    ['a deeper array', nested(100_000), 400, /within each other/],
    ['a deep object that never ends', '{"a":'.repeat(150_000), 400, /within each other/],
    ['a string that never ends', ESCAPES, 400, /^The body is no valid JSON/],
    ['bytes that are no UTF-8', Buffer.from('"\xff"', 'latin1'), 400, /^The body is not UTF-8$/],
    ['more than a megabyte', `"${'x'.repeat(1024 * 1024)}"`, 413, /too large/],
  ])('%s', async (_name, text, status, detail) => {
    const response = await post(text);
    expect(response.status).toBe(status);
    expect(response.type).toBe('application/problem+json');
    expect(response.body).toMatchObject({ status, detail: expect.stringMatching(detail) });
    expect(recorder.observations).toEqual([]);
  });

  it('is named by a part of its key where that is long', async () => {
    const key = 'k'.repeat(100_000);
    const response = await post(`{"${key}":1,"${key}":2}`);
    expect(response.status).toBe(400);
    expect(response.text.length).toBeLessThan(600);
  });

  it('is a bomb: ten thousand times larger than it looks', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const response = await post(bomb).set('Content-Encoding', 'gzip');
    expect(response.status).toBe(413);
  });

  test.each([
    ['text/plain', undefined],
    ['application/x-www-form-urlencoded', undefined],
    ['application/jsonp', undefined],
    ['text/json', undefined],
    ['', undefined],
    ['application/json; charset=latin1', undefined],
    ['application/json; charset=utf-16', undefined],
    ['application/json', 'lzma'],
  ])('is called "%s", encoded by %s', async (type, encoding) => {
    const sent = post('{}', type);
    const response = await (encoding === undefined ? sent : sent.set('Content-Encoding', encoding));
    expect(response.status).toBe(415);
    expect(response.type).toBe('application/problem+json');
  });

  test.each([
    ['no body', undefined],
    ['an empty one', ''],
  ])('is %s', async (_name, text) => {
    const sent = supertest(app).post('/').set('Content-Type', JSON_TYPE);
    const response = await (text === undefined ? sent : sent.send(text));
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ detail: 'The request has no body' });
  });

  it('matters only to a route that reads it', async () => {
    const response = await supertest(app)
      .post('/unread')
      .set('Content-Type', JSON_TYPE)
      .send('{nothing');
    expect(response.status).toBe(200);
  });
});
