import { describe, expect, it } from '@jest/globals';
import express from 'express';
import supertest from 'supertest';
import {
  createEtag,
  createMismatch,
  assertWanted,
  readIfMatch,
  readIfNoneMatch,
  refuseConditions,
} from '../../../routes/mongodb-crud-etag.ts';
import { RequestError } from '../../../routes/request-error.ts';

/** What a request with this If-Match, or another header, comes to. */
async function ask(
  header: string | undefined,
  read: (request: express.Request) => unknown,
  name = 'If-Match',
): Promise<unknown> {
  const app = express();
  app.post('/', (request, response) => {
    try {
      const found = read(request);
      response.json(found instanceof Set ? [...found] : (found ?? null));
    } catch (error) {
      response.json(error instanceof RequestError ? error.status : 'fault');
    }
  });
  const asked = supertest(app).post('/');
  const response = await (header === undefined ? asked : asked.set(name, header));
  const body: unknown = response.body;
  return body;
}

describe('createEtag', () => {
  it('is strong, of 128 bits, and of the text alone', () => {
    expect(createEtag(Buffer.from('{}'))).toBe('"44136fa355b3678a1146ad16f7e8649e"');
    expect(createEtag(Buffer.from('{}'))).toBe(createEtag(Buffer.from('{}')));
    expect(createEtag(Buffer.from('{"a":1}'))).not.toBe(
      createEtag(Buffer.from('{"a":{"$numberDouble":"1.0"}}')),
    );
  });
});

describe('readIfMatch', () => {
  it.each([
    [undefined, null],
    ['*', null],
    ['"a"', ['"a"']],
    [' "a" ', ['"a"']],
    ['"a", "b" ,"c"', ['"a"', '"b"', '"c"']],
    ['"a,b"', ['"a,b"']],
    ['""', ['""']],
    ['W/"a"', ['W/"a"']],
    ['W/"a", "a"', ['W/"a"', '"a"']],
  ])('reads %j as %j', async (header, found) => {
    expect(await ask(header, readIfMatch)).toEqual(found);
  });

  it.each(['a', '"a', '"a" "b"', '"a",', ',"a"', 'w/"a"', '"a", *', "'a'"])(
    'refuses %j',
    async (header) => {
      expect(await ask(header, readIfMatch)).toBe(400);
    },
  );

  it('reads a header of 8 KiB in no time', async () => {
    const startedAtMs = performance.now();
    expect(await ask(`${'"a",'.repeat(2000)}x`, readIfMatch)).toBe(400);
    expect(await ask(`"${'a'.repeat(8000)}`, readIfMatch)).toBe(400);
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
  });
});

describe('readIfNoneMatch', () => {
  it.each([
    [undefined, null],
    [' * ', '*'],
    ['"a"', ['"a"']],
    ['W/"a", "b"', ['"a"', '"b"']],
    ['a', 400],
    ['"a", *', 400],
  ])('reads %j as %j', async (header, found) => {
    expect(await ask(header, readIfNoneMatch, 'If-None-Match')).toEqual(found);
  });
});

describe('assertWanted', () => {
  it.each([
    [undefined, false],
    ['*', true],
    [new Set(['"a"', '"b"']), true],
    [new Set(['"b"']), false],
    [new Set<string>(), false],
  ] as const)('by %p refuses "a": %p', (unwanted, isRefused) => {
    const refusal = expect.objectContaining({ status: 412 });
    let thrown: unknown;
    try {
      assertWanted(unwanted, '"a"');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(isRefused ? refusal : undefined);
  });
});

describe('refuseConditions', () => {
  it('refuses whatever is there', async () => {
    expect(await ask('*', refuseConditions)).toBe(400);
    expect(await ask('*', refuseConditions, 'If-None-Match')).toBe(400);
    expect(await ask('"a"', refuseConditions)).toBe(400);
    expect(await ask(undefined, refuseConditions)).toBeNull();
  });
});

describe('createMismatch', () => {
  it('says what can be done', () => {
    expect(createMismatch()).toMatchObject({ status: 412, hint: expect.stringContaining('ETag') });
  });
});
