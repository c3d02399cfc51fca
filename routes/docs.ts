// GET /openapi.json and GET /docs: the API's description, for programs and for readers.
import { Router } from 'express';
import { DOCS_POLICY, renderDocsPage } from './docs-page.ts';
import { createOpenApiDocument } from './openapi.ts';
import type { DescribedApi } from './openapi.ts';
import { serveMethods } from './serve-methods.ts';

/**
 * Answers at these two paths only, and asks for no token: they say what there could be, and
 * nothing of what there is. Both are made once.
 */
export function createDocsRoutes(api: DescribedApi): Router {
  const router = Router();
  const document = createOpenApiDocument(api);
  const json = Buffer.from(JSON.stringify(document));
  const page = Buffer.from(renderDocsPage(document));
  serveMethods(router, '/openapi.json', {
    get: (_request, response) => {
      response.type('application/json').send(json);
    },
  });
  serveMethods(router, '/docs', {
    get: (_request, response) => {
      response.set('Content-Security-Policy', DOCS_POLICY).type('text/html').send(page);
    },
  });
  return router;
}
