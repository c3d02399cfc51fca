// Reads the API's own description as a client would.
import { z } from 'zod';
import type { OpenApiDocument, Schema } from '../../routes/openapi-types.ts';

const OBJECT = z.record(z.string(), z.unknown());

/**
 * A check of values by a schema of the document, references included. It is stricter than the
 * schema: an object has no members but those that are named.
 */
export function checkerOf(document: OpenApiDocument, schema: Schema): z.ZodType {
  const { schemas } = document.components;
  const text = JSON.stringify({ ...schema, $defs: schemas });
  const local = text.replaceAll('#/components/schemas/', '#/$defs/');
  const whole: unknown = JSON.parse(local, (_key, value: unknown) => {
    const isObjectSchema = OBJECT.safeParse(value).data?.['properties'] !== undefined;
    return isObjectSchema ? { additionalProperties: false, ...OBJECT.parse(value) } : value;
  });
  return z.fromJSONSchema(OBJECT.parse(whole));
}
