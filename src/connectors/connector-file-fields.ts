// What a schema declares about the fields of a table: how a text of the environment is to be
// read, what is a secret, what errors say is accepted.
import * as z from 'zod';

export interface DeclaredField {
  readonly name: string;
  /** As JSON Schema names types; undefined for several at once, which takes the text itself. */
  readonly type: string | undefined;
  /** `uri` for a connection string, `text` for any other secret; undefined for what may be seen. */
  readonly secret: 'uri' | 'text' | undefined;
  readonly accepted: string;
  readonly defaultValue: unknown;
}

export type DeclaredFields = ReadonlyMap<string, DeclaredField>;

type Schema = z.core.JSONSchema.BaseSchema;

/** The fields of an object's schema, by their names; refinements and transformations are fine. */
export function fieldsOf(schema: z.ZodType): DeclaredFields {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const fields = Object.entries(properties).map(([name, property]) => {
    return fieldOf(name, typeof property === 'boolean' ? {} : property);
  });
  return new Map(fields.map((field) => [field.name, field]));
}

function fieldOf(name: string, property: Schema): DeclaredField {
  return {
    name,
    type: typeof property.type === 'string' ? property.type : undefined,
    secret: secretOf(property['secret']),
    accepted: describeAccepted(property),
    defaultValue: property.default,
  };
}

function secretOf(mark: unknown): DeclaredField['secret'] {
  if (mark === undefined) {
    return undefined;
  }
  return mark === 'uri' ? 'uri' : 'text';
}

function describeAccepted(property: Schema): string {
  const { enum: words, const: word, anyOf } = property;
  if (property.not !== undefined) {
    return 'nothing, because it is not supported: leave it out';
  }
  if (words !== undefined) {
    return `one of ${words.map(String).join(', ')}`;
  }
  if (word !== undefined) {
    return JSON.stringify(word);
  }
  if (anyOf !== undefined) {
    const choices = anyOf.map((choice) => (typeof choice === 'boolean' ? {} : choice));
    return choices.map(describeAccepted).join(' or ');
  }
  return describeType(property);
}

function describeType(property: Schema): string {
  switch (property.type) {
    case 'array':
      return 'a list of texts';
    case 'boolean':
      return 'true or false';
    case 'number':
      return 'a number';
    case 'integer':
      return describeWhole(property);
    default:
      return property.minLength === undefined ? 'text' : 'text that is not empty';
  }
}

function describeWhole({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): string {
  return maximum < Number.MAX_SAFE_INTEGER
    ? `a whole number from ${minimum} to ${maximum}`
    : `a whole number of at least ${minimum}`;
}

/**
 * A text of the environment as what the field declares: the text itself where it takes text, so
 * that `100` may be the name of a database; else what it spells, or the text to be refused.
 */
export function coerceText(text: string, type: string | undefined): unknown {
  const trimmed = text.trim();
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(trimmed) ? trimmed.toLowerCase() === 'true' : text;
    case 'integer':
    case 'number':
      return /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(trimmed) ? Number(trimmed) : text;
    case 'array':
      return parseList(trimmed);
    default:
      return text;
  }
}

/** `[a,b]` or `a,b`, each with or without quotation marks. */
function parseList(text: string): string[] {
  const [, inner = text] = /^\[(.*)\]$/s.exec(text) ?? [];
  const entries = inner.split(',').map((entry) => {
    return entry.trim().replace(/^(["'])(.*)\1$/s, '$2');
  });
  return inner.trim() === '' ? [] : entries;
}
