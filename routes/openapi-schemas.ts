// The zod schemas of the API as JSON Schemas that refer to each other.
import { z } from 'zod';
import { API_SCHEMAS } from './api-schemas.ts';
import type { ApiSchemaName } from './api-schemas.ts';
import type { Schema } from './openapi-types.ts';

const SCHEMAS_POINTER = '#/components/schemas/';

export function refSchema(name: ApiSchemaName): Schema {
  return { $ref: `${SCHEMAS_POINTER}${name}` };
}

/** All of them by name. What a client sends or reads may have members that they do not name. */
export function createSchemas(): Readonly<Record<string, Schema>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(API_SCHEMAS)) {
    registry.add(schema, { id });
  }
  const { schemas } = z.toJSONSchema(registry, {
    uri: (name) => `${SCHEMAS_POINTER}${name}`,
    // Bodies as they are sent, and answers without a promise that nothing is ever added to them.
    io: 'input',
    override: ({ jsonSchema }) => dropSafeBounds(jsonSchema),
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, strip(one)]));
}

/** Every integer that zod takes is a safe one; that bound is none of the API's. */
function dropSafeBounds(schema: Schema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) {
    delete schema.minimum;
  }
  if (schema.maximum === Number.MAX_SAFE_INTEGER) {
    delete schema.maximum;
  }
}

/** Without what is the same for the whole document, or said by the place in it. */
function strip(schema: Schema): Schema {
  return Object.fromEntries(
    Object.entries(schema).filter(([keyword]) => keyword !== '$schema' && keyword !== '$id'),
  );
}
