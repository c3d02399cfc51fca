// What operations are answered with, as HTML.
import { markup, markupOfLine, markupOfProse } from './docs-markup.ts';
import type { Markup } from './docs-markup.ts';
import { renderType } from './docs-schema.ts';
import { COMMON_HEADERS } from './openapi-answers.ts';
import type { Content, Example, OpenApiDocument } from './openapi-types.ts';
import { responsesOf } from './openapi-walk.ts';
import type { DescribedOperation, StatusResponse } from './openapi-walk.ts';

/** Bodies by their content types, with examples to be opened. */
export function renderContent(content: Content): Markup {
  const bodies = Object.entries(content).map(([type, { schema, examples = {} }]) => {
    const prose = schema.description === undefined ? '' : markupOfProse(schema.description);
    const kind = markup`<p><code>${type}</code>: ${renderType(schema)}</p>`;
    return markup`${kind}\n${prose}${Object.values(examples).map(renderExample)}`;
  });
  return markup`${bodies}`;
}

function renderExample({ summary, value }: Example): Markup {
  const json = JSON.stringify(value, undefined, 2);
  return markup`<details><summary>${summary}</summary><pre>${json}</pre></details>\n`;
}

const PROBLEM_TYPE = 'application/problem+json';

function isProblem({ response: { content = {} } }: StatusResponse): boolean {
  return Object.keys(content).includes(PROBLEM_TYPE);
}

/** Of one operation. Problems are the same everywhere: their statuses are enough. */
export function renderResponses(
  document: OpenApiDocument,
  { operation }: DescribedOperation,
): Markup {
  const responses = responsesOf(document, operation);
  const answers = responses.filter((one) => !isProblem(one)).map(renderResponse);
  const statuses = responses
    .filter(isProblem)
    .map(({ status }) => markup` <a href="#problem-${status}">${status}</a>`);
  return markup`<dl>${answers}
</dl>
<p>Problems:${statuses}</p>`;
}

function renderResponse({ status, response }: StatusResponse): Markup {
  const { description, headers = {}, content = {} } = response;
  const own = Object.keys(headers).filter((name) => !COMMON_HEADERS.some((one) => one === name));
  const note = own.length === 0 ? '' : markup`<p class="note">With ${own.join(', ')}</p>`;
  const body = isProblem({ status, response }) ? '' : renderContent(content);
  return markup`
<dt><strong>${status}</strong> ${markupOfLine(description)}</dt>
<dd>${note}${body}</dd>`;
}

/** All problems that operations may be answered with. */
export function renderProblems(
  document: OpenApiDocument,
  operations: readonly DescribedOperation[],
): Markup {
  const problems = operations
    .flatMap(({ operation }) => responsesOf(document, operation))
    .filter(isProblem);
  const byStatus = [...new Map(problems.map((one) => [one.status, one])).values()]
    .sort((one, other) => (one.status < other.status ? -1 : 1))
    .map((one) => markup`<dl id="problem-${one.status}">${renderResponse(one)}</dl>\n`);
  return markup`<p>Each is <a href="#schema-Problem"><code>Problem</code></a> as
<code>${PROBLEM_TYPE}</code>.</p>
${byStatus}`;
}

/** All headers that answers may have. */
export function renderHeaders(headers: OpenApiDocument['components']['headers']): Markup {
  const items = Object.entries(headers).map(
    ([name, { description }]) => markup`<dt><code>${name}</code></dt>
<dd>${markupOfProse(description)}</dd>
`,
  );
  return markup`<p>On all answers: ${COMMON_HEADERS.join(', ')}. The probes have no limit.</p>
<dl>
${items}</dl>
`;
}
