// The parts of the API's description that others refer to.
import type { Components, Paths } from './openapi-types.ts';

/** Only the components that the paths refer to, those that these refer to included. */
export function keepUsed(paths: Paths, components: Components): Components {
  const used = new Set<string>();
  const unread: unknown[] = [paths];
  // It grows while it is read.
  for (const part of unread) {
    for (const { pointer, kind, name } of referencesIn(part)) {
      if (!used.has(pointer)) {
        used.add(pointer);
        unread.push(partsOf(components, kind)[name]);
      }
    }
  }
  const keep = <Part>(kind: string, parts: Readonly<Record<string, Part>>): Record<string, Part> =>
    Object.fromEntries(
      Object.entries(parts).filter(([name]) => used.has(`#/components/${kind}/${name}`)),
    );
  return {
    ...components,
    schemas: keep('schemas', components.schemas),
    parameters: keep('parameters', components.parameters),
    headers: keep('headers', components.headers),
    responses: keep('responses', components.responses),
  };
}

const REFERENCE = /"(#\/components\/(\w+)\/([^"]+))"/g;

interface Pointer {
  readonly pointer: string;
  readonly kind: string;
  readonly name: string;
}

/** A discriminator refers to schemas too, without `$ref`. */
function referencesIn(part: unknown): Pointer[] {
  return [...JSON.stringify({ part }).matchAll(REFERENCE)].map(
    ([, pointer = '', kind = '', name = '']) => ({ pointer, kind, name }),
  );
}

function partsOf(components: Components, kind: string): Readonly<Record<string, unknown>> {
  const kinds: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { ...components };
  return kinds[kind] ?? {};
}
