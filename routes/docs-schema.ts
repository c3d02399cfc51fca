// JSON Schemas in words.
import { markup, markupOfProse } from './docs-markup.ts';
import type { Markup } from './docs-markup.ts';
import type { OpenApiDocument, Schema } from './openapi-types.ts';
import { nameOf } from './openapi-walk.ts';

/** All schemas that have names, each with the members that it has. */
export function renderSchemas({ components }: OpenApiDocument): Markup {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => markup`<article id="schema-${name}">
<h3><code>${name}</code></h3>
${renderDescription(schema)}${renderMembers(schema)}
</article>
`,
  );
  return markup`${schemas}`;
}

/** What a value is, in a few words; named schemas are linked. */
export function renderType(schema: Schema | boolean | undefined): Markup {
  if (typeof schema !== 'object') {
    return markup`anything`;
  }
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    return markup`<a href="#schema-${name}"><code>${name}</code></a>`;
  }
  const kinds = schema.oneOf ?? schema.anyOf;
  if (kinds !== undefined) {
    const types = kinds.map((kind, index) => [index === 0 ? '' : ' or ', renderType(kind)]);
    return markup`${types}`;
  }
  if (schema.type === 'array') {
    const { items } = schema;
    return markup`list of ${renderType(Array.isArray(items) ? items[0] : items)}`;
  }
  return markup`${wordsOf(schema)}${boundsOf(schema)}`;
}

function wordsOf({ const: value, enum: values, type }: Schema): string {
  if (value !== undefined) {
    return JSON.stringify(value);
  }
  const words = values?.map((one) => JSON.stringify(one)) ?? [type ?? 'anything'].flat();
  return words.join(' or ');
}

function boundsOf({ minimum, maximum, default: usual }: Schema): string {
  return [
    minimum === undefined ? '' : `, ${minimum} at least`,
    maximum === undefined ? '' : `, ${maximum} at most`,
    usual === undefined ? '' : `, otherwise ${JSON.stringify(usual)}`,
  ].join('');
}

function renderMembers(schema: Schema): Markup {
  const { properties, required = [] } = schema;
  if (properties === undefined) {
    return markup`<p class="note">${renderType(schema)}</p>`;
  }
  return markup`<dl>${Object.entries(properties).map(
    ([name, member]) => markup`
<dt><code>${name}</code> <span class="note">${renderType(member)}${
      required.includes(name) ? '' : ', optional'
    }</span></dt>
<dd>${renderDescription(member)}</dd>`,
  )}
</dl>`;
}

function renderDescription(schema: Schema | boolean): Markup | undefined {
  return typeof schema === 'object' && schema.description !== undefined
    ? markupOfProse(schema.description)
    : undefined;
}
