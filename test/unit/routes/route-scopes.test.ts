import { Router } from 'express';
import { describe, expect, it, test } from '@jest/globals';
import {
  assertScoped,
  ROUTE_SCOPES,
  scopeOfOperation,
  scopeOfRequest,
  toTemplate,
} from '../../../routes/route-scopes.ts';
import { serveMethods } from '../../../routes/serve-methods.ts';

const handler = (): void => undefined;

describe('the table of scopes', () => {
  it('has what is open, and nothing else is', () => {
    const open = Object.entries(ROUTE_SCOPES).flatMap(([path, scopes]) =>
      Object.entries(scopes).flatMap(([method, scope]) =>
        ['open', 'metrics'].includes(scope) ? [`${method} ${path} ${scope}`] : [],
      ),
    );
    expect(open).toEqual([
      'get /livez open',
      'get /readyz open',
      'get /health open',
      'get /metrics metrics',
      'get /openapi.json open',
      'get /docs open',
      'post /auth/login open',
    ]);
  });

  it('lets readers write nothing below /api, and only administrators see accounts', () => {
    for (const [path, scopes] of Object.entries(ROUTE_SCOPES)) {
      for (const [method, scope] of Object.entries(scopes)) {
        const isAccounts = path.startsWith('/api/accounts');
        const usual = path.startsWith('/api') ? (method === 'get' ? 'read' : 'write') : scope;
        expect([path, method, scope]).toEqual([path, method, isAccounts ? 'admin' : usual]);
      }
    }
  });

  it('is asked before anything is served', () => {
    const router = Router();
    expect(() => serveMethods(router, '/api/postgres', { get: handler })).not.toThrow();
    expect(() => serveMethods(router, '/api/postgres', { get: handler, post: handler })).toThrow(
      'POST /api/postgres is not in the table of scopes',
    );
    expect(() => serveMethods(router, '/api/secrets', { get: handler })).toThrow(
      'GET /api/secrets is not in the table of scopes',
    );
    // Nothing of what was refused is mounted.
    expect(router.stack).toHaveLength(1);
    expect(() => assertScoped('/query', [])).not.toThrow();
  });
});

describe('a request', () => {
  const scopes = { get: 'read', post: 'write', delete: 'admin' } as const;

  test.each([
    ['GET', 'read'],
    ['HEAD', 'read'],
    ['POST', 'write'],
    ['DELETE', 'admin'],
    ['OPTIONS', 'read'],
    ['PATCH', 'read'],
    ['TRACE', 'read'],
    ['get', 'read'],
  ])('of %s asks for %s', (method, scope) => {
    expect(scopeOfRequest(scopes, method)).toBe(scope);
  });

  test.each([
    [{ post: 'admin' }, 'admin'],
    [{ post: 'write', delete: 'admin' }, 'write'],
    [{ post: 'any', get: 'read' }, 'any'],
    [{ post: 'open', get: 'admin' }, 'open'],
    [{}, 'admin'],
  ] as const)('of another method asks for the least of the path: %j, %s', (path, scope) => {
    expect(scopeOfRequest(path, 'OPTIONS')).toBe(scope);
  });
});

describe('an operation of the description', () => {
  test.each([
    ['/query', 'post', 'read'],
    ['/api/postgres/{schema}/{table}/{key}', 'patch', 'write'],
    ['/api/accounts/{name}/tokens/{id}', 'delete', 'admin'],
    ['/auth/me', 'get', 'any'],
  ] as const)('%s %s asks for %s', (path, method, scope) => {
    expect(scopeOfOperation(path, method)).toBe(scope);
  });

  test.each([
    ['/nothing', 'get'],
    ['/query', 'get'],
    ['/api/postgres/:schema', 'get'],
  ] as const)('is not described where it is not in the table: %s %s', (path, method) => {
    expect(() => scopeOfOperation(path, method)).toThrow('is not in the table of scopes');
  });

  it('is called as its path', () => {
    expect(toTemplate('/a/:b/c/*rest')).toBe('/a/{b}/c/{rest}');
  });
});
