import express from 'express';
import type { RequestHandler } from 'express';
import supertest from 'supertest';
import { describe, expect, it, test } from '@jest/globals';
import { beginRecord, recordOf, sendBody } from '../../../routes/cached-record.ts';
import type { AnswerRecord } from '../../../routes/cached-record.ts';
import type { Fill } from '../../../src/store/response-cache-fills.ts';

interface Noted {
  readonly fill: Fill;
  readonly body: () => string;
  /** `keep` with its arguments, or `abandon`, in their order. */
  readonly ends: unknown[];
}

/** A fill that notes what it is told. */
function noteFill(): Noted {
  const pieces: Buffer[] = [];
  const ends: unknown[] = [];
  return {
    ends,
    body: () => Buffer.concat(pieces).toString(),
    fill: {
      add: (piece) => pieces.push(piece),
      keep: (headers, dependsOn) => ends.push({ headers, dependsOn }),
      abandon: () => ends.push('abandon'),
    },
  };
}

async function answer(handler: RequestHandler, etag = ''): Promise<supertest.Response> {
  const app = express().disable('etag');
  app.get('/', handler);
  return await supertest(app).get('/').set('If-None-Match', etag);
}

describe('the record of an answer', () => {
  it('is found by its response, and by no other one', async () => {
    const found: unknown[] = [];
    let record: AnswerRecord | undefined;
    await answer((_request, response) => {
      record = beginRecord(response, noteFill().fill);
      found.push(recordOf(response));
      response.end();
    });
    await answer((_request, response) => {
      found.push(recordOf(response));
      response.end();
    });
    expect(found).toEqual([record, undefined]);
  });

  it('has the body that is sent, and its headers', async () => {
    const { fill, body, ends } = noteFill();
    const { text } = await answer((_request, response) => {
      const record = beginRecord(response, fill);
      response.set({ ETag: '"1"', Link: '</next>; rel="next"', 'X-Cache': 'miss' }).type('json');
      sendBody(response, Buffer.from('{"a":"ü"}'));
      record.finish();
    });
    expect([text, body()]).toEqual(['{"a":"ü"}', '{"a":"ü"}']);
    const headers = {
      'Content-Type': 'application/json; charset=utf-8',
      ETag: '"1"',
      Link: '</next>; rel="next"',
    };
    expect(ends).toEqual([{ headers, dependsOn: undefined }]);
  });

  it('is whole where the client is told that it has the body', async () => {
    const { fill, body, ends } = noteFill();
    const { status, text } = await answer((_request, response) => {
      const record = beginRecord(response, fill);
      sendBody(response.set('ETag', '"1"').type('json'), Buffer.from('{}'));
      record.finish();
    }, '"1"');
    expect([status, text, body()]).toEqual([304, '', '{}']);
    const headers = { 'Content-Type': 'application/json; charset=utf-8', ETag: '"1"' };
    expect(ends).toEqual([{ headers, dependsOn: undefined }]);
  });

  it('says what the answer depends on, where that is known', async () => {
    const { fill, ends } = noteFill();
    await answer((_request, response) => {
      const record = beginRecord(response, fill);
      record.dependOn(['table']);
      sendBody(response, Buffer.from(''));
      record.finish();
    });
    expect(ends).toMatchObject([{ dependsOn: ['table'] }]);
  });

  test.each([201, 206, 404, 500])('is not kept with status %d', async (status) => {
    const { fill, ends } = noteFill();
    await answer((_request, response) => {
      const record = beginRecord(response, fill);
      sendBody(response.status(status), Buffer.from('{}'));
      record.finish();
    });
    expect(ends).toEqual(['abandon']);
  });

  it('takes nothing of an answer that is not recorded', async () => {
    const { text } = await answer((_request, response) => {
      sendBody(response.type('text'), Buffer.from('as it is'));
    });
    expect(text).toBe('as it is');
  });
});
