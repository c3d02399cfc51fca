import { LosslessNumber, parse } from 'lossless-json';
import { z } from 'zod';
import { describe, expect, it, test } from '@jest/globals';
import { narrowByRequest } from '../../../routes/query-limits.ts';
import { parseQuery, querySchema } from '../../../routes/query-schema.ts';

function read(json: string): unknown {
  return parseQuery(parse(json));
}

describe('the body of a query', () => {
  it('of SQL keeps the params as they were written', () => {
    expect(
      read('{"backend":"postgres","sql":"select $1","params":[1.10,null],"maxRows":5}'),
    ).toEqual({
      backend: 'postgres',
      sql: 'select $1',
      params: [new LosslessNumber('1.10'), null],
      maxRows: 5,
    });
  });

  test.each([
    '{"backend":"mongodb","command":"db.a.find()"}',
    '{"backend":"mongodb","database":"shop","command":{"ping":1,"__proto__":{"x":1}}}',
  ])('for MongoDB: %s', (json) => {
    const query = read(json);
    expect(query).toEqual(parse(json));
    expect({}).not.toHaveProperty('x');
  });

  it('keeps every key of a command document, __proto__ too', () => {
    const query = read('{"backend":"mongodb","command":{"ping":1,"__proto__":{"x":1}}}');
    expect(query).toHaveProperty('command');
    const { command } = query as { command: object };
    expect(Object.keys(command)).toEqual(['ping', '__proto__']);
  });

  test.each([
    ['{}', 'backend', 'must be "postgres" or "mongodb"'],
    ['{"backend":"mysql"}', 'backend', 'must be "postgres" or "mongodb"'],
    ['{"backend":"postgres"}', 'sql', 'must be a string of SQL'],
    ['{"backend":"postgres","sql":7}', 'sql', 'must be a string of SQL'],
    ['{"backend":"postgres","sql":"","params":{}}', 'params', 'must be an array'],
    ['{"backend":"postgres","sql":"","params":7}', 'params', 'must be an array'],
    ['{"backend":"postgres","sql":"","rowMode":"x"}', 'rowMode', 'must be "object" or "array"'],
    ['{"backend":"postgres","sql":"","command":"x"}', 'command', 'is not known here'],
    ['{"backend":"postgres","sql":"","query_timeout":1}', 'query_timeout', 'is not known here'],
    ['{"backend":"postgres","sql":"","maxRows":0}', 'maxRows', 'must be 1 at least'],
    ['{"backend":"postgres","sql":"","maxRows":-1}', 'maxRows', 'must be 1 at least'],
    ['{"backend":"postgres","sql":"","maxRows":1.5}', 'maxRows', 'must be a whole number of rows'],
    ['{"backend":"postgres","sql":"","maxBytes":1e400}', 'maxBytes', /whole number of bytes/],
    ['{"backend":"postgres","sql":"","timeoutMs":"1"}', 'timeoutMs', /number of milliseconds/],
    ['{"backend":"postgres","sql":"","onLimit":"x"}', 'onLimit', 'must be "truncate" or "error"'],
    ['{"backend":"mongodb"}', 'command', 'must be shell text, or a command document'],
    ['{"backend":"mongodb","command":[]}', 'command', /shell text/],
    ['{"backend":"mongodb","command":7}', 'command', /shell text/],
    ['{"backend":"mongodb","command":"","database":7}', 'database', /name of a database/],
    ['{"backend":"mongodb","command":"","sql":""}', 'sql', 'is not known here'],
  ])('%s is refused for %s', (json, field, message) => {
    expect(() => read(json)).toThrow(
      expect.objectContaining({
        status: 422,
        fields: [
          {
            field,
            message: typeof message === 'string' ? message : expect.stringMatching(message),
          },
        ],
      }),
    );
  });

  test.each(['[]', '7', '"x"', 'null'])('is an object, and not %s', (json) => {
    expect(() => read(json)).toThrow(expect.objectContaining({ status: 422 }));
  });

  it('with __proto__ in it sets nothing', () => {
    const json = '{"__proto__":{"maxRows":1},"backend":"postgres","sql":"select 1"}';
    try {
      expect(read(json)).not.toHaveProperty('maxRows');
    } catch (error) {
      expect(error).toMatchObject({ status: 422 });
    }
    expect({}).not.toHaveProperty('maxRows');
  });

  it('is described by the schema that checks it', () => {
    expect(z.toJSONSchema(querySchema, { io: 'input' })).toMatchObject({
      oneOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['backend', 'sql'],
          properties: { backend: { const: 'postgres' }, maxRows: { type: 'integer', minimum: 1 } },
        },
        {
          required: ['backend', 'command'],
          properties: { command: { type: ['string', 'object'] } },
        },
      ],
    });
  });
});

describe('limits of a request', () => {
  const LIMITS = {
    rowsMax: 100,
    bytesMax: 1000,
    queryTimeoutMs: 30_000,
    onLimit: 'truncate',
  } as const;

  it('are the configured ones unless said', () => {
    expect(narrowByRequest(LIMITS, {})).toEqual(LIMITS);
  });

  it('are what was asked for', () => {
    expect(
      narrowByRequest(LIMITS, { maxRows: 100, maxBytes: 1, timeoutMs: 5, onLimit: 'error' }),
    ).toEqual({ rowsMax: 100, bytesMax: 1, queryTimeoutMs: 5, onLimit: 'error' });
  });

  it('are never widened, and never quietly', () => {
    expect(() => narrowByRequest(LIMITS, { maxRows: 101, maxBytes: 1001, timeoutMs: 1 })).toThrow(
      expect.objectContaining({
        status: 422,
        fields: [
          { field: 'maxRows', message: 'is 100 at most' },
          { field: 'maxBytes', message: 'is 1000 at most' },
        ],
      }),
    );
  });
});
