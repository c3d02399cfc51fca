import express from 'express';
import supertest from 'supertest';
import { describe, expect, test } from '@jest/globals';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { negotiateFormat } from '../../../routes/result-format.ts';
import { createRecorder } from '../../support/observations.ts';

const app = express();
app.get('/', (request, response) => {
  response.send(negotiateFormat(request).name);
});
app.use(createErrorHandler(createRecorder()));

/** What a client is answered that accepts this: a format, or a status. */
async function answerTo(accept: string): Promise<string | number> {
  const { status, text } = await supertest(app).get('/').set('Accept', accept);
  return status === 200 ? text : status;
}

describe('the format of results', () => {
  test.each<readonly [accept: string, answer: string | number]>([
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['application/json', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['text/csv', 'csv'],
    ['text/csv;q=0.5, application/x-ndjson', 'ndjson'],
    ['application/json;q=0, */*', 'ndjson'],
    ['application/json;q=0', 406],
    ['text/html', 406],
  ])('for Accept: %s is %s', async (accept, answer) => {
    expect(await answerTo(accept)).toBe(answer);
  });

  test.each<readonly [accept: string, answer: string | number]>([
    ['application/json; charset=utf-8', 'json'],
    ['application/json;charset="utf-8"', 'json'],
    ['text/csv; header=present; charset=UTF-8', 'csv'],
    ['application/x-ndjson;version=1;q=0.9, text/csv;charset=utf-8;q=0.8', 'ndjson'],
    ['text/csv;x="a, application/json;q=1";q=0.5, application/x-ndjson; q=0.4', 'csv'],
    ['text/csv; note="\\", */*", application/json;q=0.1', 'csv'],
    ['application/json;charset=utf-8;q=0', 406],
    ['text/html; charset=utf-8', 406],
  ])('does not depend on parameters: %s is %s', async (accept, answer) => {
    expect(await answerTo(accept)).toBe(answer);
  });

  test('is found at once in a header that is made to take long', async () => {
    const startMs = performance.now();
    await answerTo(`text/csv${';"\\'.repeat(2000)}`);
    expect(performance.now() - startMs).toBeLessThan(1000);
  });
});
