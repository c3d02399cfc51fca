// Reads the API's own description as a client would.
import { z } from 'zod';
import type { OpenApiDocument, Schema } from '../../routes/openapi-types.ts';

/** A check of values by a schema of the document, references included. */
export function checkerOf(document: OpenApiDocument, schema: Schema): z.ZodType {
  const { schemas } = document.components;
  const text = JSON.stringify({ ...schema, $defs: schemas });
  const whole: unknown = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'));
  return z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(whole));
}
