// GET /openapi.json and GET /docs: the API's description, for programs and for readers.
import { Router } from 'express';
import type { RequestHandler } from 'express';
import { DOCS_POLICY, renderDocsPage } from './docs-page.ts';
import { createOpenApiDocument } from './openapi.ts';
import type { DescribedApi } from './openapi.ts';
import { RequestError } from './request-error.ts';

const ALLOW = 'GET, HEAD, OPTIONS';

/**
 * Answers at these two paths only, and asks for no token: they say what there could be, and
 * nothing of what there is. Both are made once.
 */
export function createDocsRoutes(api: DescribedApi): Router {
  const router = Router();
  const document = createOpenApiDocument(api);
  const json = Buffer.from(JSON.stringify(document));
  const page = Buffer.from(renderDocsPage(document));
  serve(router, '/openapi.json', (_request, response) => {
    response.type('application/json').send(json);
  });
  serve(router, '/docs', (_request, response) => {
    response.set('Content-Security-Policy', DOCS_POLICY).type('text/html').send(page);
  });
  return router;
}

/** Express answers HEAD with the GET handler; every other method is answered here. */
function serve(router: Router, path: string, handler: RequestHandler): void {
  router
    .route(path)
    .get(handler)
    .options((_request, response) => {
      response.set('Allow', ALLOW).status(204).end();
    })
    .all(() => {
      throw new RequestError(405, `This path answers ${ALLOW} only`, { headers: { Allow: ALLOW } });
    });
}
