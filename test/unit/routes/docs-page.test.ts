import { describe, expect, it, test } from '@jest/globals';
import { createSample, formatCurl } from '../../../routes/docs-sample.ts';
import { renderDocsPage } from '../../../routes/docs-page.ts';
import { createOpenApiDocument } from '../../../routes/openapi.ts';
import type { OpenApiDocument } from '../../../routes/openapi-types.ts';
import { operationsOf, parametersOf } from '../../../routes/openapi-walk.ts';
import type { DescribedOperation } from '../../../routes/openapi-walk.ts';

const document = createOpenApiDocument({ version: '1.2.3', hasPostgres: true, hasMongodb: true });
const page = renderDocsPage(document);

/** What a reader reads between two tags. */
function textOf(html: string): string {
  return html
    .replace(/<style>[^]*<\/style>/, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_match, code: string) => String.fromCharCode(Number(code)));
}

/** The part of the page that is about one operation. */
function sectionOf(operationId: string): string {
  const start = page.indexOf(`<article id="${operationId}">`);
  return start === -1 ? '' : page.slice(start, page.indexOf('</article>', start));
}

const named = operationsOf(document.paths).map((one): [string, DescribedOperation] => [
  one.operation.operationId,
  one,
]);

describe('the page', () => {
  it('has a language, a character set, a width and a title', () => {
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n/);
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(page).toContain('<title>Gatepost 1.2.3: REST API</title>');
  });

  it('is as light or dark as the reader has it, and as wide as the screen', () => {
    expect(page).toContain('@media (prefers-color-scheme: dark)');
    expect(page).toContain('color-scheme: light dark');
    expect(page).toContain('overflow-x: auto');
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    for (const [, slash, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (slash === '/') {
        expect(open.pop()).toBe(name);
      } else if (!['meta', 'link'].includes(name)) {
        open.push(name);
      }
    }
    expect(open).toEqual([]);
  });

  it('has no script, no inline style and nothing from elsewhere', () => {
    expect(page).not.toMatch(/<(?:script|img|iframe|object|embed|form|base)\b/i);
    expect(page).not.toMatch(/<[^>]+\s(?:style|on\w+|src)=/i);
    const targets = [...page.matchAll(/\shref="([^"]*)"/g)].map(([, target]) => target);
    expect(targets.filter((target) => !target?.startsWith('#'))).toEqual([
      '/openapi.json',
      '/openapi.json',
    ]);
    expect(page).not.toMatch(/url\(|@import/);
  });

  it('has a target for each of its links, once', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...page.matchAll(/\shref="#([^"]*)"/g)].map(([, id]) => id);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });
});

describe('each operation', () => {
  test.each(named)('%s is shown with all that is said of it', (operationId, described) => {
    const text = textOf(sectionOf(operationId));
    const { path, method, operation } = described;
    const { summary, requestBody, responses, security } = operation;
    expect(text).toContain(`${method.toUpperCase()} ${path}`);
    expect(text).toContain(`${summary}.`);
    const scopes = security.flatMap((one) => Object.values(one).flat());
    expect(text).toContain(scopes.length === 0 ? 'Needs no token' : `scope ${scopes.join()}`);
    for (const { name } of parametersOf(document, described)) {
      expect(text).toContain(`\n${name} `);
    }
    for (const status of Object.keys(responses)) {
      expect(text).toMatch(new RegExp(`\\b${status}\\b`));
    }
    for (const { examples = {} } of Object.values(requestBody?.content ?? {})) {
      for (const example of Object.values(examples)) {
        expect(text).toContain(`${example.summary}${JSON.stringify(example.value, undefined, 2)}`);
      }
    }
    expect(text).toContain(formatCurl(createSample(document, described)));
  });

  it('has its link in the list above', () => {
    const list = page.slice(page.indexOf('<nav'), page.indexOf('</nav>'));
    const links = [...list.matchAll(/href="#(\w+)"/g)].map(([, id]) => id);
    expect(links.sort()).toEqual(named.map(([id]) => id).sort());
  });
});

describe('schemas', () => {
  test.each(Object.keys(document.components.schemas))('%s is shown', (name) => {
    expect(page).toContain(`<article id="schema-${name}">`);
  });

  it('are told in words', () => {
    const text = textOf(page);
    expect(text).toContain('rowMode "object" or "array", optional');
    expect(text).toContain('maxRows integer, 1 at least, optional');
    expect(text).toContain(
      'limit query, integer, 1 at least, 1000 at most, otherwise 100, optional',
    );
    expect(text).toContain('next string or null');
    expect(text).toContain('items list of Row');
  });
});

describe('what the description says', () => {
  const HOSTILE = `</style></pre><script>alert("1")</script> & 'x' <img src=x onerror=y>`;

  /** The description with a text in every place that has one. */
  function fillWith(text: string): OpenApiDocument {
    const keys = ['summary', 'description', 'title', 'version', 'const', 'value'];
    const filled: unknown = JSON.parse(JSON.stringify(document), (key, value: unknown) =>
      keys.includes(key) && typeof value === 'string' ? text : value,
    );
    // Of the same shape: only texts have been put in the place of texts.
    return filled as OpenApiDocument;
  }

  it('is text and nothing else, whatever it is', () => {
    const hostile = renderDocsPage(fillWith(HOSTILE));
    expect(hostile).not.toMatch(/<script|<img|onerror=y>/);
    expect(hostile.match(/<\/style>/g)).toHaveLength(1);
    expect(textOf(hostile)).toContain(HOSTILE);
    const tags = (html: string): Set<string> => new Set(html.match(/<[^\s>]+/g));
    expect(tags(hostile)).toEqual(tags(page));
  });
});
