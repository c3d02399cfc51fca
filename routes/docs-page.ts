// The API's description as one page of HTML, without scripts or anything from elsewhere.
import { renderContent, renderHeaders, renderProblems, renderResponses } from './docs-answers.ts';
import { Markup, markup, markupOfProse } from './docs-markup.ts';
import { createSample, formatCurl } from './docs-sample.ts';
import { renderSchemas, renderType } from './docs-schema.ts';
import { STYLE, STYLE_SOURCE } from './docs-style.ts';
import { scopeOf } from './openapi-security.ts';
import type { OpenApiDocument } from './openapi-types.ts';
import { operationsOf, parametersOf } from './openapi-walk.ts';
import type { DescribedOperation } from './openapi-walk.ts';

/** What the page may do: be styled by its own style, and follow links. */
export const DOCS_POLICY =
  `default-src 'none';style-src ${STYLE_SOURCE};base-uri 'none';form-action 'none';` +
  `frame-ancestors 'none'`;

export function renderDocsPage(document: OpenApiDocument): string {
  const { info, tags, components } = document;
  const operations = operationsOf(document.paths);
  const ofTag = (tag: string): DescribedOperation[] =>
    operations.filter(({ operation }) => operation.tags.includes(tag));
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} ${info.version}: REST API</title>
<link rel="service-desc" type="application/json" href="/openapi.json">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>${info.title} <span class="note">${info.version}</span></h1>
${markupOfProse(info.description)}
<p>All of this for programs: <a href="/openapi.json">OpenAPI ${document.openapi}</a>.</p>
</header>
<nav aria-label="Operations">
${tags.map(({ name }) => renderLinks(name, ofTag(name)))}
</nav>
<main>
<h2 id="tokens">Tokens</h2>
${Object.values(components.securitySchemes).map(({ description }) => markupOfProse(description))}
<p>The examples below run in a shell that knows:</p>
<pre>GATEPOST=http://127.0.0.1:3000
TOKEN=gp_...</pre>
${tags.map(
  ({ name, description }) => markup`<h2>${name}</h2>
${markupOfProse(description)}${ofTag(name).map((one) => renderOperation(document, one))}`,
)}
<h2 id="problems">Problems</h2>
${renderProblems(document, operations)}
<h2 id="headers">Headers</h2>
${renderHeaders(components.headers)}
<h2 id="schemas">Schemas</h2>
${renderSchemas(document)}
</main>
</body>
</html>
`;
  return page.html;
}

function renderLinks(tag: string, operations: readonly DescribedOperation[]): Markup {
  const links = operations.map(({ method, path, operation: { operationId, summary } }) => {
    const name = renderName(method, path);
    return markup`<li><a href="#${operationId}">${name}</a> ${summary}</li>\n`;
  });
  return markup`<h2>${tag}</h2>\n<ul>\n${links}</ul>\n`;
}

function renderName(method: string, path: string): Markup {
  return markup`<span class="method">${method.toUpperCase()}</span> <code>${path}</code>`;
}

function renderOperation(document: OpenApiDocument, described: DescribedOperation): Markup {
  const { method, path, operation } = described;
  const { operationId, summary, description = '', requestBody } = operation;
  return markup`<article id="${operationId}">
<h3>${renderName(method, path)}</h3>
<p>${summary}. <span class="note">${renderScope(described)}</span></p>
${description === '' ? '' : markupOfProse(description)}
${renderParameters(document, described)}
${requestBody === undefined ? '' : markup`<h4>Body</h4>${renderContent(requestBody.content)}`}
<h4>Answers</h4>
${renderResponses(document, described)}
<h4>With curl</h4>
<pre>${formatCurl(createSample(document, described))}</pre>
</article>
`;
}

function renderScope({ operation: { security } }: DescribedOperation): Markup {
  const scope = scopeOf(security);
  if (scope === undefined) {
    return markup`Needs no token`;
  }
  const isOptional = security.some((requirement) => Object.keys(requirement).length === 0);
  return markup`${isOptional ? 'May need' : 'Needs'} scope <code>${scope}</code>`;
}

function renderParameters(document: OpenApiDocument, described: DescribedOperation): Markup {
  const parameters = parametersOf(document, described);
  return markup`<h4>Parameters</h4>
<dl>${parameters.map(
    ({ name, in: place, required, description, schema }) => markup`
<dt><code>${name}</code> <span class="note">${place}, ${renderType(schema)}${
      required === true ? '' : ', optional'
    }</span></dt>
<dd>${markupOfProse(description)}</dd>`,
  )}
</dl>`;
}
