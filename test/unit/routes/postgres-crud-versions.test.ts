import express from 'express';
import supertest from 'supertest';
import { describe, expect, it } from '@jest/globals';
import {
  assertWanted,
  readUnwantedVersions,
  readVersions,
  refuseVersions,
  setVersion,
} from '../../../routes/postgres-crud-versions.ts';
import { RequestError } from '../../../routes/request-error.ts';
import { createColumn, createTable } from '../../support/crud-columns.ts';
import type { ErrorRequestHandler } from 'express';
import type { CrudTable } from '../../../src/backends/postgres/crud-table.ts';

const versioned = createTable([createColumn('id', 'int4')], ['id']);
const unversioned = { ...versioned, isVersioned: false };

const sendStatus: ErrorRequestHandler = (error, _request, response, next) => {
  if (error instanceof RequestError) {
    response.sendStatus(error.status);
  } else {
    next(error);
  }
};

/** What a request with this header comes to: the versions, or the status of the refusal. */
async function ask(ifMatch: string | undefined, table: CrudTable): Promise<unknown> {
  const app = express();
  app.get('/', (request, response) => {
    response.json({ versions: readVersions(request, table) });
  });
  app.use(sendStatus);
  const request = supertest(app).get('/');
  const response = await (ifMatch === undefined ? request : request.set('If-Match', ifMatch));
  const { status, text } = response;
  return status === 200 ? JSON.parse(text) : status;
}

describe('readVersions', () => {
  it.each([
    [undefined, {}],
    ['*', {}],
    ['"742"', { versions: ['742'] }],
    ['"1", "2" ,"3"', { versions: ['1', '2', '3'] }],
    ['W/"1"', { versions: [] }],
    ['W/"1","2"', { versions: ['2'] }],
    ['""', { versions: [''] }],
    ['"a,b"', { versions: ['a,b'] }],
  ])('of If-Match: %s are %j', async (header, versions) => {
    expect(await ask(header, versioned)).toEqual(versions);
  });

  it.each(['742', '"742', '"1" "2"', '"1",,"2"', "'1'", '"a b"', 'w/"1"', '*,"1"'])(
    'refuses If-Match: %s',
    async (header) => {
      expect(await ask(header, versioned)).toBe(400);
    },
  );

  it('are none of a table without, where no request for one can be kept', async () => {
    expect(await ask('"1"', unversioned)).toBe(412);
    expect(await ask('*', unversioned)).toEqual({});
    expect(await ask(undefined, unversioned)).toEqual({});
  });
});

describe('readUnwantedVersions', () => {
  it.each([
    [undefined, {}],
    ['*', { unwanted: '*' }],
    ['"1", W/"2"', { unwanted: ['1', '2'] }],
    ['1', 400],
    ['"1", *', 400],
  ])('of If-None-Match: %s are %j', async (header, expected) => {
    const app = express();
    app.post('/', (request, response) => {
      response.json({ unwanted: readUnwantedVersions(request) });
    });
    app.use(sendStatus);
    const asked = supertest(app).post('/');
    const { status, text } = await (header === undefined
      ? asked
      : asked.set('If-None-Match', header));
    expect(status === 200 ? JSON.parse(text) : status).toEqual(expected);
  });
});

describe('assertWanted', () => {
  it.each([
    [undefined, '1', false],
    ['*', '1', true],
    ['*', undefined, true],
    [['1', '2'], '1', true],
    [['2'], '1', false],
    [['1'], undefined, false],
  ] as const)('by %p refuses the version %p: %p', (unwanted, version, isRefused) => {
    let thrown: unknown;
    try {
      assertWanted(unwanted, version);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(isRefused ? expect.objectContaining({ status: 412 }) : undefined);
  });
});

describe('refuseVersions', () => {
  it('refuses a version where it would not be looked at', async () => {
    const app = express();
    app.get('/', (request, response) => {
      refuseVersions(request);
      response.end();
    });
    app.use(sendStatus);
    expect((await supertest(app).get('/').set('If-Match', '*')).status).toBe(400);
    expect((await supertest(app).get('/').set('If-None-Match', '*')).status).toBe(400);
    expect((await supertest(app).get('/')).status).toBe(200);
  });
});

describe('setVersion', () => {
  it.each([
    ['versioned', versioned, '"742"'],
    ['unversioned', unversioned, undefined],
  ])('shows the version of a row that is %s', async (_what, table, tag) => {
    const app = express();
    app.disable('etag');
    app.get('/', (_request, response) => {
      setVersion(response, table, [Buffer.from('1'), Buffer.from('742')]);
      response.end('row');
    });
    expect((await supertest(app).get('/')).get('ETag')).toBe(tag);
  });
});
