// Ways through the API's description: its operations, and what references in them stand for.
import { METHODS } from './openapi-types.ts';
import type {
  Components,
  Method,
  OpenApiDocument,
  Operation,
  Parameter,
  PathItem,
  Paths,
  Reference,
  Response,
} from './openapi-types.ts';

export interface DescribedOperation {
  readonly path: string;
  readonly method: Method;
  readonly item: PathItem;
  readonly operation: Operation;
}

/** All operations in their order. */
export function operationsOf(paths: Paths): DescribedOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, item, operation }];
    }),
  );
}

/** The parameters of an operation, those of its path first. */
export function parametersOf(
  { components }: OpenApiDocument,
  { item, operation }: DescribedOperation,
): readonly Parameter[] {
  const all = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
  return all.map((one) => resolve(one, components.parameters));
}

export interface StatusResponse {
  readonly status: string;
  readonly response: Response;
}

/** The answers of an operation by status, `default` last. */
export function responsesOf(
  { components }: OpenApiDocument,
  { responses }: Operation,
): readonly StatusResponse[] {
  return Object.entries(responses).map(([status, response]) => ({
    status,
    response: resolve(response, components.responses),
  }));
}

/** The last part of a reference: the name of a component. */
export function nameOf($ref: string): string {
  return $ref.slice($ref.lastIndexOf('/') + 1);
}

/** @throws Error for a reference to nothing, which a test proves that there is not */
function resolve<Part extends object>(
  part: Part | Reference,
  parts: Components[keyof Components] & Readonly<Record<string, Part>>,
): Part {
  if (!('$ref' in part)) {
    return part;
  }
  const found = parts[nameOf(part.$ref)];
  if (found === undefined) {
    throw new Error(`The description refers to ${part.$ref}, which is not there`);
  }
  return found;
}
