import express from 'express';
import supertest from 'supertest';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { answerNotFound, createErrorHandler } from '../../../routes/error-handler.ts';
import { refuseMalformed } from '../../../routes/malformed-request.ts';
import { RequestError } from '../../../routes/request-error.ts';
import { identifyRequest } from '../../../routes/request-id.ts';
import { StatementProblem } from '../../../routes/statement-problem.ts';
import { ServiceError } from '../../../src/errors.ts';
import { createRecorder } from '../../support/observations.ts';
import type { Express } from 'express';

let recorder: ReturnType<typeof createRecorder>;

beforeEach(() => {
  recorder = createRecorder();
});

/** An application whose only route throws this. */
function createThrowing(error: unknown): Express {
  const app = express();
  // Express prints errors that reach it in every environment but test.
  app.set('env', 'production');
  app.use(refuseMalformed);
  app.get('/throws', () => {
    throw error;
  });
  app.get('/cuts', (_request, response) => {
    response.write('half of it');
    throw error;
  });
  app.use(answerNotFound, createErrorHandler(recorder));
  return app;
}

describe('createErrorHandler', () => {
  test('answers a fault with 500 and a problem, and observes it whole', async () => {
    const error = new Error('connect to postgres://ann:geheim@db1 failed');
    const response = await supertest(createThrowing(error)).get('/throws');
    expect(response.status).toBe(500);
    expect(response.type).toBe('application/problem+json');
    expect(response.body).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Internal error in Gatepost; its log says what happened',
      sqlState: 'XX000',
    });
    expect(recorder.observations).toEqual([{ kind: 'fault', component: 'http', error }]);
  });

  test.each([
    [400, 'Bad Request', 'The request is malformed'],
    [413, 'Payload Too Large', 'The request is too large'],
    [
      415,
      'Unsupported Media Type',
      'The content type, charset or content encoding is not supported',
    ],
    [404, 'Not Found', 'The request is malformed'],
  ])(
    "keeps the client's mistake %d and says %s in words of our own",
    async (status, title, detail) => {
      const error = Object.assign(new Error('internal words'), { status });
      const response = await supertest(createThrowing(error)).get('/throws');
      expect(response.status).toBe(status);
      expect(response.body).toEqual({ type: 'about:blank', title, status, detail });
      expect(recorder.observations).toEqual([]);
    },
  );

  test.each([
    ['a status of a server', Object.assign(new Error('x'), { status: 503 })],
    ['a status that is none', Object.assign(new Error('x'), { status: '404' })],
    ['no error at all', 'down'],
  ])('takes what is thrown with %s for a fault', async (_name, error) => {
    const response = await supertest(createThrowing(error)).get('/throws');
    expect(response.status).toBe(500);
    expect(recorder.observations).toHaveLength(1);
  });

  test('cuts an answer that has begun, and prints nothing beside the log', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const error = new Error('late');
    await expect(supertest(createThrowing(error)).get('/cuts')).rejects.toThrow(/aborted|hang up/);
    expect(recorder.observations).toEqual([{ kind: 'fault', component: 'http', error }]);
    await new Promise(setImmediate);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });
});

/** An application that says what is wrong with each request, under an id. */
async function problemOf(error: Error): Promise<supertest.Response> {
  const app = express();
  app.use(identifyRequest, () => {
    throw error;
  });
  app.use(createErrorHandler(recorder));
  return await supertest(app).get('/').set('X-Request-Id', 'trace-7');
}

