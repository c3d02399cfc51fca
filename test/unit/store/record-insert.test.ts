import { describe, expect, it, test } from '@jest/globals';
import {
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
} from 'mongodb';
import { ServiceError, SQLSTATE } from '../../../src/errors.ts';
import { RecordInsert, refusalOf } from '../../../src/store/record-insert.ts';

const serverError = (code: number, codeName?: string): MongoServerError =>
  new MongoServerError({ message: 'no', code, ...(codeName !== undefined && { codeName }) });

describe('refusalOf', () => {
  test.each<readonly [string, unknown]>([
    ['a connection that is lost', new MongoNetworkError('read ECONNRESET')],
    ['a silence', new MongoNetworkTimeoutError('timed out')],
    ['a socket’s own error', Object.assign(new Error('write EPIPE'), { syscall: 'write' })],
    ['an outage', new ServiceError(SQLSTATE.connectionFailure, 'Cannot reach MongoDB')],
    ['a server that is out of time', serverError(50)],
    ['a primary that has stepped down', serverError(189)],
    ['a server that has no primary', serverError(10107)],
    ['a server that shuts down', serverError(11600)],
    ['a majority that is late', serverError(64)],
    ['a number that another one has used', serverError(225)],
  ])('lets pass %s', (_name, error) => {
    expect(refusalOf(error)).toBeUndefined();
  });

  it('lets pass what the server itself calls passing', () => {
    const error = serverError(12_345);
    error.addErrorLabel('RetryableWriteError');
    expect(refusalOf(error)).toBeUndefined();
  });

  test.each<readonly [string, unknown, string]>([
    ['a missing right', serverError(13, 'Unauthorized'), 'refused (Unauthorized)'],
    ['a code without a name', serverError(12_345), 'refused (no name)'],
    ['a bug of ours', new TypeError('x is undefined'), 'refused (fault)'],
  ])('counts %s', (_name, error, reason) => {
    expect(refusalOf(error)).toBe(reason);
  });

  it('says nothing that an error has in its message', () => {
    const secret = 'Zq9kTv7w';
    const errors = [
      new MongoServerError({ message: secret, code: 13, codeName: 'Unauthorized' }),
      new MongoInvalidArgumentError(secret),
      new Error(secret),
    ];
    expect(JSON.stringify(errors.map(refusalOf))).not.toContain(secret);
  });
});

describe('RecordInsert', () => {
  it('prepares nothing and sends nothing where MongoDB is away', async () => {
    let prepared = 0;
    const away = new ServiceError(SQLSTATE.connectionFailure, 'Cannot reach MongoDB');
    const insert = new RecordInsert({
      client: { open: async () => await Promise.reject(away) },
      collection: 'activity',
      prepare: async () => {
        prepared += 1;
        await Promise.resolve();
      },
    });
    await expect(insert.open(new AbortController().signal)).rejects.toBe(away);
    expect(prepared).toBe(0);
  });
});
