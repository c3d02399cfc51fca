import { execFileSync } from 'node:child_process';
import { describe, expect, it, test } from '@jest/globals';
import { createSample, formatCurl } from '../../../routes/docs-sample.ts';
import type { SampleRequest } from '../../../routes/docs-sample.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import { operationsOf } from '../../../routes/openapi-walk.ts';

const document = createOpenApiDocument({ version: '1.2.3', hasPostgres: true, hasMongodb: true });

function sampleOf(operationId: string): SampleRequest | undefined {
  const found = operationsOf(document.paths).find(
    ({ operation }) => operation.operationId === operationId,
  );
  return found && createSample(document, found);
}

/** What a shell gives to curl. */
function argumentsOf(command: string): string[] {
  const script = `curl() { printf '%s\\n--\\n' "$@"; }\n${command}`;
  const environment = { GATEPOST: 'http://gate:3000', TOKEN: 'gp_$secret' };
  const output = execFileSync('/bin/sh', ['-c', script], { env: environment });
  return output.toString('utf8').split('\n--\n').slice(0, -1);
}

describe('a sample', () => {
  it('fills in the path and the parameters that have examples', () => {
    expect(sampleOf('listRows')).toEqual({
      method: 'GET',
      url:
        '/api/postgres/public/people?age=gte.18&select=name%2Cage&order=age.desc' +
        '&limit=20&count=exact',
      hasToken: true,
      body: undefined,
    });
  });

  it('has the first example as its body', () => {
    expect(sampleOf('createDocuments')).toEqual({
      method: 'POST',
      url: '/api/mongodb/app/people',
      hasToken: true,
      body: '{"name":"Ada","age":36}',
    });
  });

  it('has a filter where one is needed', () => {
    expect(sampleOf('deleteRows')?.url).toBe('/api/postgres/public/people?age=lt.18');
  });

  it('has no token where none is needed', () => {
    expect(sampleOf('livez')).toMatchObject({ hasToken: false });
    expect(sampleOf('metrics')).toMatchObject({ hasToken: true });
  });
});

describe('a command of curl', () => {
  const AUTHORIZED = ['-H', 'Authorization: Bearer gp_$secret'];
  const JSON_TYPE = ['-H', 'Content-Type: application/json'];

  test.each([
    [
      'a question',
      { method: 'GET', url: '/a?b=c&d=e', hasToken: true, body: undefined },
      ['-s', 'http://gate:3000/a?b=c&d=e', ...AUTHORIZED],
    ],
    [
      'an open question',
      { method: 'GET', url: '/livez', hasToken: false, body: undefined },
      ['-s', 'http://gate:3000/livez'],
    ],
    [
      'a body that a shell would read',
      { method: 'PUT', url: "/it's", hasToken: true, body: `{"a":"$HOME \`id\` 'x' \\n"}` },
      [
        ...['-s', '-X', 'PUT', "http://gate:3000/it's"],
        ...[...AUTHORIZED, ...JSON_TYPE, '-d', `{"a":"$HOME \`id\` 'x' \\n"}`],
      ],
    ],
  ])('gives curl %s as it is', (_name, sample, expected) => {
    expect(argumentsOf(formatCurl(sample))).toEqual(expected);
  });

  test.each(operationsOf(document.paths).map((one) => [one.operation.operationId, one] as const))(
    'is one command for %s',
    (_id, described) => {
      const sample = createSample(document, described);
      const given = argumentsOf(formatCurl(sample));
      expect(given).toContain(`http://gate:3000${sample.url}`);
      expect(given.at(-1)).toBe(
        sample.body ?? (sample.hasToken ? AUTHORIZED[1] : `http://gate:3000${sample.url}`),
      );
    },
  );
});