describe('errors of a database that a route knows more of', () => {
  const error = new ServiceError('22P02', 'invalid input syntax', { hint: 'Look', detail: 'x' });

  test('have its status and fields, and all that the error says', async () => {
    const fields = [{ field: 'age', message: 'It is a number' }];
    const response = await problemOf(new StatementProblem(error, { status: 422, fields }));
    expect(response.status).toBe(422);
    expect(response.body).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'invalid input syntax',
      sqlState: '22P02',
      hint: 'Look',
      databaseDetail: 'x',
      fields,
      requestId: 'trace-7',
    });
    expect(recorder.observations).toEqual([]);
  });

  test('keep the status of the error where the route has none, and say what was done', async () => {
    const duplicate = new ServiceError('XX000', 'E11000', { serverCode: 11000 });
    const response = await problemOf(new StatementProblem(duplicate, { inserted: 0 }));
    expect(response.body).toMatchObject({ status: 409, inserted: 0, mongodb: { code: 11000 } });
    expect(response.body).not.toHaveProperty('fields');
    const conflict = new ServiceError('40001', 'could not serialize');
    const retried = await problemOf(new StatementProblem(conflict, {}));
    expect(retried.get('Retry-After')).toBe('1');
  });
});

describe('errors that say themselves what they are', () => {
  test('are problems with SQLSTATE, hint, position and what the database adds', async () => {
    const response = await problemOf(
      new ServiceError('42P01', 'relation "x" does not exist', {
        detail: 'It was dropped',
        hint: 'Create it',
        position: 15,
        cause: new Error('postgres://ann:geheim@db1'),
      }),
    );
    expect(response.status).toBe(404);
    expect(response.type).toBe('application/problem+json');
    expect(response.get('X-Request-Id')).toBe('trace-7');
    expect(response.body).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'relation "x" does not exist',
      sqlState: '42P01',
      hint: 'Create it',
      position: 15,
      databaseDetail: 'It was dropped',
      requestId: 'trace-7',
    });
    expect(recorder.observations).toEqual([]);
  });

  test("have MongoDB's own code", async () => {
    const response = await problemOf(
      new ServiceError('XX000', 'E11000 duplicate key', { serverCode: 11000 }),
    );
    expect(response.status).toBe(409);
    expect(response.body).toMatchObject({ sqlState: '23505', mongodb: { code: 11000 } });
  });

  test.each([
    ['08001', 503, '5'],
    ['53300', 503, '5'],
    ['40001', 409, '1'],
    ['23505', 409, undefined],
  ])('say when to try again: %s', async (sqlState, status, seconds) => {
    const response = await problemOf(new ServiceError(sqlState, 'x'));
    expect(response.status).toBe(status);
    expect(response.get('Retry-After')).toBe(seconds);
  });

  test('tell which part of a request is not taken, with headers of their own', async () => {
    const response = await problemOf(
      new RequestError(405, 'Not this way', {
        hint: 'That way',
        fields: [{ field: 'a', message: 'is missing' }],
        headers: { Allow: 'GET' },
      }),
    );
    expect(response.status).toBe(405);
    expect(response.get('Allow')).toBe('GET');
    expect(response.body).toEqual({
      type: 'about:blank',
      title: 'Method Not Allowed',
      status: 405,
      detail: 'Not this way',
      hint: 'That way',
      fields: [{ field: 'a', message: 'is missing' }],
      requestId: 'trace-7',
    });
  });

  test('cut an answer that has begun, and are no fault', async () => {
    const error = new ServiceError('57014', 'canceling statement due to query timeout');
    await expect(supertest(createThrowing(error)).get('/cuts')).rejects.toThrow(/aborted|hang up/);
    expect(recorder.observations).toEqual([]);
  });
});

describe('paths that lead nowhere', () => {
  test.each([
    ['/nowhere', 404, 'Not Found'],
    ['/throws/further', 404, 'Not Found'],
    ['/%E0%A4%A', 400, 'Bad Request'],
    ['/throws/%', 400, 'Bad Request'],
    ['/%ff', 400, 'Bad Request'],
  ])('%s is answered with %d', async (path, status, title) => {
    const response = await supertest(createThrowing(new Error('x'))).get(path);
    expect(response.status).toBe(status);
    expect(response.type).toBe('application/problem+json');
    expect(response.body).toMatchObject({ type: 'about:blank', title, status });
    expect(response.text).not.toContain('<');
  });

  test('lets a path with encoded letters through', async () => {
    const response = await supertest(createThrowing(new Error('x'))).get('/gr%C3%B6%C3%9Fe');
    expect(response.status).toBe(404);
  });
});
