import supertest from 'supertest';
import { describe, expect, test } from '@jest/globals';
import { createAccess } from '../../../routes/access.ts';
import { createCors } from '../../../routes/cors.ts';
import { createApiApp } from '../../support/api-app.ts';

const ORIGIN = 'https://app.example.com';
const OTHER = 'https://evil.example.com';

/** As the service has it: before what asks for a token. */
function ask(origins: readonly string[]): ReturnType<typeof supertest> {
  const { identify, guard } = createAccess({
    tokens: [{ name: 'ci', scope: 'read', sha256: '0f'.repeat(32) }],
    corsOrigins: origins,
    isMetricsOpen: true,
    isLoopbackOnly: true,
  });
  return supertest(createApiApp([createCors(origins), identify, guard]));
}

const preflight = { 'Access-Control-Request-Method': 'PATCH' };

describe('CORS', () => {
  test.each(['get', 'options'] as const)('is off without origins: %s', async (method) => {
    const app = ask([]);
    const response = await app[method]('/api').set({ ...preflight, Origin: ORIGIN });
    expect(response.status).toBe(401);
    expect(Object.keys(response.headers).join()).not.toContain('access-control');
    expect(response.headers).not.toHaveProperty('vary');
  });

  test('answers a preflight, which has no token', async () => {
    const response = await ask([ORIGIN, 'https://b.test'])
      .options('/api/postgres/public/orders')
      .set({
        ...preflight,
        Origin: ORIGIN,
        'Access-Control-Request-Headers': 'authorization,x-evil',
      });
    expect(response.status).toBe(204);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET,HEAD,POST,PUT,PATCH,DELETE',
      'access-control-allow-headers':
        'Accept,Authorization,Cache-Control,Content-Type,If-Match,If-None-Match,X-Request-Id',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    expect(response.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  test('allows no other origin', async () => {
    const response = await ask([ORIGIN])
      .options('/api')
      .set({ ...preflight, Origin: OTHER });
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    const plain = await ask([ORIGIN]).get('/api').set('Origin', OTHER);
    expect(plain.headers).not.toHaveProperty('access-control-allow-origin');
    expect(plain.headers['vary']).toBe('Origin');
  });

  test.each(['null', `${ORIGIN}.evil.example.com`, `${ORIGIN}:444`, 'http://app.example.com', '*'])(
    'allows nothing that only looks like the origin: %s',
    async (origin) => {
      const response = await ask([ORIGIN]).get('/api').set('Origin', origin);
      expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  test('lets the page read an answer, refusals included, and our headers of it', async () => {
    const response = await ask([ORIGIN]).get('/api').set('Origin', ORIGIN);
    expect(response.status).toBe(401);
    expect(response.headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(response.headers['access-control-expose-headers']).toBe(
      'Age,ETag,Link,Location,X-Cache,X-Request-Id,RateLimit,RateLimit-Policy,Retry-After',
    );
  });

  test('leaves an OPTIONS that is no preflight to the route', async () => {
    const response = await ask([ORIGIN]).options('/api').set('Origin', ORIGIN);
    expect(response.status).toBe(401);
  });
});
