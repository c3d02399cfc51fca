import { createHash } from 'node:crypto';
import express from 'express';
import helmet from 'helmet';
import supertest from 'supertest';
import { describe, expect, it, test } from '@jest/globals';
import { createDocsRoutes } from '../../../routes/docs.ts';
import { createErrorHandler } from '../../../routes/error-handler.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import { createRecorder } from '../../support/observations.ts';

const API = { version: '1.2.3', hasPostgres: true, hasMongodb: false };

const request = supertest(
  express()
    .disable('etag')
    .use(
      helmet({
        contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
      }),
      createDocsRoutes(API),
      createErrorHandler(createRecorder()),
    ),
);

describe('/openapi.json', () => {
  it('is the description of what is served', async () => {
    const response = await request.get('/openapi.json');
    expect(response.status).toBe(200);
    expect(response.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(response.body).toEqual(createOpenApiDocument(API));
    expect(response.text).not.toContain('/api/mongodb');
  });
});

describe('/docs', () => {
  it('is a page that may load nothing but its own style', async () => {
    const response = await request.get('/docs');
    expect(response.status).toBe(200);
    expect(response.get('Content-Type')).toBe('text/html; charset=utf-8');
    const styles = [...response.text.matchAll(/<style>([^]*?)<\/style>/g)];
    const hashes = styles.map(([, style = '']) => createHash('sha256').update(style));
    expect(hashes).toHaveLength(1);
    expect(response.get('Content-Security-Policy')?.split(';')).toEqual([
      `default-src 'none'`,
      ...hashes.map((hash) => `style-src 'sha256-${hash.digest('base64')}'`),
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
    ]);
  });
});

describe.each(['/openapi.json', '/docs'])('%s', (path) => {
  it('answers HEAD as GET, without the body', async () => {
    const [head, get] = [await request.head(path), await request.get(path)];
    expect(head.status).toBe(200);
    expect(head.body).toEqual({});
    expect(head.get('Content-Length')).toBe(String(Buffer.byteLength(get.text)));
    expect(head.get('Content-Type')).toBe(get.get('Content-Type'));
  });

  it('lists its methods', async () => {
    const response = await request.options(path);
    expect(response.status).toBe(204);
    expect(response.get('Allow')).toBe('GET, HEAD, OPTIONS');
  });

  test.each(['post', 'put', 'patch', 'delete'] as const)('refuses %s', async (method) => {
    const response = await request[method](path).send({});
    expect(response.status).toBe(405);
    expect(response.type).toBe('application/problem+json');
    expect(response.get('Allow')).toBe('GET, HEAD, OPTIONS');
  });
});
