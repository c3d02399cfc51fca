import { createServer } from 'node:http';
import type { Server } from 'node:http';
import express from 'express';
import supertest from 'supertest';
import { afterEach, describe, expect, it, test } from '@jest/globals';
import { ACCOUNT_BODIES, parseBody } from '../../../routes/account-schemas.ts';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { parseJsonBody } from '../../../routes/json-body.ts';
import { createRecorder } from '../../support/observations.ts';

const PASSWORD = 'correct horse battery staple';

let server: Server | undefined;

afterEach(() => {
  server?.close();
});

/** What a body of this kind comes to, or the problem that it is. */
async function send(kind: keyof typeof ACCOUNT_BODIES, json: string): Promise<supertest.Response> {
  const app = express();
  app.use(parseJsonBody, (request, response) => {
    response.json({ parsed: parseBody(ACCOUNT_BODIES[kind], request) });
  });
  app.use(createErrorHandler(createRecorder()));
  server = createServer(app).listen(0, '127.0.0.1');
  return await supertest(server).post('/').type('json').send(json);
}

describe('a body', () => {
  test.each<[keyof typeof ACCOUNT_BODIES, object]>([
    ['Login', { name: 'ada', password: 'x' }],
    ['Login', { name: 'no name at all', password: 'x'.repeat(1024) }],
    ['PasswordChange', { current: 'x', new: PASSWORD }],
    ['NewSecret', { password: PASSWORD }],
    ['NewSecret', { verifier: 'SCRAM-SHA-256$4096:x$y:z' }],
    ['NewAccount', { name: 'ada', password: PASSWORD, scope: 'read' }],
    [
      'NewAccount',
      {
        ...{ name: 'Ada.L@example-1_x', verifier: 'SCRAM', scope: 'admin' },
        limits: { rowsMax: 1, bytesMax: 9_007_199_254_740_991, connectionsMax: null },
        ...{ backends: ['postgres', 'mongodb'], databases: ['a b', 'ä'] },
      },
    ],
    ['AccountChanges', { isDisabled: true }],
    ['AccountChanges', { limits: {}, backends: null, databases: null }],
    ['NewToken', { name: 'cli' }],
    ['NewToken', { name: 'cli', scope: 'admin', expiresAt: '2030-01-31T12:00:00+02:00' }],
    ['NewToken', { name: 'cli', expiresAt: null }],
  ])('of %s is taken as it is: %j', async (kind, body) => {
    const answer = await send(kind, JSON.stringify(body));
    expect([answer.status, answer.body]).toEqual([200, { parsed: body }]);
  });

  test.each<[keyof typeof ACCOUNT_BODIES, object, string]>([
    ['Login', { name: 'ada' }, 'password'],
    ['Login', { name: '', password: 'x' }, 'name'],
    ['Login', { name: { $ne: '' }, password: 'x' }, 'name'],
    ['Login', { name: 'ada', password: ['x'] }, 'password'],
    ['PasswordChange', { current: PASSWORD }, 'new'],
    ['NewSecret', {}, 'password'],
    ['NewSecret', { password: PASSWORD, verifier: 'x' }, 'password'],
    ['NewAccount', { name: 'ada', password: PASSWORD }, 'scope'],
    ['NewAccount', { name: '-ada', password: PASSWORD, scope: 'read' }, 'name'],
    ['AccountChanges', {}, ''],
    ['AccountChanges', { name: 'eve' }, 'name'],
    ['AccountChanges', { limits: { rowsMax: -1 } }, 'limits.rowsMax'],
    ['AccountChanges', { limits: { rowsMax: '5' } }, 'limits.rowsMax'],
    ['AccountChanges', { databases: [''] }, 'databases.0'],
    ['AccountChanges', { databases: 'app' }, 'databases'],
    ['AccountChanges', { isDisabled: 1 }, 'isDisabled'],
    ['NewToken', { name: 'a b' }, 'name'],
    ['NewToken', { name: 'cli', scope: 'owner' }, 'scope'],
    ['NewToken', { name: 'cli', expiresAt: 'tomorrow' }, 'expiresAt'],
    ['NewToken', { name: 'cli', expiresAt: '2030-01-31' }, 'expiresAt'],
  ])('of %s is 422 for %j, which names %j', async (kind, body, field) => {
    const answer = await send(kind, JSON.stringify(body));
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      fields: expect.arrayContaining([{ field, message: expect.any(String) }]),
    });
    expect(answer.text).not.toContain(PASSWORD);
  });

  it('has numbers that are counted with, however they are written', async () => {
    const answer = await send('AccountChanges', '{"limits":{"rowsMax":1e3,"bytesMax":5.0}}');
    expect(answer.body).toEqual({ parsed: { limits: { rowsMax: 1000, bytesMax: 5 } } });
    const tooMany = await send('AccountChanges', '{"limits":{"rowsMax":99999999999999999999}}');
    expect(tooMany.status).toBe(422);
  });

  it('has no prototype to set', async () => {
    const answer = await send(
      'AccountChanges',
      '{"isDisabled":true,"__proto__":{"scope":"admin"}}',
    );
    expect(answer.status).toBe(422);
  });

  test.each(['[]', '"x"', '5', 'null'])('is an object, and not %s', async (json) => {
    expect((await send('NewToken', json)).status).toBe(422);
  });

  test.each(['', '{', '{"name":"cli","name":"other"}'])('is JSON, and not %j', async (json) => {
    expect((await send('NewToken', json)).status).toBe(400);
  });
});
